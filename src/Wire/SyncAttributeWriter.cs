using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>Appends attributes of a sync message to a caller's buffer.</summary>
/// <remarks>
/// What does not fit sets <see cref="Overflowed"/> and ends the writing; nothing throws. Padding is
/// zeroed, so the buffer need not be cleared.
/// </remarks>
internal ref struct SyncAttributeWriter
{
    internal const int HeaderSize = 4;

    private readonly Span<byte> _target;

    /// <summary>Starts behind the 8 bytes of the message's header.</summary>
    internal SyncAttributeWriter(Span<byte> target)
    {
        _target = target;
        Length = SyncHeader.Size;
        Overflowed = target.Length < SyncHeader.Size;
    }

    /// <summary>Bytes of the message so far, its header included.</summary>
    internal int Length { get; private set; }

    internal bool Overflowed { get; private set; }

    /// <summary>
    /// Appends an attribute of <paramref name="bytes"/> payload bytes, 0 not allowed, which the
    /// caller fills entirely. False and empty if it does not fit.
    /// </summary>
    internal bool TryReserve(int attribute, int bytes, out Span<byte> payload)
    {
        int at = Length;
        int space = (HeaderSize + bytes + 3) & ~3;
        if (Overflowed || space > _target.Length - at)
        {
            Overflowed = true;
            payload = default;
            return false;
        }
        Length = at + space;
        Span<byte> room = _target.Slice(at, space);
        // The padding is in the last word; zeroed before the payload is filled.
        BinaryPrimitives.WriteUInt32LittleEndian(room[(space - 4)..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(
            room, (uint)(HeaderSize + bytes) << 16 | (uint)attribute);
        payload = room.Slice(HeaderSize, bytes);
        return true;
    }

    internal void PutByte(int attribute, byte value)
    {
        if (TryReserve(attribute, sizeof(byte), out Span<byte> payload)) { payload[0] = value; }
    }

    internal void PutUInt16(int attribute, ushort value)
    {
        if (TryReserve(attribute, sizeof(ushort), out Span<byte> payload))
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload, value);
        }
    }

    /// <summary>For translated ports and ICMP ids, which the protocol swaps.</summary>
    internal void PutUInt16LittleEndian(int attribute, ushort value)
    {
        if (TryReserve(attribute, sizeof(ushort), out Span<byte> payload))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(payload, value);
        }
    }

    internal void PutUInt32(int attribute, uint value)
    {
        if (TryReserve(attribute, sizeof(uint), out Span<byte> payload))
        {
            BinaryPrimitives.WriteUInt32BigEndian(payload, value);
        }
    }

    /// <summary>Two ports: one 32-bit number with the source in the high half.</summary>
    internal void PutPorts(int attribute, in FlowTuple tuple) =>
        PutUInt32(attribute, (uint)tuple.L4Source << 16 | tuple.L4Target);

    internal void PutAddress(
        int attributeIpv4, int attributeIpv6, AddressFamily family, in Address address)
    {
        if (family == AddressFamily.Ipv4)
        {
            PutUInt32(attributeIpv4, (uint)address.Low);
        }
        else if (TryReserve(attributeIpv6, Address.Ipv6Size, out Span<byte> payload))
        {
            address.WriteIpv6(payload);
        }
    }

    internal void PutAddresses(
        int attributeIpv4, int attributeIpv6, AddressFamily family, in FlowTuple tuple)
    {
        Span<byte> payload;
        if (family == AddressFamily.Ipv4)
        {
            if (!TryReserve(attributeIpv4, 2 * Address.Ipv4Size, out payload)) { return; }
            tuple.Source.WriteIpv4(payload);
            tuple.Target.WriteIpv4(payload[Address.Ipv4Size..]);
        }
        else
        {
            if (!TryReserve(attributeIpv6, 2 * Address.Ipv6Size, out payload)) { return; }
            tuple.Source.WriteIpv6(payload);
            tuple.Target.WriteIpv6(payload[Address.Ipv6Size..]);
        }
    }

    /// <summary>Appends text with its terminating zero.</summary>
    internal void PutText(int attribute, scoped ReadOnlySpan<byte> text)
    {
        if (TryReserve(attribute, text.Length + 1, out Span<byte> payload))
        {
            text.CopyTo(payload);
            payload[^1] = 0;
        }
    }

    /// <summary>
    /// Writes the header and returns the length of the message; 0 if it did not fit.
    /// </summary>
    internal readonly int Finish(SyncType type, SyncFlags flags, uint sequence)
    {
        if (Overflowed || Length > ushort.MaxValue) { return 0; }
        new SyncHeader(type, flags, (ushort)Length, sequence).Write(_target);
        return Length;
    }
}
