using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>A dedicated link over TCP: two connections, each used one way.</summary>
/// <remarks><code>
///   StreamSender   connects to the peer's port, only writes
///   StreamReceiver listens on the same port here, only reads from the connection it took last
/// </code>So both ends dial, and each direction breaks and returns on its own. A connection that
/// returns has another source port, and the peer's numbers go on: what went down with the one
/// before is missing in them and asked for. Source: shared spec wire, sections 1.3 and 12.3.
/// </remarks>
internal sealed class StreamChannel : LinkChannel
{
    private readonly StreamSender _sender;
    private readonly StreamReceiver _receiver;

    private StreamChannel(StreamSender sender, StreamReceiver receiver, ChannelCounters counters)
        : base(counters)
    {
        _sender = sender;
        _receiver = receiver;
    }

    /// <summary>Far from any MTU: the kernel cuts a stream better than we could.</summary>
    internal override int PayloadMax => StreamSender.ChunkBytes;

    internal override int StagedCount => _sender.StagedBytes;

    internal override bool IsServerConnected => _receiver.IsConnected;

    internal override bool IsClientConnected => _sender.IsConnected;

    internal override bool WakesWhenWritable => true;

    internal override long NextDeadline => _sender.NextDeadline;

    /// <summary>
    /// Listens; connecting begins with <see cref="Register"/>. A peer that cannot be reached is no
    /// error. <paramref name="failedAt"/> says what was refused, in words for a log.
    /// </summary>
    internal static Errno TryOpen(
        ChannelOptions options, ReceiveCounters received, ChannelCounters counters,
        out StreamChannel? channel, out string failedAt)
    {
        channel = null;
        failedAt = $"interface '{options.Interface}'";
        Errno error = NetworkInterface.TryFind(options.Interface, out NetworkInterface link);
        if (error != Errno.None) { return error; }
        error = Listen(options, link, counters, out int fd, out failedAt);
        if (error != Errno.None) { return error; }
        channel = new StreamChannel(
            new StreamSender(options, link.Index, counters),
            new StreamReceiver(options, fd, received, counters), counters);
        return Errno.None;
    }

    internal override Span<byte> Reserve() => _sender.Reserve();

    internal override void Commit(int bytes) => _sender.Commit(bytes);

    internal override bool Flush() => _sender.Flush();

    internal override void Unstage(Queue<byte[]> pieces) => _sender.Unstage(pieces);

    internal override Errno Register(EventLoop loop, IDatagramHandler handler)
    {
        Errno error = _receiver.Register(loop, handler);
        if (error == Errno.None) { _sender.Register(loop, handler); }
        return error;
    }

    internal override bool TryFollow(int mtu) => true;

    internal override void OnDeadline() => _sender.OnDeadline();

    public override void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    private static Errno Listen(
        ChannelOptions options, NetworkInterface link, ChannelCounters counters, out int fd,
        out string failedAt)
    {
        // One is the peer, the rest strangers and its predecessors.
        const int Backlog = 8;
        Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
        int bytes = LinkAddress.Write(
            name, options.Family, options.Local, options.Port, link.Index);
        failedAt = "listening socket";
        Errno error = Libc.Socket(
            (int)options.Family, Libc.SocketStream | Libc.SocketNonBlocking, 0, out fd);
        if (error != Errno.None) { return error; }
        error = Libc.SetOption(fd, SocketOption.ReuseAddress, 1);
        if (error == Errno.None && options.Family == AddressFamily.Ipv6)
        {
            error = Libc.SetOption(fd, SocketOption.Ipv6Only, 1);
        }
        if (error == Errno.None)
        {
            // Inherited by the connections taken: a peer that vanished without a word is noticed.
            failedAt = "listening socket, keep-alive";
            error = SetKeepAlive(fd);
        }
        if (error == Errno.None)
        {
            failedAt = "listening socket, RcvSocketBuffer";
            error = ChannelOpener.SetReceiveBuffer(fd, options, counters);
        }
        if (error == Errno.None)
        {
            failedAt = $"listening socket, bind to port {options.Port}";
            error = Libc.Bind(fd, name[..bytes]);
        }
        if (error == Errno.None) { error = Libc.Listen(fd, Backlog); }
        if (error != Errno.None) { Libc.Close(fd); }
        return error;
    }

    /// <summary>Probes after 5 s without a word, gives the peer up 10 s later.</summary>
    internal static Errno SetKeepAlive(int fd)
    {
        const int IdleSeconds = 5, IntervalSeconds = 5, Probes = 2;
        Errno error = Libc.SetOption(fd, SocketOption.KeepAlive, 1);
        if (error == Errno.None)
        {
            error = Libc.SetOption(fd, SocketOption.TcpKeepAliveIdle, IdleSeconds);
        }
        if (error == Errno.None)
        {
            error = Libc.SetOption(fd, SocketOption.TcpKeepAliveInterval, IntervalSeconds);
        }
        return error == Errno.None
            ? Libc.SetOption(fd, SocketOption.TcpKeepAliveProbes, Probes) : error;
    }
}
