using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
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

    private static DaemonProcess Daemon(Lab lab, KeepalivedProcess keepalived, int firewall)
    {
        var daemon = new DaemonProcess(lab, firewall, Requirements.Binary, new DaemonConfig());
        string text = File.ReadAllText(daemon.ConfigPath);
        string block = $$"""
            General {
                VRRP {
                    Notify {{keepalived.FifoPath}}
                    Group FW
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
