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
internal sealed class DatagramChannel : IDisposable
{
    /// <summary>A bulk run fills them; 64 datagrams of 1471 bytes are 94 kB.</summary>
    private const int SendSlots = 64;

    private const int ReceiveSlots = 32;

    /// <summary>More than a datagram of a 9000-byte link; pages are touched when needed.</summary>
    private const int ReceiveSlotBytes = 16 * 1024;

    /// <summary>
    /// Even if the MTU is tiny, one whole message fits (the IP layer then splits it).
    /// </summary>
    private const int SendSlotBytesMin = 2048;

    private readonly ChannelOptions _options;
    private readonly int _receiver;
    private readonly int _sender;
    private readonly bool _onlyPeer;
    private readonly ReceiveBatch _received = new(ReceiveSlots, ReceiveSlotBytes);
    private readonly SendBatch _staged;

    internal DatagramChannel(
        ChannelOptions options, NetworkInterface link, int receiver, int sender,
        ReadOnlySpan<byte> target)
    {
        _options = options;
        _receiver = receiver;
        _sender = sender;
        _onlyPeer = options.Kind == ChannelKind.Unicast && !options.AnySource;
        InterfaceIndex = link.Index;
        PayloadMax = PayloadFor(link.Mtu, options.Family);
        _staged = new SendBatch(SendSlots, Math.Max(PayloadMax, SendSlotBytesMin), target);
    }

    /// <summary>Readable when datagrams have come.</summary>
    internal int FileDescriptor => _receiver;

    /// <summary>Writable when a stalled <see cref="Flush"/> may go on.</summary>
    internal int SendDescriptor => _sender;

    /// <summary>
    /// What a datagram carries so that it is not split: MTU less 29 (IPv4) or 49 (IPv6). The odd
    /// one is the original's, whose buffer is never filled entirely.
    /// </summary>
    internal int PayloadMax { get; }

    internal int InterfaceIndex { get; }

    internal string InterfaceName => _options.Interface;

    internal ChannelCounters Counters { get; } = new();

    /// <summary>Datagrams that are staged and have not left.</summary>
    internal int StagedCount => _staged.Count;

    /// <summary>
    /// Room for the next datagram: <see cref="PayloadMax"/> bytes or more. Empty if all slots are
    /// taken: flush, and if that stalls, wait.
    /// </summary>
    internal Span<byte> Reserve() => _staged.Reserve();

    /// <summary>Stages the first bytes of what <see cref="Reserve"/> gave.</summary>
    internal void Commit(int bytes) => _staged.Commit(bytes);

    /// <summary>
    /// Sends what is staged. False if the socket's buffer is full: the rest stays staged. A
    /// datagram that cannot be sent for another reason is counted and dropped; the protocol repairs
    /// it.
    /// </summary>
    internal bool Flush()
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

    public void Dispose()
    {
        Libc.Close(_receiver);
        Libc.Close(_sender);
        _received.Dispose();
        _staged.Dispose();
    }

    /// <summary>MTU less the headers of IP and UDP, less one.</summary>
    private static int PayloadFor(int mtu, AddressFamily family)
    {
        const int Ipv4Headers = 28, Ipv6Headers = 48;
        return Math.Max(mtu - (family == AddressFamily.Ipv4 ? Ipv4Headers : Ipv6Headers) - 1, 0);
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
        if (!TryReadPeer(source, out PeerAddress from)
            || (_onlyPeer && from.Address != _options.Target))
        {
            Counters.Foreign++;
            return;
        }
        if (datagram.IsEmpty) { return; }
        handler.OnDatagram(from, datagram);
    }

    private static bool TryReadPeer(ReadOnlySpan<byte> source, out PeerAddress peer)
    {
        switch (SocketAddress.ReadFamily(source))
        {
            case Libc.FamilyIpv4 when source.Length >= SocketAddress.Ipv4Size:
                peer = new PeerAddress(
                    AddressFamily.Ipv4, Address.ReadIpv4(SocketAddress.Ipv4Octets(source)),
                    SocketAddress.ReadPort(source));
                return true;
            case Libc.FamilyIpv6 when source.Length >= SocketAddress.Ipv6Size:
                peer = new PeerAddress(
                    AddressFamily.Ipv6, Address.ReadIpv6(SocketAddress.Ipv6Octets(source)),
                    SocketAddress.ReadPort(source));
                return true;
            default:
                peer = default;
                return false;
        }
    }
}
