using System.Collections.Generic;
using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>The writing end of a TCP link: connects, and connects again.</summary>
/// <remarks><code>
/// stage:  | free | sent of a message | not sent | free |
///                 start               sent       end      start is where a message begins
///
/// closed --attempt, one a second--> connecting --> connected --error, end of the peer--> closed
///   ^---- refused, or no answer in 3 s ----'
/// </code>While the socket takes nothing, <see cref="Reserve"/> gives no room: what changes waits
/// in the engine, as flows and not as bytes, each once and in its latest state. That is why
/// ErrorQueueLength, the number of buffers that the original keeps for a peer that is away, has
/// nothing to limit here. It ends after <see cref="HoldMax"/> without a connection: from then on
/// messages are dropped and counted as errors, else the flows that ended would pile up, and
/// <see cref="IDatagramHandler.OnConnected"/> says that some were lost. A message that was sent in
/// part when its connection broke is sent whole on the next one.</remarks>
internal sealed class StreamSender(
    ChannelOptions options, int interfaceIndex, ChannelCounters counters)
    : IReadyHandler, IDisposable
{
    /// <summary>Where the connection stands; drawn above.</summary>
    private enum Phase : byte { Closed, Connecting, Connected }

    /// <summary>Most that one piece holds; a quarter of what one turn stages.</summary>
    internal const int ChunkBytes = 16 * 1024;

    private const int StageBytes = 4 * ChunkBytes;
    private const long Second = 1_000_000;

    // As the original: no more than one attempt a second.
    private const long AttemptInterval = Second;
    private const long AttemptMax = 3 * Second;

    /// <summary>How long messages are held for a peer that is away, in microseconds.</summary>
    internal const long HoldMax = 10 * Second;

    // What the peer has not acknowledged for so long breaks the connection: a pulled cable gives no
    // sign, and the retransmissions of TCP would find a new one too late.
    private const int UnacknowledgedMaxMilliseconds = 10_000;

    private readonly byte[] _stage = new byte[StageBytes];
    private EventLoop _loop = null!;
    private IDatagramHandler _handler = null!;
    private Phase _phase;
    private int _fd = -1;
    private int _start, _sent, _end;
    private bool _stalled;
    private bool _lostSome;
    private long _attemptAt;        // the next attempt, or the end of this one
    private long _attemptedAt;
    private long _holdUntil;

    internal bool IsConnected => _phase == Phase.Connected;

    internal int StagedBytes => _end - _sent;

    internal long NextDeadline => IsConnected ? long.MaxValue : _attemptAt;

    internal void Register(EventLoop loop, IDatagramHandler handler)
    {
        _loop = loop;
        _handler = handler;
        _holdUntil = Clock.MonotonicMicroseconds() + HoldMax;
        Attempt(Clock.MonotonicMicroseconds());
    }

    internal Span<byte> Reserve()
    {
        if (_stalled || (!IsConnected && IsHolding)) { return []; }
        if (_start > 0 && StageBytes - _end < ChunkBytes) { Compact(); }
        return StageBytes - _end < ChunkBytes ? [] : _stage.AsSpan(_end, ChunkBytes);
    }

    internal void Commit(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)ChunkBytes);
        _end += bytes;
    }

    internal bool Flush()
    {
        if (!IsConnected) { return !IsHolding && Drop(); }
        while (_sent < _end)
        {
            if (_stalled) { return false; }
            Errno error = Libc.Send(_fd, _stage.AsSpan(_sent, _end - _sent), out int count);
            if (error == Errno.Eagain)
            {
                counters.SendStalls++;
                _start += WholeBefore(_sent);
                Stall(true);
                return false;
            }
            if (error != Errno.None)
            {
                counters.ErrorsSent++;
                Break(error);
                return false;
            }
            counters.PacketsSent++;
            counters.BytesSent += (ulong)count;
            _sent += count;
        }
        _start = _sent = _end = 0;
        return !_stalled;
    }

    /// <summary>A message begun on a living connection stays, to be finished there.</summary>
    internal void Unstage(Queue<byte[]> pieces)
    {
        ReadOnlySpan<byte> staged = _stage.AsSpan(_start, _end - _start);
        int from = SyncStreamReader.BoundaryFrom(staged, _sent - _start);
        for (int at = from; at < staged.Length;)
        {
            ReadOnlySpan<byte> rest = staged[at..];
            int cut = rest.Length;
            if (cut > ChunkBytes / 2)
            {
                // No message is half as long as a piece.
                cut = SyncStreamReader.BoundaryFrom(rest, ChunkBytes / 2);
            }
            pieces.Enqueue(rest[..cut].ToArray());
            at += cut;
        }
        _end = _start + from;
    }

    internal void OnDeadline()
    {
        long now = Clock.MonotonicMicroseconds();
        if (IsConnected || now < _attemptAt) { return; }
        if (_phase == Phase.Connecting) { Close(); }
        Attempt(now);
    }

    public void OnReady(int fd, EventMask mask)
    {
        const EventMask Ended = EventMask.Error | EventMask.HangUp | EventMask.ReadHangUp;
        if (_phase == Phase.Connecting)
        {
            Errno error = Libc.GetOption(fd, SocketOption.Error, out int pending);
            error = error == Errno.None ? (Errno)pending : error;
            if (error == Errno.None) { Connected(); }
            else { Close(); }
        }
        else if ((mask & Ended) != 0)
        {
            Errno error = Libc.GetOption(fd, SocketOption.Error, out int pending);
            Break(error == Errno.None ? (Errno)pending : error);
        }
        else if (_stalled) { Stall(false); }
    }

    public void Dispose() => Close();

    private bool IsHolding => Clock.MonotonicMicroseconds() < _holdUntil;

    // Nobody will hear it.
    private bool Drop()
    {
        if (_end > _start)
        {
            counters.ErrorsSent++;
            _lostSome = true;
        }
        _start = _sent = _end = 0;
        return true;
    }

    private void Attempt(long now)
    {
        _attemptedAt = now;
        _attemptAt = now + AttemptInterval;
        Errno error = Open(out _fd);
        if (error is not (Errno.None or Errno.Einprogress))
        {
            Close();
            return;
        }
        _phase = Phase.Connecting;
        if (_loop.Add(_fd, EventMask.Out, this) != Errno.None) { Close(); }
        else if (error == Errno.None) { Connected(); }
        else { _attemptAt = now + AttemptMax; }
    }

    private Errno Open(out int fd)
    {
        Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
        Errno error = Libc.Socket(
            (int)options.Family, Libc.SocketStream | Libc.SocketNonBlocking, 0, out fd);
        if (error != Errno.None) { return error; }
        // What is written is a whole turn's; to wait for more would only delay the answers.
        error = Libc.SetOption(fd, SocketOption.TcpNoDelay, 1);
        if (error == Errno.None) { error = StreamChannel.SetKeepAlive(fd); }
        if (error == Errno.None)
        {
            error = Libc.SetOption(
                fd, SocketOption.TcpUserTimeout, UnacknowledgedMaxMilliseconds);
        }
        if (error == Errno.None)
        {
            error = ChannelOpener.SetSendBuffer(fd, options, counters);
        }
        if (error == Errno.None && options.Local != default)
        {
            // The peer knows us by the address we are configured with.
            int size = LinkAddress.Write(name, options.Family, options.Local, 0, interfaceIndex);
            error = Libc.Bind(fd, name[..size]);
        }
        if (error != Errno.None) { return error; }
        int bytes = LinkAddress.Write(
            name, options.Family, options.Target, options.Port, interfaceIndex);
        return Libc.Connect(fd, name[..bytes]);
    }

    private void Connected()
    {
        _phase = Phase.Connected;
        Stall(false);
        bool lostSome = _lostSome;
        _lostSome = false;
        _handler.OnConnected(lostSome);
    }

    private void Break(Errno error)
    {
        Close();
        // What the socket had taken is lost with it.
        _lostSome = true;
        _holdUntil = Clock.MonotonicMicroseconds() + HoldMax;
        _handler.OnDisconnected(error);
    }

    private void Close()
    {
        if (_fd >= 0)
        {
            _loop?.Remove(_fd);
            Libc.Close(_fd);
        }
        _fd = -1;
        _phase = Phase.Closed;
        _stalled = false;
        _attemptAt = _attemptedAt + AttemptInterval;
        _start += WholeBefore(_sent);
        _sent = _start;
    }

    // An error of Watch shows as an error of the next send.
    private void Stall(bool stalled)
    {
        _stalled = stalled;
        EventMask mask = EventMask.ReadHangUp | (stalled ? EventMask.Out : EventMask.None);
        _ = _loop.Watch(_fd, mask);
    }

    // Bytes of the messages that were sent to their end.
    private int WholeBefore(int position)
    {
        ReadOnlySpan<byte> staged = _stage.AsSpan(_start, _end - _start);
        int whole = 0;
        int next = SyncStreamReader.BoundaryFrom(staged, 1);
        while (next > whole && next <= position - _start)
        {
            whole = next;
            next = whole + SyncStreamReader.BoundaryFrom(staged[whole..], 1);
        }
        return whole;
    }

    private void Compact()
    {
        _stage.AsSpan(_start, _end - _start).CopyTo(_stage);
        _sent -= _start;
        _end -= _start;
        _start = 0;
    }
}
