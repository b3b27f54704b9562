using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>What a node of our own kind may say in the body of an ALIVE message.</summary>
internal enum AliveAttribute : ushort
{
    /// <summary>A bulk is under way; the value is its number.</summary>
    BulkBegin = 1,

    /// <summary>All of the bulk was acknowledged; its number, and how many flows it had.</summary>
    BulkEnd = 2,

    /// <summary>Who speaks: <see cref="AliveNode"/>.</summary>
    Node = 3,

    /// <summary>What was received of one other node: <see cref="AliveReport"/>.</summary>
    Report = 4,

    /// <summary>
    /// Who sends: a number drawn at random when the sender started, never 0. Said on every link, so
    /// it tells which of the addresses on several links are one node, and whether a new connection
    /// is a new start.
    /// </summary>
    Sender = 5,

    /// <summary>Says nothing: makes the datagram as long as the one before.</summary>
    Filler = 6,
}

/// <summary>
/// Body of an ALIVE message: attributes that the original steps over by the message's length.
/// </summary>
/// <remarks>
/// Each attribute has the form of the protocol's others, so that one day more can be said:
/// <code>
/// bytes 0-1  length with these four bytes, without padding, big-endian
/// bytes 2-3  attribute number, big-endian
/// bytes 4-   value, numbers big-endian; begin of a bulk: u32; end of a bulk: u32, u32;
///            sender: u32
/// </code>
/// </remarks>
internal static class AliveBody
{
    internal const int HeaderSize = 4;

    /// <summary>Bytes of <see cref="AliveAttribute.BulkBegin"/>.</summary>
    internal const int BeginSize = HeaderSize + 4;

    /// <summary>Bytes of <see cref="AliveAttribute.BulkEnd"/>.</summary>
    internal const int EndSize = HeaderSize + 8;

    /// <summary>Bytes of <see cref="AliveAttribute.Sender"/>.</summary>
    internal const int SenderSize = HeaderSize + 4;

    private const int NumberAt = 2;

    /// <summary>Writes the mark of a bulk under way; returns its size.</summary>
    internal static int WriteBegin(Span<byte> target, uint bulk)
    {
        WriteHeader(target, AliveAttribute.BulkBegin, BeginSize);
        BinaryPrimitives.WriteUInt32BigEndian(target[HeaderSize..], bulk);
        return BeginSize;
    }

    /// <summary>Writes the end mark of a bulk; returns its size.</summary>
    internal static int WriteEnd(Span<byte> target, uint bulk, uint flows)
    {
        WriteHeader(target, AliveAttribute.BulkEnd, EndSize);
        BinaryPrimitives.WriteUInt32BigEndian(target[HeaderSize..], bulk);
        BinaryPrimitives.WriteUInt32BigEndian(target[(HeaderSize + 4)..], flows);
        return EndSize;
    }

    /// <summary>Reads the value of <see cref="AliveAttribute.BulkBegin"/>.</summary>
    internal static bool TryReadBegin(ReadOnlySpan<byte> value, out uint bulk) =>
        BinaryPrimitives.TryReadUInt32BigEndian(value, out bulk) && value.Length == 4;

    /// <summary>Reads the value of <see cref="AliveAttribute.BulkEnd"/>.</summary>
    internal static bool TryReadEnd(ReadOnlySpan<byte> value, out uint bulk, out uint flows)
    {
        flows = 0;
        return BinaryPrimitives.TryReadUInt32BigEndian(value, out bulk)
            && value.Length == 8
            && BinaryPrimitives.TryReadUInt32BigEndian(value[4..], out flows);
    }

    /// <summary>Writes who sends.</summary>
    internal static void WriteSender(Span<byte> target, uint node)
    {
        WriteHeader(target, AliveAttribute.Sender, SenderSize);
        BinaryPrimitives.WriteUInt32BigEndian(target[HeaderSize..], node);
    }

    /// <summary>Reads the value of <see cref="AliveAttribute.Sender"/>.</summary>
    internal static bool TryReadSender(ReadOnlySpan<byte> value, out uint node) =>
        BinaryPrimitives.TryReadUInt32BigEndian(value, out node) && value.Length == 4;

    /// <summary>Makes a body of exactly the target's length that says nothing.</summary>
    internal static void WriteFiller(Span<byte> target)
    {
        target.Clear();
        WriteHeader(target, AliveAttribute.Filler, target.Length);
    }

    /// <summary>Writes length and number of an attribute.</summary>
    internal static void WriteHeader(Span<byte> target, AliveAttribute attribute, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(target[NumberAt..], (ushort)attribute);
    }

    /// <summary>
    /// Takes the next attribute off the body. False at the end or at a length that cannot be; an
    /// attribute that the caller does not know is of a later version, to be skipped.
    /// </summary>
    internal static bool TryNext(
        ref ReadOnlySpan<byte> body, out AliveAttribute attribute, out ReadOnlySpan<byte> value)
    {
        attribute = default;
        value = default;
        if (body.Length < HeaderSize) { return false; }
        int length = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (length < HeaderSize || length > body.Length) { return false; }
        attribute = (AliveAttribute)BinaryPrimitives.ReadUInt16BigEndian(body[NumberAt..]);
        value = body[HeaderSize..length];
        body = body[Math.Min((length + 3) & ~3, body.Length)..];
        return true;
    }
}
