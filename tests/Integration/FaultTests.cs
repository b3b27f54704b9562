using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// The real daemon while its system calls fail, its disk is full, it stands still or is killed:
/// it lives, or ends with status 1 and a line; afterwards everything is replicated.
/// </summary>
/// <remarks>
/// strace makes calls fail (inject=CALL:error=ERRNO:when=FIRST..LAST+STEP), so the program under
/// test is the one that is shipped. It is detached (-D): the process is the daemon's own. Numbers
/// count from the start of the daemon; the calls of the start itself are passed over by FIRST.
/// The filter of system calls is off here: it would see strace's number -1 instead of the call.
/// </remarks>
public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Flows = 1000;
    private const double SettleSeconds = 30;

    private static readonly DaemonConfig s_unfiltered =
        new() { General = "Sandbox { SystemCalls off }" };

    [FaultTheory]
    [InlineData("recvmmsg", "EINTR", "2..200+2")]
    [InlineData("recvmmsg", "EAGAIN", "2..200+2")]
    [InlineData("recvmmsg", "ENOBUFS", "20..40+5")]
    [InlineData("recvmmsg", "ENOMEM", "20..60+3")]
    [InlineData("sendmmsg", "EAGAIN", "2..60+2")]
    [InlineData("sendmmsg", "ENOBUFS", "2..60+2")]
    [InlineData("sendmmsg", "ENETUNREACH", "2..60+2")]
    [InlineData("sendmmsg", "EPERM", "2..60+2")]
    [InlineData("sendmmsg", "ENOMEM", "2..60+2")]
    [InlineData("recvfrom", "ENOMEM", "8..40+3")]
    [InlineData("epoll_wait", "EINTR", "2..400+2")]
    [InlineData("epoll_ctl", "ENOMEM", "12..40+3")]
    [InlineData("accept4", "EMFILE", "2..20+3")]
    [InlineData("accept4", "ECONNABORTED", "2..20+2")]
    [InlineData("write", "ENOSPC", "4..200+1")]
    [InlineData("openat", "EMFILE", "40..60+1")]
    public void After_failing_calls_everything_is_replicated(
        string call, string error, string when)
    {
        using var lab = new Lab();
        DaemonProcess[] daemons =
            [Traced(lab, 1, $"inject={call}:error={error}:when={when}"),
                Traced(lab, 2, $"inject={call}:error={error}:when={when}")];
        var load = new LoadTool(lab);
        load.Inject(1, Flows);
        foreach (DaemonProcess daemon in daemons) { Exercise(daemon); }
        load.Inject(1, Flows, Flows);
        AwaitEqual(load, daemons[1], 2 * Flows);
    }

    [FaultFact]
    public void A_loop_that_cannot_wait_ends_it_with_status_1_and_a_line()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Traced(lab, 1, "inject=epoll_wait:error=ENOMEM:when=200");
        Wait.Until("it has ended", SettleSeconds, () =>
        {
            daemon.Ask("-s");
            return !daemon.IsRunning;
        });
        Assert.Equal(1, daemon.ExitCode);
        Assert.Contains("epoll_wait failed: Cannot allocate memory, giving up", daemon.Log);
        Assert.Contains("cache internal", daemon.Start().Tell("-s"));
    }

    [FaultFact]
    public void A_full_disk_under_the_log_costs_only_lines()
    {
        using var lab = new Lab();
        string folder = lab.PathOf("small");
        Directory.CreateDirectory(folder);
        Shell.Run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder).Checked();
        try
        {
            var config = new DaemonConfig();
            var active = new DaemonProcess(lab, 1, Requirements.Binary, config);
            active.Rewrite($"LogFile {active.BasePath}.log", $"LogFile {folder}/log");
            active.Start();
            DaemonProcess backup = new DaemonProcess(lab, 2, Requirements.Binary, config).Start();
            File.WriteAllBytes(folder + "/fill", new byte[8192]);
            for (int i = 0; i < 100; i++) { active.Tell("-B"); }
            var load = new LoadTool(lab);
            load.Inject(1, Flows);
            AwaitEqual(load, backup, Flows);
            File.Delete(folder + "/fill");
            active.Tell("-n");
            Assert.EndsWith("resync requested\n", File.ReadAllText(folder + "/log"));
            active.Kill();
        }
        finally
        {
            Shell.Run("umount", "-l", folder);
        }
    }

    [LoadTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void Ten_seconds_of_standstill_are_made_up_for(int firewall)
    {
        using var pair = new Pair(Pairs.OursOurs, "udp");
        DaemonProcess frozen = firewall == 1 ? pair.Active : pair.Backup;
        pair.Load.Inject(1, Flows);
        pair.AwaitReplicated(SettleSeconds, Flows);
        frozen.Freeze();
        pair.Load.Inject(1, Flows, Flows);
        pair.Load.Delete(1, Flows / 2);
        Thread.Sleep(10_000);
        frozen.Thaw();
        pair.AwaitReplicated(SettleSeconds, Flows + (Flows / 2));
    }

    [LoadFact]
    public void Killed_at_any_moment_under_load_and_started_again_the_tables_are_equal()
    {
        // More with "./build.sh kill COUNT". What a restarted peer does not have is kept for 30 s,
        // so that a firewall that comes up empty takes nothing away.
        const string CountVariable = "CONNTRACKD_KILLS";
        const double SweepSeconds = 30;
        string? wanted = Environment.GetEnvironmentVariable(CountVariable);
        int kills = wanted is null ? 5 : int.Parse(wanted, CultureInfo.InvariantCulture);
        var equalAfter = new List<double>();
        var random = new Random(kills);
        using var pair = new Pair(Pairs.OursOurs, "udp");
        pair.Load.Inject(1, Flows);
        for (int i = 0; i < kills; i++)
        {
            DaemonProcess victim = random.Next(2) == 0 ? pair.Active : pair.Backup;
            Task churn = Task.Run(() => pair.Load.Churn(1, 6000, 100_000 * (i + 1), 10_000));
            Thread.Sleep(random.Next(600));
            victim.Kill();
            victim.Start();
            churn.Wait();
            equalAfter.Add(pair.AwaitReplicated(SettleSeconds + SweepSeconds, Flows));
        }
        equalAfter.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: {kills} kills under load, tables equal after each, {equalAfter[0]:F1} to "
            + $"{equalAfter[^1]:F1} s after the load, median {equalAfter[kills / 2]:F1} s"));
    }

    private static DaemonProcess Traced(Lab lab, int firewall, string fault) =>
        new DaemonProcess(lab, firewall, Requirements.Binary, s_unfiltered)
        {
            Wrapper = ["strace", "-D", "-f", "-qq", "-o", lab.PathOf($"trace{firewall}"),
                "-e", "trace=" + fault["inject=".Length..fault.IndexOf(':')], "-e", fault],
        }.Start();

    // Whatever is asked is answered, or the client hears that it is not.
    private static void Exercise(DaemonProcess daemon)
    {
        string[] words = ["-s", "-i", "-e", "-R", "-B", "-n", "--reload"];
        foreach (string word in words) { Assert.InRange(daemon.Ask(word).ExitCode, 0, 1); }
        Assert.True(daemon.IsRunning, daemon.Log);
    }

    private static void AwaitEqual(LoadTool load, DaemonProcess backup, int flows) => Wait.Until(
        $"the peer has {flows} flows", SettleSeconds,
        () =>
        {
            try
            {
                TableDifference difference = load.KernelAgainstListing(backup, "-e");
                return difference.IsNone && difference.Same == flows;
            }
            catch (InvalidOperationException)
            {
                // The failing call met this client: it was told, and asks again.
                return false;
            }
        });

    private static string? Missing() => Requirements.MissingForLoad()
        ?? (Shell.Has("strace") ? null : "integration: no program strace, no failing calls");

    private sealed class FaultTheoryAttribute : TheoryAttribute
    {
        public FaultTheoryAttribute() => Skip = Missing();
    }

    private sealed class FaultFactAttribute : FactAttribute
    {
        public FaultFactAttribute() => Skip = Missing();
    }
}
