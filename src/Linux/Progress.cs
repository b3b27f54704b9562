using System.Threading;

namespace Conntrackd.Linux;

/// <summary>How far one thread has come, for another one that waits for it.</summary>
/// <remarks>
/// One thread advances, one waits. A step takes some hundred microseconds, so that a spin of a few
/// may spare a sleep and a wake-up, some 25 us on a virtual machine.
/// </remarks>
internal sealed class Progress : IDisposable
{
    private const int Spins = 20;               // some microseconds; none on a single processor

    private readonly AutoResetEvent _moved = new(initialState: false);
    private uint _count;

    /// <summary>Steps so far; wraps.</summary>
    internal uint Count => Volatile.Read(ref _count);

    /// <summary>What was written before is seen by who has waited for this step.</summary>
    internal void Advance()
    {
        Volatile.Write(ref _count, _count + 1);
        _moved.Set();
    }

    /// <summary>Returns when the count is another than this one.</summary>
    internal void WaitBeyond(uint count)
    {
        var spin = new SpinWait();
        while (Count == count && spin.Count < Spins && !spin.NextSpinWillYield) { spin.SpinOnce(); }
        while (Count == count) { _moved.WaitOne(); }
    }

    public void Dispose() => _moved.Dispose();
}
