namespace Conntrackd.Netlink;

/// <summary>Walks the messages of one datagram received from a netlink socket.</summary>
/// <remarks>
/// This room is the framing of netlink: message headers, attributes, errors. Spans in, spans out;
/// it knows no socket and no conntrack. Read this file, then <see cref="AttributeReader"/>, then
/// <see cref="MessageWriter"/>. Headers are in host order.
/// <code>
/// bytes 0-3    length of the message with this header, without padding
/// bytes 4-5    type; nfnetlink: subsystem &lt;&lt; 8 | message
/// bytes 6-7    flags
/// bytes 8-11   sequence number of the request, 0 in events
/// bytes 12-15  port id of the requester, 0 in events that no request caused
/// </code>Every message starts at a multiple of four. Source: linux/netlink.h, struct nlmsghdr.
/// </remarks>
internal ref struct MessageReader
{
    internal const int HeaderSize = 16;
    internal const int LengthAt = 0, TypeAt = 4, FlagsAt = 6, SequenceAt = 8, PortIdAt = 12;

    private ReadOnlySpan<byte> _rest;

    internal MessageReader(ReadOnlySpan<byte> datagram) => _rest = datagram;

    /// <summary>True if the walk ended at a message whose length cannot be.</summary>
    internal bool Malformed { get; private set; }

    /// <summary>
    /// The next message; false at the end or where <see cref="Malformed"/> turns true. The payload
    /// is a part of the datagram.
    /// </summary>
    internal bool TryNext(out NetlinkMessage message)
    {
        ReadOnlySpan<byte> rest = _rest;
        message = default;
        if (rest.IsEmpty) { return false; }
        if (rest.Length < HeaderSize) { return Refuse(); }
        uint length = BitConverter.ToUInt32(rest);
        if (length < HeaderSize || length > (uint)rest.Length) { return Refuse(); }
        message = new NetlinkMessage(
            BitConverter.ToUInt16(rest[TypeAt..]),
            (NetlinkFlags)BitConverter.ToUInt16(rest[FlagsAt..]),
            BitConverter.ToUInt32(rest[SequenceAt..]),
            BitConverter.ToUInt32(rest[PortIdAt..]),
            rest[HeaderSize..(int)length]);
        int step = ((int)length + 3) & ~3;
        _rest = step < rest.Length ? rest[step..] : default;
        return true;
    }

    private bool Refuse()
    {
        Malformed = true;
        _rest = default;
        return false;
    }
}
