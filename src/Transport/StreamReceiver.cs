using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>The reading end of a TCP link: listens, and reads from one connection.</summary>
/// <remarks>
/// A connection from the configured peer replaces the one before, as in the original. Its bytes are
/// joined in a buffer that begins empty with each connection. A stream that cannot be a stream of
/// messages is closed and counted; the peer then connects anew.
/// </remarks>
internal sealed class StreamReceiver(
    ChannelOptions options, int listener, ReceiveCounters received, ChannelCounters counters)
    : IReadyHandler, IDisposable
{
    private const int AcceptsPerTurn = 8;

    /// <summary>A quarter of a megabyte a turn: some 2,600 messages.</summary>
    private const int ReadsPerTurn = 4;

    private readonly SyncStreamReader _reader = new();
    private EventLoop _loop = null!;
    private IDatagramHandler _handler = null!;
    private PeerAddress _from;
    private int _connection = -1;

    internal bool IsConnected => _connection >= 0;

    internal Errno Register(EventLoop loop, IDatagramHandler handler)
    {
        _loop = loop;
        _handler = handler;
        return loop.Add(listener, EventMask.In, this);
    }

    public void OnReady(int fd, EventMask mask)
    {
        if (fd == listener) { Accept(); }
        else { Read(); }
    }

    public void Dispose()
    {
        CloseConnection();
        _loop?.Remove(listener);
        Libc.Close(listener);
    }

    private void Accept()
    {
        Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            Errno error = Libc.Accept(listener, name, out int bytes, out int connection);
            if (error == Errno.Eagain) { return; }
            if (error != Errno.None)
            {
                counters.ErrorsReceived++;
                return;
            }
            if (LinkAddress.TryRead(name[..bytes], out PeerAddress from)
                && (options.AnySource || from.Address == options.Target))
            {
                Take(connection, in from);
                continue;
            }
            counters.Foreign++;
            Libc.Close(connection);
            _handler.OnForeign(in from);
        }
    }

    private void Take(int connection, in PeerAddress from)
    {
        CloseConnection();
        if (_loop.Add(connection, EventMask.In, this) != Errno.None)
        {
            counters.ErrorsReceived++;
            Libc.Close(connection);
            return;
        }
        _connection = connection;
        _from = from;
    }

    private void Read()
    {
        for (int i = 0; i < ReadsPerTurn && IsConnected; i++)
        {
            Span<byte> room = _reader.Room();
            Errno error = Libc.Receive(_connection, room, out int bytes);
            if (error == Errno.Eagain) { return; }
            if (error != Errno.None || bytes == 0)
            {
                // An end inside a message is an error, too.
                if (error != Errno.None || _reader.TailLength > 0) { counters.ErrorsReceived++; }
                CloseConnection();
                return;
            }
            counters.PacketsReceived++;
            counters.BytesReceived += (ulong)bytes;
            _reader.Commit(bytes);
            ReadOnlySpan<byte> whole = _reader.TakeWhole();
            if (!whole.IsEmpty) { _handler.OnDatagram(in _from, whole); }
            if (_reader.IsBroken)
            {
                received.BadSize++;
                CloseConnection();
            }
            if (bytes < room.Length) { return; }
        }
    }

    private void CloseConnection()
    {
        if (!IsConnected) { return; }
        _loop.Remove(_connection);
        Libc.Close(_connection);
        _connection = -1;
        _reader.Clear();
    }
}
