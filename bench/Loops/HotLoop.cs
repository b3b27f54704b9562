namespace Conntrackd.Bench.Loops;

/// <summary>
/// One hot path of the daemon, run a fixed number of times. The same loops are measured by
/// BenchmarkDotNet (bench.csproj, just-in-time compiled) and by Aot/ (compiled as shipped).
/// </summary>
internal abstract class HotLoop : IDisposable
{
    /// <summary>How often <see cref="Run"/> does its work; results are per operation.</summary>
    internal const int Operations = 1000;

    /// <summary>What is measured; the line in the results bears it.</summary>
    internal abstract string Name { get; }

    /// <summary>Builds what <see cref="Run"/> needs. Once, not measured.</summary>
    internal virtual void Prepare() { }

    /// <summary>Does the work; the value keeps the compiler from leaving any of it out.</summary>
    internal abstract long Run();

    /// <summary>Gives native memory back.</summary>
    protected virtual void Release() { }

    public void Dispose() => Release();
}
