using System.Buffers.Binary;

namespace Conntrackd.Netlink;

/// <summary>One attribute of a message or a nest.</summary>
/// <remarks>
/// Numbers inside nfnetlink attributes are big-endian but for a few opaque ones. Longer payloads
/// than asked for are accepted as the kernel does, shorter ones refused.
/// </remarks>
internal readonly ref struct NetlinkAttribute
{
    internal NetlinkAttribute(int type, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Payload = payload;
    }

    /// <summary>The number without the flag bits NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    internal int Type { get; }

    internal ReadOnlySpan<byte> Payload { get; }

    /// <summary>False and 0 if the payload is empty.</summary>
    internal bool TryReadByte(out byte value)
    {
        ReadOnlySpan<byte> payload = Payload;
        value = payload.IsEmpty ? (byte)0 : payload[0];
        return !payload.IsEmpty;
    }

    /// <summary>False and 0 if the payload has fewer than 2 bytes.</summary>
    internal bool TryReadUInt16(out ushort value) =>
        BinaryPrimitives.TryReadUInt16BigEndian(Payload, out value);

    /// <summary>False and 0 if the payload has fewer than 4 bytes.</summary>
    internal bool TryReadUInt32(out uint value) =>
        BinaryPrimitives.TryReadUInt32BigEndian(Payload, out value);

    /// <summary>False and 0 if the payload has fewer than 8 bytes.</summary>
    internal bool TryReadUInt64(out ulong value) =>
        BinaryPrimitives.TryReadUInt64BigEndian(Payload, out value);
}
