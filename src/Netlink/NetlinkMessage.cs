namespace Conntrackd.Netlink;

/// <summary>One received message; the payload is valid as long as the receive buffer is.</summary>
internal readonly ref struct NetlinkMessage
{
    internal const ushort TypeError = 2;        // NLMSG_ERROR: error or acknowledgement
    internal const ushort TypeDone = 3;         // NLMSG_DONE: end of a dump

    internal NetlinkMessage(
        ushort type, NetlinkFlags flags, uint sequence, uint portId, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Flags = flags;
        Sequence = sequence;
        PortId = portId;
        Payload = payload;
    }

    internal ushort Type { get; }

    internal NetlinkFlags Flags { get; }

    /// <summary>That of the request answered; 0 in events.</summary>
    internal uint Sequence { get; }

    /// <summary>Port id of the socket whose request caused the message; 0 if none did.</summary>
    internal uint PortId { get; }

    /// <summary>What follows the 16 bytes of header, without padding.</summary>
    internal ReadOnlySpan<byte> Payload { get; }
}
