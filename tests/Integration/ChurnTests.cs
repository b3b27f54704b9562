using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Flows that come and go all the time over a link that loses, and daemons that end and start.
/// "./build.sh soak MINUTES [EVERY]" does the same for longer, by CONNTRACKD_SOAK_MINUTES, with a
/// restart every so many minutes (CONNTRACKD_SOAK_EVERY, 1), or none: 0.
/// </summary>
/// <remarks>
/// The short one restarts fw2 only: what ended at fw1 while its daemon was not there goes from fw2
/// half a minute later, which is too long for every test run.
/// </remarks>
public sealed class ChurnTests(ITestOutputHelper output)
{
    private const int Flows = 10_000, Rate = 5_000, LossPercent = 1;
    private const int FirstChurned = 1_000_000, ChurnedAtOnce = 2 * Rate, ChurnedMax = 20_000_000;
    private const double ShortSeconds = 12, ShortStep = 3, LongStep = 60;
    private const double EqualSeconds = 10, EqualAfterRestartOfActive = 45;

    // Young processes grow into their buffers; between long-lived ones this is the margin.
    private const double PssGrowthMax = 1.25;

    [LoadFact]
    public void Churn_loss_and_restarts_leave_equal_tables_and_flat_memory()
    {
        string? minutes = Environment.GetEnvironmentVariable("CONNTRACKD_SOAK_MINUTES");
        double seconds = minutes is null
            ? ShortSeconds : 60 * double.Parse(minutes, CultureInfo.InvariantCulture);
        double step = minutes is null ? ShortStep : LongStep;
        int every = int.Parse(
            Environment.GetEnvironmentVariable("CONNTRACKD_SOAK_EVERY") ?? "1",
            CultureInfo.InvariantCulture);
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Lab.LoseDatagrams(LossPercent);
        nodes.Load.Inject(1, Flows);

        using var stop = new CancellationTokenSource();
        long churned = 0;
        var churn = new Thread(() => churned = Churn(nodes.Load, stop.Token));
        churn.Start();
        List<long>[] pss = [[], []];
        long start = Stopwatch.GetTimestamp();
        int restarts = 0;
        for (int steps = 1; Stopwatch.GetElapsedTime(start).TotalSeconds + step <= seconds; steps++)
        {
            Thread.Sleep(TimeSpan.FromSeconds(step));
            Sample(nodes, pss);
            if (every == 0 || steps % every != 0) { continue; }
            bool active = minutes is not null && restarts % 2 == 1;
            Restart(active ? nodes.Active : nodes.Backup, killed: restarts % 4 < 2);
            restarts++;
        }
        stop.Cancel();
        churn.Join();
        double equal = nodes.AwaitReplicated(
            minutes is null ? EqualSeconds : EqualAfterRestartOfActive, Flows);
        Sample(nodes, pss);
        Assert.True(nodes.Load.KernelAgainstListing(nodes.Active, "-i").IsNone);
        Report(seconds, churned, restarts, equal, pss);
        Assert.True(churned > Rate * seconds / 2, $"only {churned} flows in {seconds} s");
        AssertFlat(pss[0]);
        AssertFlat(pss[1]);
    }

    private static long Churn(LoadTool load, CancellationToken stop)
    {
        long count = 0;
        while (!stop.IsCancellationRequested)
        {
            load.Churn(1, ChurnedAtOnce, FirstChurned + (int)(count % ChurnedMax), Rate);
            count += ChurnedAtOnce;
        }
        return count;
    }

    private static void Restart(DaemonProcess daemon, bool killed)
    {
        if (killed) { daemon.Kill(); }
        else { Assert.Equal(0, daemon.Stop()); }
        daemon.Start();
    }

    private static void Sample(Pair nodes, List<long>[] pss)
    {
        pss[0].Add(PssKilobytes(nodes.Active));
        pss[1].Add(PssKilobytes(nodes.Backup));
    }

    private static long PssKilobytes(DaemonProcess daemon) => long.Parse(
        Regex.Match(File.ReadAllText($"/proc/{daemon.ProcessId}/smaps_rollup"), @"Pss: +(\d+)")
            .Groups[1].Value, CultureInfo.InvariantCulture);

    // The first sample is of a young process.
    private static void AssertFlat(List<long> pss)
    {
        long reference = pss.Take(Math.Max(2, pss.Count / 2)).Max();
        Assert.True(pss[^1] <= reference * PssGrowthMax, string.Join(' ', pss));
    }

    private void Report(
        double seconds, long churned, int restarts, double equal, List<long>[] pss)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: churn of {seconds:F0} s, {churned} flows, {LossPercent} % loss, "
            + $"{restarts} restarts: equal {equal:F2} s after"));
        for (int node = 0; node < 2; node++)
        {
            output.WriteLine($"measured: churn, PSS of fw{node + 1} in kB, each time and at the "
                + $"end: {string.Join(' ', pss[node])}");
        }
    }
}
