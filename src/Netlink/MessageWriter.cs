using System.Buffers.Binary;

namespace Conntrackd.Netlink;

/// <summary>Builds messages back to back in a caller's buffer.</summary>
/// <remarks>
/// Begin, the attributes, <see cref="End"/>. What does not fit sets
/// <see cref="Overflowed"/>, everything up to <see cref="End"/> is then ignored, and End takes the
/// unfinished message back, so the buffer always holds whole messages. Padding is zeroed; nothing
/// throws. The buffer need not be cleared before.
/// </remarks>
internal ref struct MessageWriter
{
    private const ushort Nested = 0x8000;       // NLA_F_NESTED
    private const int NetfilterHeaderSize = 4;  // struct nfgenmsg: family, version 0, res_id 0

    private readonly Span<byte> _buffer;
    private int _messageAt;
    private int _at;

    internal MessageWriter(Span<byte> buffer)
    {
        _buffer = buffer;
        _messageAt = 0;
        _at = 0;
        Overflowed = false;
        Count = 0;
    }

    /// <summary>True from the first thing that did not fit until <see cref="End"/>.</summary>
    internal bool Overflowed { get; private set; }

    /// <summary>Bytes of the whole messages so far.</summary>
    internal readonly int Length => _messageAt;

    /// <summary>How many messages were ended.</summary>
    internal int Count { get; private set; }

    /// <summary>The whole messages so far.</summary>
    internal readonly ReadOnlySpan<byte> Written => _buffer[.._messageAt];

    /// <summary>Forgets all messages, to fill the buffer anew.</summary>
    internal void Clear()
    {
        _messageAt = 0;
        _at = 0;
        Overflowed = false;
        Count = 0;
    }

    /// <summary>Starts a message; what was begun and not ended is dropped.</summary>
    internal void Begin(ushort type, NetlinkFlags flags, uint sequence)
    {
        Overflowed = false;
        _at = _messageAt;
        Span<byte> header = Take(MessageReader.HeaderSize);
        if (header.IsEmpty) { return; }
        BitConverter.TryWriteBytes(header[MessageReader.TypeAt..], type);
        BitConverter.TryWriteBytes(header[MessageReader.FlagsAt..], (ushort)flags);
        BitConverter.TryWriteBytes(header[MessageReader.SequenceAt..], sequence);
        BitConverter.TryWriteBytes(header[MessageReader.PortIdAt..], 0u);
    }

    /// <summary>Starts a message of nfnetlink, whose payload begins with the family.</summary>
    internal void Begin(ushort type, NetlinkFlags flags, uint sequence, byte family)
    {
        Begin(type, flags, sequence);
        Span<byte> header = Take(NetfilterHeaderSize);
        if (header.IsEmpty) { return; }
        BitConverter.TryWriteBytes(header, 0u);
        header[0] = family;
    }

    /// <summary>Finishes the message; false if it did not fit and was taken back.</summary>
    internal bool End()
    {
        if (Overflowed)
        {
            Overflowed = false;
            _at = _messageAt;
            return false;
        }
        BitConverter.TryWriteBytes(_buffer[_messageAt..], (uint)(_at - _messageAt));
        _messageAt = _at;
        Count++;
        return true;
    }

    /// <summary>
    /// Appends <paramref name="bytes"/> zeroed bytes without attribute header, for the fixed part
    /// of a message; empty if they do not fit.
    /// </summary>
    internal Span<byte> Reserve(int bytes)
    {
        Span<byte> room = Take((bytes + 3) & ~3);
        room.Clear();
        return room.IsEmpty ? room : room[..bytes];
    }

    /// <summary>
    /// Appends an attribute and hands out its payload, which the caller fills entirely. False and
    /// empty if it does not fit.
    /// </summary>
    internal bool TryReserve(ushort type, int bytes, out Span<byte> payload)
    {
        int length = AttributeReader.HeaderSize + bytes;
        int space = (length + 3) & ~3;
        Span<byte> room = length <= ushort.MaxValue ? Take(space) : Overflow();
        if (room.IsEmpty)
        {
            payload = default;
            return false;
        }
        // The padding lies in the last word; zeroing that word before the payload is filled is
        // cheaper than finding out how much of it is padding. Without payload it is the header.
        BitConverter.TryWriteBytes(room[(space - 4)..], 0u);
        BitConverter.TryWriteBytes(room, (ushort)length);
        BitConverter.TryWriteBytes(room[2..], type);
        payload = room.Slice(AttributeReader.HeaderSize, bytes);
        return true;
    }

    internal void PutByte(ushort type, byte value)
    {
        if (TryReserve(type, sizeof(byte), out Span<byte> payload)) { payload[0] = value; }
    }

    /// <summary>Appends a big-endian number.</summary>
    internal void PutUInt16(ushort type, ushort value)
    {
        if (TryReserve(type, sizeof(ushort), out Span<byte> payload))
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload, value);
        }
    }

    /// <summary>Appends a big-endian number.</summary>
    internal void PutUInt32(ushort type, uint value)
    {
        if (TryReserve(type, sizeof(uint), out Span<byte> payload))
        {
            BinaryPrimitives.WriteUInt32BigEndian(payload, value);
        }
    }

    internal void PutBytes(ushort type, scoped ReadOnlySpan<byte> value)
    {
        if (TryReserve(type, value.Length, out Span<byte> payload)) { value.CopyTo(payload); }
    }

    /// <summary>Appends text with the terminating zero the kernel asks for.</summary>
    internal void PutText(ushort type, scoped ReadOnlySpan<byte> text)
    {
        if (TryReserve(type, text.Length + 1, out Span<byte> payload))
        {
            text.CopyTo(payload);
            payload[^1] = 0;
        }
    }

    /// <summary>Opens a nest; hand the result to <see cref="EndNest"/>.</summary>
    internal int BeginNest(ushort type)
    {
        int at = _at;
        TryReserve((ushort)(type | Nested), 0, out _);
        return at;
    }

    /// <summary>Closes the nest that was opened at <paramref name="nestAt"/>.</summary>
    internal readonly void EndNest(int nestAt)
    {
        int length = _at - nestAt;
        if (Overflowed) { return; }
        BitConverter.TryWriteBytes(_buffer[nestAt..], (ushort)length);
    }

    /// <summary>Room for <paramref name="bytes"/>, a multiple of four, or nothing.</summary>
    private Span<byte> Take(int bytes)
    {
        int at = _at;
        if (Overflowed || bytes > _buffer.Length - at) { return Overflow(); }
        _at = at + bytes;
        return _buffer.Slice(at, bytes);
    }

    private Span<byte> Overflow()
    {
        Overflowed = true;
        return default;
    }
}
