using System.IO;
using System.Linq;
using System.Threading;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Defects of the original that no other test is about. docs/defects.md lists all of them, the
/// trait "Defect" names the number.
/// </summary>
public sealed class DefectTests
{
    private const int Flows = 500, Few = 100;
    private const double Seconds = 10;

    private static readonly DaemonConfig s_inject =
        new() { Mode = "FTFW { DisableExternalCache on }" };

    /// <remarks>The events begin before the table is read.</remarks>
    [LoadFact]
    [Trait("Defect", "1")]
    public void A_start_amid_events_misses_none()
    {
        const int Many = 60_000;
        using var lab = new Lab();
        var load = new LoadTool(lab);
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig());
        var injection = new Thread(() => load.InjectSlowly(1, Many, rate: 20_000));
        injection.Start();
        Wait.Until("flows are there", Seconds, () => lab.Run(1, "conntrack", "-C").Output,
            count => int.Parse(count) > 1000);
        daemon.Start();
        Assert.True(injection.IsAlive, "all was there before the daemon");
        injection.Join();
        Wait.Until("the internal cache is the kernel's table", Seconds,
            () => load.KernelAgainstListing(daemon, "-i"), d => d.IsNone && d.Same == Many);
    }

    /// <summary>Kept: these empty this node, and say nothing to the peer.</summary>
    [LoadTheory]
    [InlineData("-F")]
    [InlineData("-f", "internal")]
    [Trait("Defect", "3")]
    [Trait("Defect", "17")]
    public void A_flush_of_one_node_ends_nothing_at_its_peer(params string[] command)
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Active.Tell(command);
        Wait.Until("it is done", Seconds,
            () => nodes.Active.Tell(command[0] == "-F" ? ["-i", "ct"] : ["-i"]),
            listing => listing.Length == 0);
        AwaitWithNewcomer(nodes, Flows);
    }

    /// <remarks>The original changes it by deleting it first.</remarks>
    [LabFact]
    [Trait("Defect", "11")]
    public void An_update_of_a_translated_IPv6_flow_keeps_the_kernels_entry()
    {
        using var nodes = new Pair(Pairs.OursOurs, s_inject);
        nodes.Lab.Run(1, "conntrack", "-I", "-p", "udp", "-s", "fd50::4", "-d", "fd60::1",
            "--sport", "1000", "--dport", "53", "--src-nat", "fd70::1", "-t", "3000").Checked();
        string Identity(string mark)
        {
            string listing = "";
            Wait.Until($"mark {mark} is there", Seconds, () =>
            {
                listing = nodes.Lab.Run(2, "conntrack", "-L", "-f", "ipv6", "-o", "id").Output;
                return listing.Contains($"mark={mark} ", StringComparison.Ordinal);
            });
            Assert.Contains("dst=fd70::1", listing, StringComparison.Ordinal);
            return listing[listing.IndexOf("id=", StringComparison.Ordinal)..];
        }
        string first = Identity("0");
        nodes.Lab.Run(1, "conntrack", "-U", "-f", "ipv6", "-s", "fd50::4", "-m", "5").Checked();
        Assert.Equal(first, Identity("5"));
    }

    /// <remarks>
    /// With up to 8192 buckets the original believes for ever that the commit goes on.
    /// </remarks>
    [LoadFact]
    [Trait("Defect", "16")]
    public void With_few_buckets_a_commit_ends_and_a_flush_is_done()
    {
        using var nodes = new Pair(
            Pairs.OursOurs, new DaemonConfig { HashSize = 1024, ExpectationSync = true });
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Backup.Tell("-c");
        Assert.Contains(
            "Committed 0 new expectations", nodes.Backup.Log, StringComparison.Ordinal);
        Assert.True(nodes.Load.KernelAgainstKernel().IsNone);
        nodes.Backup.Tell("-f", "external");
        Assert.Equal("", nodes.Backup.Tell("-e"));
    }

    /// <remarks>Since Linux 6.14 an event bears its time, if time stamps are on.</remarks>
    [LoadFact]
    [Trait("Defect", "20")]
    public void Time_stamps_of_events_are_passed_over()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=1").Checked();
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, Flows);
        nodes.Load.Delete(1, Few);
        Assert.Contains("start=", nodes.Lab.Run(
            1, "conntrack", "-L", "-o", "ktimestamp").Output, StringComparison.Ordinal);
        nodes.AwaitReplicated(Seconds, Flows - Few);
    }

    /// <remarks>The original's program for the kernel jumps at most 255 steps.</remarks>
    [LabFact]
    [Trait("Defect", "21")]
    public void A_filter_of_200_addresses_stops_them_all()
    {
        string addresses = string.Join('\n',
            Enumerable.Range(1, 200).Select(n => $"IPv4_address 10.80.0.{n}"));
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            Filter = $"Filter From Kernelspace {{ Address Ignore {{ {addresses} }} }}",
        });
        int[] numbers = [1, 2, 85, 86, 127, 128, 199, 200, 201];
        foreach (int number in numbers)
        {
            nodes.Lab.Run(1, "conntrack", "-I", "-p", "udp", "-s", $"10.80.0.{number}",
                "-d", "10.60.0.1", "--sport", "1000", "--dport", "53", "-t", "3000").Checked();
        }
        Wait.Until("the last is there", Seconds, () => nodes.Backup.Tell("-e"),
            listing => listing.Contains("src=10.80.0.201 ", StringComparison.Ordinal));
        Assert.Equal(1, nodes.Backup.Tell("-e").Count(c => c == '\n'));
    }

    /// <remarks>
    /// A flow message has up to 308 bytes: the original sends empty datagrams for ever.
    /// </remarks>
    [LoadFact]
    [Trait("Defect", "24")]
    public void A_message_longer_than_the_links_buffer_leaves_whole()
    {
        var config = new DaemonConfig();
        using var nodes = new Pair(Pairs.OursOurs, config, config, lab => lab.SetMtu(100));
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
        Assert.InRange(nodes.Active.Traffic("Pckts sent"), 1, 4 * Flows);
    }

    /// <remarks>The original takes the client's descriptor 0 for no client.</remarks>
    [LoadFact]
    [Trait("Defect", "31")]
    public void A_daemon_without_standard_input_serves_its_clients()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig
        {
            Wrapper = ["sh", "-c", "exec \"$0\" \"$@\" <&-"],
        });
        daemon.Start();
        new LoadTool(lab).Inject(1, Flows);
        for (int i = 0; i < 3; i++) { daemon.Tell("-c"); }
        Wait.Until("all is listed", Seconds,
            () => daemon.Tell("-i").Count(c => c == '\n'), count => count == Flows);
        daemon.Tell("-f");
        Assert.Equal("", daemon.Tell("-i"));
    }

    /// <summary>
    /// Between our own kind a bulk has an end, and what it did not have goes.
    /// </summary>
    [LoadFact]
    [Trait("Defect", "33")]
    public void A_bulk_takes_away_the_flows_whose_end_was_not_told()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Active.Tell("-f", "internal");
        nodes.Load.Delete(1, Few);
        AwaitWithNewcomer(nodes, Flows);
        nodes.Active.Tell("-R");
        nodes.Active.Tell("-B");
        nodes.AwaitReplicated(Seconds, Flows - Few + 1);
        Assert.Contains($"\"swept\":{Few},", nodes.Backup.Tell("-s", "cache", "-o", "json"),
            StringComparison.Ordinal);
    }

    /// <remarks>
    /// The original ends what it tells by nothing, and in NOTRACK no request is acknowledged: what
    /// ended while it was not running stays until the cache is filled anew.
    /// </remarks>
    [MixedLoadTheory]
    [InlineData("NOTRACK { }")]
    [InlineData("FTFW { }")]
    [Trait("Defect", "33")]
    public void What_the_original_never_told_goes_by_a_flush_and_a_request(string mode)
    {
        using var nodes = new Pair(Pairs.OriginalOurs, new DaemonConfig { Mode = mode });
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Active.Kill();
        nodes.Load.Delete(1, Few);
        File.Delete(nodes.Active.LockPath);
        nodes.Active.Start();
        nodes.Backup.Tell("-n");
        AwaitWithNewcomer(nodes, Flows);
        nodes.Backup.Tell("-f", "external");
        nodes.Backup.Tell("-n");
        nodes.AwaitReplicated(Seconds, Flows - Few + 1);
    }

    // What was sent before the newcomer has arrived when it has.
    private static void AwaitWithNewcomer(Pair nodes, int flows)
    {
        nodes.Load.Inject(1, 1, first: 900_000);
        nodes.AwaitOnlyFlows(flows + 1);
    }
}
