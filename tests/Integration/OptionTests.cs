using System.Threading;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Options of time and of the event socket, each against the kernel.</summary>
public sealed class OptionTests
{
    private const int Flows = 3000;
    private const double Seconds = 10;

    // 212,992 bytes hold 166 events.
    private static readonly DaemonConfig s_narrow = new()
    {
        EventBufferBytes = 212_992,
        EventBufferBytesMax = 212_992,
    };

    /// <remarks>
    /// The daemon stands still while flows end, so their events find no room. With
    /// NetlinkEventsReliable the kernel tells them again; with NetlinkOverrunResync the table is
    /// read; with neither, nobody ever says that they are gone.
    /// </remarks>
    [LoadTheory]
    [InlineData("NetlinkEventsReliable on NetlinkOverrunResync off", true)]
    [InlineData("NetlinkEventsReliable off NetlinkOverrunResync on", true)]
    [InlineData("NetlinkEventsReliable off NetlinkOverrunResync off", false)]
    public void Ends_that_find_no_room_in_the_buffer(string options, bool areFound)
    {
        using var lab = new Lab();
        var load = new LoadTool(lab);
        // Else flows that are older than the first listener have no events at all.
        lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_events=1").Checked();
        load.Inject(1, Flows);
        DaemonProcess daemon = new DaemonProcess(
            lab, 1, Requirements.Binary, s_narrow with { General = options }).Start();
        Assert.Equal(Flows, Count(daemon, "-i"));
        daemon.Freeze();
        load.Delete(1, Flows);
        daemon.Thaw();
        if (areFound)
        {
            Wait.Until("all are gone", Seconds, () => Count(daemon, "-i") == 0);
            return;
        }
        Thread.Sleep(2000);
        Assert.InRange(Count(daemon, "-i"), Flows / 2, Flows);
    }

    [LoadFact]
    public void A_purge_comes_after_its_time_spares_what_is_ignored_and_can_be_called_off()
    {
        using var nodes = new Pair(
            Pairs.OursOurs, new DaemonConfig { Mode = "FTFW { PurgeTimeout 2 }" });
        nodes.Load.Inject(2, Flows);
        nodes.Lab.Run(2, "conntrack", "-I", "-p", "udp", "-s", Lab.SyncAddress(2), "-d",
            "10.60.0.1", "--sport", "1000", "--dport", "53", "-t", "600").Checked();
        nodes.Backup.Tell("-t");
        nodes.Backup.Tell("-t");
        Thread.Sleep(1000);
        Assert.Equal(Flows, Count(nodes.Backup, "-i"));
        Wait.Until("the table is empty", Seconds,
            () => nodes.Lab.KernelListing(2).AsSpan().Count("\n") == 1);
        Assert.Contains($"src={Lab.SyncAddress(2)}", nodes.Lab.KernelListing(2),
            StringComparison.Ordinal);
        Assert.Equal(1, nodes.Backup.Log.AsSpan().Count("flushing conntrack table in 2 secs"));

        nodes.Load.Inject(2, Flows);
        nodes.Backup.Tell("-t");
        nodes.Backup.Tell("-c");
        Thread.Sleep(3000);
        Assert.Equal(Flows, Count(nodes.Backup, "-i"));
    }

    /// <remarks>Nobody sends anything by itself in NOTRACK.</remarks>
    [LoadTheory]
    [MemberData(nameof(Pairs.OriginalOrOursActive), MemberType = typeof(Pairs))]
    public void StartupResync_asks_once_at_the_start(string pair, string link)
    {
        using var lab = new Lab();
        var load = new LoadTool(lab);
        (string binary, _) = Pairs.Binaries(pair);
        var config = new DaemonConfig { Link = link, Mode = "NOTRACK { }" };
        new DaemonProcess(lab, 1, binary, config).Start();
        load.Inject(1, Flows);
        Thread.Sleep(500);
        DaemonProcess silent = new DaemonProcess(lab, 2, Requirements.Binary, config, "a").Start();
        Thread.Sleep(1500);
        Assert.Equal(0, Count(silent, "-e"));
        silent.Stop();
        DaemonProcess asking = new DaemonProcess(lab, 2, Requirements.Binary,
            config with { Mode = "NOTRACK { StartupResync on }" }, "b").Start();
        Wait.Until("everything is here", Seconds,
            () => load.KernelAgainstListing(asking, "-e"), d => d.IsNone && d.Same == Flows);
        Assert.Equal(1, asking.Log.AsSpan().Count("resync requested"));
    }

    private static int Count(DaemonProcess daemon, string option) =>
        daemon.Tell(option).AsSpan().Count('\n');
}
