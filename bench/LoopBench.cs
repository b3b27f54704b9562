using System.Collections.Generic;
using System.Linq;
using BenchmarkDotNet.Attributes;
using Conntrackd.Bench.Loops;

namespace Conntrackd.Bench;

/// <summary>Every hot loop as a benchmark; results are per operation.</summary>
[MemoryDiagnoser(displayGenColumns: false)]
public class LoopBench
{
    private HotLoop? _loop;

    /// <summary>The name of the loop.</summary>
    [ParamsSource(nameof(Names))]
    public string Loop { get; set; } = "";

    public static IEnumerable<string> Names => HotLoops.All().Select(loop =>
    {
        using (loop) { return loop.Name; }
    });

    [GlobalSetup]
    public void Prepare()
    {
        foreach (HotLoop loop in HotLoops.All())
        {
            if (loop.Name == Loop) { _loop = loop; }
            else { loop.Dispose(); }
        }
        _loop!.Prepare();
    }

    [GlobalCleanup]
    public void Cleanup() => _loop?.Dispose();

    [Benchmark(OperationsPerInvoke = HotLoop.Operations)]
    public long Run() => _loop!.Run();
}
