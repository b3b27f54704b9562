using System.Threading;
using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>
/// Has batches executed on a thread of its own, in order, while the next ones are made: four fifths
/// of the time of a commit are the kernel's.
/// </summary>
/// <remarks><code>
/// Give -> | waits | being executed |  -> Await
/// </code>Two are enough to keep the kernel busy.</remarks>
internal sealed class WriteBehind : IDisposable
{
    /// <summary>Most batches between <see cref="Give"/> and <see cref="Await"/>.</summary>
    internal const int BatchesMax = 2;

    private const int StackBytes = 131_072;

    private readonly RequestBatch?[] _batches = new RequestBatch?[BatchesMax];
    private readonly Progress _given = new(), _executed = new();
    private readonly Action<RequestBatch> _execute;
    private Thread? _thread;
    private uint _awaited;

    private WriteBehind(Action<RequestBatch> execute) => _execute = execute;

    /// <summary>Batches given and not yet awaited.</summary>
    internal int InFlight => (int)(_given.Count - _awaited);

    /// <summary>Null if the system has no room for another thread.</summary>
    /// <param name="execute">Called on that thread for each batch.</param>
    internal static WriteBehind? TryStart(Action<RequestBatch> execute)
    {
        var behind = new WriteBehind(execute);
        behind._thread = SideThread.TryStart("write-behind", StackBytes, behind.Run);
        if (behind._thread is not null) { return behind; }
        behind.Free();
        return null;
    }

    /// <summary>
    /// Has the batch executed; less than <see cref="BatchesMax"/> are in flight.
    /// </summary>
    internal void Give(RequestBatch batch)
    {
        _batches[_given.Count % BatchesMax] = batch;
        _given.Advance();
    }

    /// <summary>Waits until the oldest batch in flight is executed.</summary>
    internal RequestBatch Await()
    {
        _executed.WaitBeyond(_awaited);
        return _batches[_awaited++ % BatchesMax]!;
    }

    /// <summary>All that was given has been awaited.</summary>
    public void Dispose()
    {
        _batches[_given.Count % BatchesMax] = null;
        _given.Advance();
        _thread!.Join();
        Free();
    }

    private void Run()
    {
        while (true)
        {
            uint at = _executed.Count;
            _given.WaitBeyond(at);
            if (_batches[at % BatchesMax] is not RequestBatch batch) { return; }
            _execute(batch);
            _executed.Advance();
        }
    }

    private void Free()
    {
        _given.Dispose();
        _executed.Dispose();
    }
}
