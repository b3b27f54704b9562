using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>A dedicated link over UDP, to one peer or to a multicast group.</summary>
/// <remarks>
/// This room moves datagrams and watches links; it reads nothing in them. Two sockets as in the
/// original: one listens on the configured port, the other sends from an ephemeral port, by which
/// peers know this incarnation. Law of the place: sending and receiving allocate nothing and never
/// block. A full socket buffer keeps the datagrams staged and in order; <see cref="Reserve"/> then
/// gives no room when all slots are taken, and the caller waits for
/// <see cref="SendDescriptor"/> to become writable. Source: shared spec wire, section 12.
/// </remarks>
internal sealed class DatagramChannel : LinkChannel
{
    /// <summary>A bulk run fills them; 64 datagrams of 1471 bytes are 94 kB.</summary>
    private const int SendSlots = 64;

    private const int ReceiveSlots = 32;

    /// <summary>More than a datagram of a 9000-byte link; pages are touched when needed.</summary>
    private const int ReceiveSlotBytes = 16 * 1024;

    /// <summary>Every message fits, whatever the MTU; the IP layer splits what it must.</summary>
    private const int PayloadMin = 512;

    /// <summary>
    /// Jumbo frames: a larger MTU may come, or datagrams of a link that had one. Even if the MTU is
    /// tiny, one whole message fits (the IP layer then splits it).
    /// </summary>
    private const int SendSlotBytesMin = 9216;

    private const int DatagramsPerTurn = 64;

    private readonly ChannelOptions _options;
    private readonly int _receiver;
    private readonly int _sender;
    private readonly bool _onlyPeer;
    private readonly ReceiveBatch _received = new(ReceiveSlots, ReceiveSlotBytes);
    private readonly SendBatch _staged;
    private readonly int _slotBytes;
    private EventLoop? _loop;
    private int _payloadMax;

    internal DatagramChannel(
        ChannelOptions options, NetworkInterface link, int receiver, int sender,
        ReadOnlySpan<byte> target, ChannelCounters counters)
        : base(counters)
    {
        _options = options;
        _receiver = receiver;
        _sender = sender;
        _onlyPeer = options.Kind == ChannelKind.Unicast && !options.AnySource;
        _payloadMax = PayloadFor(link.Mtu, options.Family);
        _slotBytes = Math.Max(_payloadMax, SendSlotBytesMin);
        _staged = new SendBatch(SendSlots, _slotBytes, target)
        {
            // Cutting datagrams apart needs their checksums, and Linux 4.18.
            JoinsEqual = options.Checksum
                && Libc.SetOption(sender, SocketOption.UdpSegment, 0) == Errno.None,
        };
    }

    /// <summary>Readable when datagrams have come.</summary>
    internal int FileDescriptor => _receiver;

    /// <summary>Writable when a stalled <see cref="Flush"/> may go on.</summary>
    internal int SendDescriptor => _sender;

    /// <summary>
    /// What a datagram carries so that it is not split: MTU less 29 (IPv4) or 49 (IPv6). The odd
    /// one is the original's, whose buffer is never filled entirely.
    /// </summary>
    internal override int PayloadMax => _payloadMax;

    internal override bool LikesEqual => _staged.JoinsEqual;

    /// <summary>The port this channel sends from.</summary>
    internal ushort SourcePort
    {
        get
        {
            Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
            return Libc.GetName(_sender, name, out int bytes) == Errno.None && bytes > 0
                ? SocketAddress.ReadPort(name) : (ushort)0;
        }
    }

    /// <summary>Datagrams that are staged and have not left.</summary>
    internal override int StagedCount => _staged.Count;

    /// <summary>
    /// Room for the next datagram: <see cref="PayloadMax"/> bytes or more. Empty if all slots are
    /// taken: flush, and if that stalls, wait.
    /// </summary>
    internal override Span<byte> Reserve() => _staged.Reserve();

    /// <summary>Stages the first bytes of what <see cref="Reserve"/> gave.</summary>
    internal override void Commit(int bytes) => _staged.Commit(bytes);

    /// <summary>
    /// Sends what is staged. False if the socket's buffer is full: the rest stays staged. A
    /// datagram that cannot be sent for another reason is counted and dropped; the protocol repairs
    /// it.
    /// </summary>
    internal override bool Flush()
    {
        while (_staged.Count > 0)
        {
            Errno error = _staged.Send(_sender, out int sent, out long bytes);
            Counters.PacketsSent += (ulong)sent;
            Counters.BytesSent += (ulong)bytes;
            if (error == Errno.Eagain)
            {
                Counters.SendStalls++;
                return false;
            }
            if (error != Errno.None)
            {
                Counters.ErrorsSent++;
                _staged.DropFirst();
            }
        }
        return true;
    }

    /// <summary>Hands over at most so many datagrams; true if more may be waiting.</summary>
    internal bool Receive(IDatagramHandler handler, int datagramsMax)
    {
        int rest = datagramsMax;
        while (rest > 0)
        {
            Errno error = _received.Receive(_receiver, rest, out int count);
            if (error == Errno.Eagain) { return false; }
            if (error != Errno.None)
            {
                Counters.ErrorsReceived++;
                rest--;
                continue;
            }
            for (int i = 0; i < count; i++) { Take(handler, i); }
            if (count < Math.Min(rest, ReceiveSlots)) { return false; }
            rest -= count;
        }
        return true;
    }

    internal override void Unstage(Queue<byte[]> pieces)
    {
        for (; _staged.Count > 0; _staged.DropFirst()) { pieces.Enqueue([.. _staged.First]); }
    }

    internal override Errno Register(EventLoop loop, IDatagramHandler handler)
    {
        _loop = loop;
        return loop.Add(_receiver, EventMask.In, new Reader(this, handler));
    }

    internal override bool TryFollow(int mtu)
    {
        _payloadMax = Math.Min(PayloadFor(mtu, _options.Family), _slotBytes);
        return PayloadFor(mtu, _options.Family) <= _slotBytes;
    }

    public override void Dispose()
    {
        _loop?.Remove(_receiver);
        Libc.Close(_receiver);
        Libc.Close(_sender);
        _received.Dispose();
        _staged.Dispose();
    }

    /// <summary>MTU less the headers of IP and UDP, less one.</summary>
    private static int PayloadFor(int mtu, AddressFamily family)
    {
        const int Ipv4Headers = 28, Ipv6Headers = 48;
        int room = mtu - (family == AddressFamily.Ipv4 ? Ipv4Headers : Ipv6Headers) - 1;
        return Math.Clamp(room, PayloadMin, ReceiveSlotBytes - 1);
    }

    private void Take(IDatagramHandler handler, int index)
    {
        ReadOnlySpan<byte> datagram = _received.Datagram(index);
        Counters.PacketsReceived++;
        Counters.BytesReceived += (ulong)datagram.Length;
        if (_received.IsTruncated(index))
        {
            Counters.Truncated++;
            Counters.ErrorsReceived++;
            return;
        }
        ReadOnlySpan<byte> source = _received.Source(index);
        if (!LinkAddress.TryRead(source, out PeerAddress from)) { return; }
        if (_onlyPeer && from.Address != _options.Target)
        {
            Counters.Foreign++;
            handler.OnForeign(in from);
            return;
        }
        if (datagram.IsEmpty) { return; }
        handler.OnDatagram(from, datagram);
    }

    /// <summary>Receives when there is something.</summary>
    private sealed class Reader(DatagramChannel owner, IDatagramHandler handler) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask) => owner.Receive(handler, DatagramsPerTurn);
    }
}
