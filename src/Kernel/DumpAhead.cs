using System.Threading;
using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>
/// Receives the parts of a running dump on a thread of its own: the kernel makes a part while who
/// asked for it receives, and meanwhile the one before is decoded and its flows are stored.
/// </summary>
/// <remarks><code>
/// parts      | received | received | being received |   free   |     a ring
///                ^ taken here         ^ the thread
/// </code>The thread ends at the part that ends the dump, or when this is disposed of.</remarks>
internal sealed class DumpAhead : IDisposable
{
    private const int Slots = 4;
    private const int StackBytes = 131_072;
    private const int StopCheckMilliseconds = 100;

    private readonly NativeBuffer[] _buffers = new NativeBuffer[Slots];
    private readonly DumpPart[] _parts = new DumpPart[Slots];
    private readonly Progress _received = new(), _taken = new();
    private readonly int _fd;
    private readonly uint _sequence;
    private Thread? _thread;
    private volatile bool _stop;

    private DumpAhead(int fd, uint sequence)
    {
        _fd = fd;
        _sequence = sequence;
        for (int i = 0; i < Slots; i++) { _buffers[i] = new NativeBuffer(DumpPart.BytesMax); }
    }

    /// <summary>Null if the system has no room for another thread.</summary>
    /// <param name="fd">Of the socket; nobody else receives from it meanwhile.</param>
    /// <param name="sequence">Of the request that the dump answers.</param>
    internal static DumpAhead? TryStart(int fd, uint sequence)
    {
        var ahead = new DumpAhead(fd, sequence);
        ahead._thread = SideThread.TryStart("dump-ahead", StackBytes, ahead.Run);
        if (ahead._thread is not null) { return ahead; }
        ahead.Free();
        return null;
    }

    /// <summary>
    /// Waits for the next part. Its bytes are valid until the next call, which must not follow the
    /// part that ends the dump.
    /// </summary>
    internal DumpPart Next(out ReadOnlySpan<byte> bytes)
    {
        uint at = _taken.Count;
        _received.WaitBeyond(at);
        ref readonly DumpPart part = ref _parts[at % Slots];
        bytes = _buffers[at % Slots].Span[..part.Bytes];
        return part;
    }

    /// <summary>Gives the place of the part that <see cref="Next"/> returned back.</summary>
    internal void Release() => _taken.Advance();

    public void Dispose()
    {
        _stop = true;
        _taken.Advance();
        _thread!.Join();
        Free();
    }

    private void Run()
    {
        while (!_stop)
        {
            uint at = _received.Count;
            if (at - _taken.Count == Slots)
            {
                _taken.WaitBeyond(at - Slots);
                continue;
            }
            Span<byte> buffer = _buffers[at % Slots].Span;
            DumpPart part = DumpPart.Receive(_fd, buffer);
            if (part.Error == Errno.Eagain)
            {
                if (TryWait()) { continue; }
                part = part with { Error = Errno.Etimedout };
            }
            _parts[at % Slots] = part;
            _received.Advance();
            bool last = part.Error == Errno.Etimedout ||
                DumpIntake.HasEnd(buffer[..part.Bytes], _sequence);
            if (last) { return; }
        }
    }

    // The kernel answers at once; this only keeps a broken one from stopping us.
    private bool TryWait()
    {
        for (int waited = 0; waited < DumpPart.TimeoutMilliseconds; waited += StopCheckMilliseconds)
        {
            if (_stop) { return true; }
            Errno error = Libc.WaitReadable(_fd, StopCheckMilliseconds);
            if (error != Errno.Etimedout) { return true; }
        }
        return false;
    }

    private void Free()
    {
        foreach (NativeBuffer buffer in _buffers) { buffer.Dispose(); }
        _received.Dispose();
        _taken.Dispose();
    }
}
