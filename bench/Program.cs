using System.Globalization;
using System.IO;
using System.Linq;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace Conntrackd.Bench;

/// <summary>
/// Measures the loops with BenchmarkDotNet, in this process. With --lines only the results are
/// printed, a line for each loop: name, tab, nanoseconds per operation, tab, bytes per operation.
/// Other arguments are BenchmarkDotNet's own.
/// </summary>
internal static class Program
{
    private const int Milliseconds = 250, QuickMilliseconds = 30;

    private static int Main(string[] arguments)
    {
        if (arguments is not ["--lines", ..])
        {
            BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
            return 0;
        }
        bool quick = Array.IndexOf(arguments, "--quick") >= 0;
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(NullLogger.Instance)
            .AddJob(Job.ShortRun
                .WithIterationTime(
                    TimeInterval.FromMilliseconds(quick ? QuickMilliseconds : Milliseconds))
                .WithToolchain(InProcessEmitToolchain.Instance))
            .WithArtifactsPath(Directory.CreateTempSubdirectory("conntrackd-bench.").FullName);
        Summary summary = BenchmarkRunner.Run<LoopBench>(config);
        foreach (BenchmarkReport report in summary.Reports
            .Where(report => report.ResultStatistics is not null))
        {
            long? bytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{report.BenchmarkCase.Parameters["Loop"]}\t"
                + $"{report.ResultStatistics!.Min:F1}\t{bytes}"));
        }
        Directory.Delete(config.ArtifactsPath, recursive: true);
        return summary.Reports.All(report => report.Success) ? 0 : 1;
    }
}
