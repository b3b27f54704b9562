using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>The daemon follows keepalived without scripts.</summary>
public sealed class VrrpTests(ITestOutputHelper output)
{
    private const int Flows = 500;
    private const double Patience = 20;

    [KeepalivedFact]
    public void A_pair_fails_over_and_back_by_itself()
    {
        using var lab = new Lab();
        KeepalivedProcess[] keepalived = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons = [Daemon(lab, keepalived[0], 1), Daemon(lab, keepalived[1], 2)];
        var load = new LoadTool(lab);
        foreach (DaemonProcess daemon in daemons) { daemon.Start(); }
        foreach (KeepalivedProcess one in keepalived) { one.Start(); }
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        AwaitState(daemons[1], keepalived[1], "BACKUP (idle)");
        Assert.Equal("0\n", File.ReadAllText(keepalived[1].TrackPath));
        load.Inject(1, Flows);
        Wait.Until("fw2 knows the flows", Patience,
            () => load.KernelAgainstListing(daemons[1], "-e"),
            difference => difference.IsNone && difference.Same == Flows);

        // fw1 dies without a farewell.
        long start = Stopwatch.GetTimestamp();
        keepalived[0].Kill();
        daemons[0].Kill();
        AwaitState(daemons[1], keepalived[1], "MASTER (idle)");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: dead to taken over: {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s"));
        Assert.Equal(Flows, load.KernelAgainstKernel().Same);
        Assert.Matches($@"group FW MASTER: committed {Flows} \(0 replaced, 0 failed\)",
            daemons[1].Log);
        Assert.Equal("0\n", File.ReadAllText(keepalived[1].TrackPath));

        // It comes back with nothing, everything is started at once.
        lab.Run(1, "conntrack", "-F").Checked();
        daemons[0].Start();
        keepalived[0].Start();
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        Assert.Equal(Flows, load.KernelAgainstKernel().Same);
        string log = File.ReadAllText(daemons[0].BasePath + ".log");
        int synced = log.LastIndexOf("group FW BACKUP: in sync", StringComparison.Ordinal);
        int master = log.LastIndexOf("group FW MASTER: committed", StringComparison.Ordinal);
        Assert.True(synced >= 0 && synced < master, log);
        AwaitState(daemons[1], keepalived[1], "BACKUP (idle)");

        // Planned: the daemon of the master ends and hands over first.
        Assert.Equal(0, daemons[0].Stop());
        Assert.Equal("1\n", File.ReadAllText(keepalived[0].TrackPath));
        AwaitState(daemons[1], keepalived[1], "MASTER (idle)");
    }

    [KeepalivedFact]
    public void A_node_that_stands_back_takes_over_if_it_is_the_only_one_and_is_restarted_there()
    {
        const string LongQuiet = "Group FW\nSyncQuiet 30";
        using var lab = new Lab();
        KeepalivedProcess[] keepalived = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons =
            [Daemon(lab, keepalived[0], 1, LongQuiet), Daemon(lab, keepalived[1], 2, LongQuiet)];
        daemons[1].Start();
        keepalived[1].Start();
        AwaitState(daemons[1], keepalived[1], "MASTER (idle)");
        lab.Run(2, "conntrack", "-I", "-p", "udp", "-s", "10.1.0.1", "-d", "10.9.0.1",
            "--sport", "1", "--dport", "9", "-t", "600").Checked();

        // fw1 has the better priority and is not in sync for long.
        daemons[0].Start();
        keepalived[0].Start();
        AwaitState(daemons[0], keepalived[0], "BACKUP (syncing)");
        Assert.Equal("1\n", File.ReadAllText(keepalived[0].TrackPath));
        Wait.Until("fw1 knows the flow", Patience,
            () => daemons[0].Tell("-e").Contains("10.1.0.1", StringComparison.Ordinal));

        keepalived[1].Kill();
        daemons[1].Kill();
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        Assert.Contains("10.1.0.1", lab.KernelListing(1), StringComparison.Ordinal);
        Assert.Equal("0\n", File.ReadAllText(keepalived[0].TrackPath));

        // Restarted on a master it asks keepalived, commits nothing and never says 1.
        daemons[0].Kill();
        daemons[0].Start();
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        Assert.Equal("0\n", File.ReadAllText(keepalived[0].TrackPath));
    }

    [KeepalivedFact]
    public void After_two_masters_the_one_that_stays_has_the_flows_of_both()
    {
        using var lab = new Lab();
        KeepalivedProcess[] keepalived = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons = [Daemon(lab, keepalived[0], 1), Daemon(lab, keepalived[1], 2)];
        foreach (DaemonProcess daemon in daemons) { daemon.Start(); }
        foreach (KeepalivedProcess one in keepalived) { one.Start(); }
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        AwaitState(daemons[1], keepalived[1], "BACKUP (idle)");

        // fw2 hears no adverts any more, and opens a flow of its own.
        lab.Run(2, "nft", "add table ip deaf; add chain ip deaf in { type filter hook input "
            + "priority -300; }; add rule ip deaf in ip protocol 112 drop").Checked();
        AwaitState(daemons[1], keepalived[1], "MASTER (idle)");
        lab.Run(2, "conntrack", "-I", "-p", "udp", "-s", "10.2.0.9", "-d", "10.9.0.1",
            "--sport", "1", "--dport", "9", "-t", "600").Checked();
        lab.Run(2, "nft", "delete", "table", "ip", "deaf").Checked();

        AwaitState(daemons[1], keepalived[1], "BACKUP (idle)");
        Wait.Until("fw1 has it", Patience,
            () => lab.KernelListing(1).Contains("10.2.0.9", StringComparison.Ordinal));
        AwaitState(daemons[0], keepalived[0], "MASTER (idle)");
        Assert.Contains("another, weaker master was heard", daemons[0].Log,
            StringComparison.Ordinal);
        Assert.Equal("0\n", File.ReadAllText(keepalived[0].TrackPath));
    }

    [LabFact]
    public void Whatever_comes_out_of_the_fifo_the_newest_state_counts()
    {
        using var lab = new Lab();
        var files = new KeepalivedProcess(lab, 1, 100);
        DaemonProcess daemon = Daemon(lab, files, 1).Start();
        Assert.Equal("1\n", File.ReadAllText(files.TrackPath));

        // 10,000 lines in one write, with noise between.
        string[] storm = [.. Enumerable.Range(0, 10_000).Select(
            i => $"GROUP \"FW\" {(i % 2 == 0 ? "BACKUP" : "MASTER")} 0\n")];
        Write(lab, files, string.Concat(storm));
        Wait.Until("the last of them counts", Patience,
            () => daemon.Counter("vrrp", "lines read") == 10_000);
        AwaitState(daemon, files, "MASTER (idle)");

        Write(lab, files, "GROUP \"FW\" BAC");
        Write(lab, files, "KUP 0\nGROUP \"FW\" DANCING 0\nnonsense\nINSTANCE \"VI\" MASTER 1\n");
        AwaitState(daemon, files, "BACKUP");
        Assert.Equal(2, daemon.Counter("vrrp", "lines not understood"));
        Assert.Equal(1, daemon.Counter("vrrp", "lines of others"));

        // Scripts besides: nothing is purged while a group is master here.
        Write(lab, files, "GROUP \"FW\" MASTER 0\n");
        AwaitState(daemon, files, "MASTER (idle)");
        Assert.Equal(0, daemon.Ask("-t").ExitCode);
        Assert.Contains("ResetTimers: a VRRP sequence does that", daemon.Log,
            StringComparison.Ordinal);

        // Somebody removed the FIFO: it is made again.
        File.Delete(files.FifoPath);
        Wait.Until("there is a FIFO again", Patience,
            () => daemon.Counter("vrrp", "fifo reopened") == 1 && File.Exists(files.FifoPath));
        Write(lab, files, "GROUP \"FW\" FAULT 0\n");
        AwaitState(daemon, files, "FAULT");
        Assert.Equal("1\n", File.ReadAllText(files.TrackPath));

        // While the daemon is away the lines wait; the next one acts on the newest.
        string held = lab.PathOf("held");
        lab.Start(1, lab.PathOf("holder.log"), "sh", "-c",
            $"exec 3<>{files.FifoPath}; touch {held}; sleep 60");
        Wait.Until("the FIFO is held open", Patience, () => File.Exists(held));
        Assert.Equal(0, daemon.Stop());
        Write(lab, files, "GROUP \"FW\" BACKUP 0\nGROUP \"FW\" MASTER 0\n");
        daemon.Start();
        AwaitState(daemon, files, "MASTER (idle)");
    }

    [LoadFact]
    public void A_take_over_that_is_given_up_midway_is_taken_up_again()
    {
        // Enough for batches in flight while the next line is read.
        const int Many = 60_000;
        using var lab = new Lab();
        KeepalivedProcess[] files = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons = [Daemon(lab, files[0], 1), Daemon(lab, files[1], 2)];
        foreach (DaemonProcess daemon in daemons) { daemon.Start(); }
        Write(lab, files[0], "GROUP \"FW\" MASTER 0\n");
        Write(lab, files[1], "GROUP \"FW\" BACKUP 0\n");
        AwaitState(daemons[1], files[1], "BACKUP (idle)");
        var load = new LoadTool(lab);
        load.Inject(1, Many);
        AwaitKnown();
        foreach (int milliseconds in (int[])[20, 60, 120])
        {
            Write(lab, files[1], "GROUP \"FW\" MASTER 0\n");
            Thread.Sleep(milliseconds);
            Write(lab, files[1], "GROUP \"FW\" BACKUP 0\n");
            AwaitState(daemons[1], files[1], "BACKUP (idle)");
            AwaitKnown();
        }
        Write(lab, files[1], "GROUP \"FW\" MASTER 0\n");
        AwaitState(daemons[1], files[1], "MASTER (idle)");
        TableDifference difference = load.KernelAgainstKernel();
        Assert.True(difference.IsNone && difference.Same == Many, $"{difference}");
        output.WriteLine(
            $"given up: {Regex.Count(daemons[1].Log, "given up")} of 3");

        void AwaitKnown() => Wait.Until("fw2 knows the flows", Patience,
            () => load.KernelAgainstListing(daemons[1], "-e"),
            difference => difference.IsNone && difference.Same == Many);
    }

    /// <remarks>
    /// The original's purge of one group empties the whole table; its commit takes over all.
    /// </remarks>
    [LabFact]
    public void A_group_that_is_handed_back_leaves_the_flows_of_the_other_alone()
    {
        const int Each = 14;
        const string Groups = """
            Group RED {
                Address 10.1.0.0/16
            }
            Group BLUE {
                Mark 0x2/0xff
            }
            """;
        using var lab = new Lab();
        KeepalivedProcess[] files = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons =
            [Daemon(lab, files[0], 1, Groups), Daemon(lab, files[1], 2, Groups)];
        foreach (DaemonProcess daemon in daemons) { daemon.Start(); }
        Write(lab, files[1], "GROUP \"RED\" BACKUP 0\nGROUP \"BLUE\" BACKUP 0\n");
        Write(lab, files[0], "GROUP \"RED\" MASTER 0\nGROUP \"BLUE\" MASTER 0\n");
        lab.Run(1, "sh", "-c", $"for i in $(seq {Each}); do "
            + "conntrack -I -p udp -s 10.1.0.$i -d 10.9.0.1 --sport 1 --dport 9 -t 600; "
            + "conntrack -I -p udp -s 10.2.0.$i -d 10.9.0.1 --sport 1 --dport 9 -t 600 -m 0x102"
            + "; done").Checked();
        Wait.Until("fw2 knows them", Patience,
            () => daemons[1].Tell("-e").AsSpan().Count('\n'), n => n == 2 * Each);

        Write(lab, files[0], "GROUP \"BLUE\" BACKUP 0\n");
        Write(lab, files[1], "GROUP \"BLUE\" MASTER 0\n");
        Wait.Until("BLUE has left fw1, after PurgeTimeout", Patience,
            () => (Red(lab, 1), Blue(lab, 1)), n => n == (Each, 0));
        Assert.Equal((0, Each), (Red(lab, 2), Blue(lab, 2)));
        AwaitState(daemons[0], files[0], "MASTER (idle)");
        Assert.Equal("0\n", File.ReadAllText(files[0].TrackPath));

        daemons[0].Kill();
        Write(lab, files[1], "GROUP \"RED\" MASTER 0\n");
        Wait.Until("fw2 has both", Patience,
            () => (Red(lab, 2), Blue(lab, 2)), n => n == (Each, Each));
    }

    [LabFact]
    public void With_direct_injection_the_end_of_a_copy_does_not_end_the_living_flow()
    {
        using var lab = new Lab();
        KeepalivedProcess[] files = [new(lab, 1, 150), new(lab, 2, 100)];
        DaemonProcess[] daemons =
            [Daemon(lab, files[0], 1, direct: true), Daemon(lab, files[1], 2, direct: true)];
        foreach (DaemonProcess daemon in daemons) { daemon.Start(); }
        Write(lab, files[1], "GROUP \"FW\" BACKUP 0\n");
        Write(lab, files[0], "GROUP \"FW\" MASTER 0\n");
        lab.Run(1, "sh", "-c", "for i in 1 2; do conntrack -I -p udp -s 10.1.0.$i "
            + "-d 10.9.0.1 --sport 1 --dport 9 -t 600; done").Checked();
        Wait.Until("fw2 has them", Patience, () => Red(lab, 2), n => n == 2);

        // The end on the master counts, that on the other does not.
        lab.Run(1, "conntrack", "-D", "-s", "10.1.0.1").Checked();
        Wait.Until("one has ended", Patience, () => Red(lab, 2), n => n == 1);
        Write(lab, files[0], "GROUP \"FW\" BACKUP 0\n");
        Write(lab, files[1], "GROUP \"FW\" MASTER 0\n");
        AwaitState(daemons[0], files[0], "BACKUP (idle)");
        AwaitState(daemons[1], files[1], "MASTER (idle)");
        lab.Run(1, "conntrack", "-D", "-s", "10.1.0.2").Checked();
        lab.Run(2, "conntrack", "-I", "-p", "udp", "-s", "10.1.0.3", "-d", "10.9.0.1",
            "--sport", "1", "--dport", "9", "-t", "600").Checked();
        Wait.Until("what came later is here", Patience,
            () => lab.KernelListing(1).Contains("10.1.0.3", StringComparison.Ordinal));
        Assert.Equal(2, Red(lab, 2));
    }

    [LabFact]
    public void A_daemon_does_not_start_with_a_regular_file_as_its_fifo()
    {
        using var lab = new Lab();
        var files = new KeepalivedProcess(lab, 1, 100);
        DaemonProcess daemon = Daemon(lab, files, 1);
        File.WriteAllText(files.FifoPath, "mine");
        CommandResult result = daemon.StartInVain();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("there is a regular file, expected a FIFO", result.Error,
            StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(files.FifoPath));
    }

    private static int Red(Lab lab, int firewall) => Count(lab, firewall, "src=10\\.1\\.");

    private static int Blue(Lab lab, int firewall) => Count(lab, firewall, "src=10\\.2\\.");

    private static int Count(Lab lab, int firewall, string pattern) =>
        Regex.Count(lab.KernelListing(firewall), $@"udp +17 \d+ {pattern}");

    private static DaemonProcess Daemon(
        Lab lab, KeepalivedProcess keepalived, int firewall, string groups = "Group FW",
        bool direct = false)
    {
        // The groups are purged within the test, FW is not.
        uint purge = groups == "Group FW" ? 60u : 1;
        string inject = direct ? "DisableExternalCache on" : "";
        var config = new DaemonConfig { Mode = $"FTFW {{\nPurgeTimeout {purge}\n{inject}\n}}" };
        var daemon = new DaemonProcess(lab, firewall, Requirements.Binary, config);
        string text = File.ReadAllText(daemon.ConfigPath);
        string block = $$"""
            General {
                VRRP {
                    Notify {{keepalived.FifoPath}}
                    {{groups}}
                    QueryPid {{keepalived.PidPath}}
                    TrackFile {{keepalived.TrackPath}}
                }
            """;
        var general = new Regex(@"^General \{", RegexOptions.Multiline);
        File.WriteAllText(daemon.ConfigPath, general.Replace(text, block, 1));
        return daemon;
    }

    private static void Write(Lab lab, KeepalivedProcess keepalived, string text)
    {
        string path = lab.PathOf("lines");
        File.WriteAllText(path, text);
        Shell.Run("sh", "-c", $"cat {path} > {keepalived.FifoPath}").Checked();
    }

    private static void AwaitState(
        DaemonProcess daemon, KeepalivedProcess keepalived, string state)
    {
        try
        {
            Wait.Until($"fw{daemon.Firewall} is {state}", Patience,
                () => daemon.Ask("-s", "vrrp").Output, text => text.Contains(
                    $"state:\t\t\t\t{state}", StringComparison.Ordinal));
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{daemon.Log}\n{keepalived.Log}");
        }
    }
}
