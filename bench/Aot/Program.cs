using System.Diagnostics;
using System.Globalization;
using Conntrackd.Bench.Loops;

namespace Conntrackd.Bench.Aot;

/// <summary>
/// Runs every loop as the shipped program runs it, natively compiled with the same options, and
/// prints a line for each: name, tab, nanoseconds per operation, tab, bytes per 1000 operations.
/// </summary>
internal static class Program
{
    private const int Rounds = 50, QuickRounds = 10;
    private const double RoundSeconds = 0.01;

    private static int Main(string[] arguments)
    {
        int rounds = Array.IndexOf(arguments, "--quick") >= 0 ? QuickRounds : Rounds;
        foreach (HotLoop loop in HotLoops.All())
        {
            using (loop)
            {
                loop.Prepare();
                Measure(loop, rounds, out double nanoseconds, out long bytes);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{loop.Name}\t{nanoseconds:F1}\t{bytes}"));
            }
        }
        return 0;
    }

    // The best of the rounds: what others do on the machine can only make one longer.
    private static void Measure(HotLoop loop, int rounds, out double nanoseconds, out long bytes)
    {
        int runs = 1;
        while (Time(loop, runs) < RoundSeconds) { runs *= 2; }
        double best = double.MaxValue;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < rounds; i++) { best = Math.Min(best, Time(loop, runs)); }
        bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / rounds / runs;
        nanoseconds = best / runs / HotLoop.Operations * 1e9;
    }

    private static double Time(HotLoop loop, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        long sum = 0;
        for (int i = 0; i < runs; i++) { sum += loop.Run(); }
        // Never true; the sum must be seen to be used.
        if (sum == long.MinValue) { Console.Error.WriteLine(sum); }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
