using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>What a node of our own kind may say in the body of an ALIVE message.</summary>
internal enum AliveAttribute : ushort
{
    /// <summary>A bulk begins; the value is its number.</summary>
    BulkBegin = 1,

    /// <summary>All of the bulk with that number has been acknowledged.</summary>
    BulkEnd = 2,
}

/// <summary>
/// Body of an ALIVE message: attributes that the original steps over by the message's length.
/// </summary>
/// <remarks>
/// Each attribute has the form of the protocol's others, so that one day more can be said:
/// <code>
/// bytes 0-1  length with these four bytes, without padding, big-endian
/// bytes 2-3  attribute number, big-endian
/// bytes 4-   value; for the two marks a 32-bit number, big-endian
/// </code>
/// </remarks>
internal static class AliveBody
{
    /// <summary>Bytes of one mark.</summary>
    internal const int MarkSize = 8;
    private const int HeaderSize = 4, NumberAt = 2, ValueAt = 4;

    /// <summary>Writes one mark into the first <see cref="MarkSize"/> bytes.</summary>
    internal static void WriteMark(Span<byte> target, AliveAttribute mark, uint value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, MarkSize);
        BinaryPrimitives.WriteUInt16BigEndian(target[NumberAt..], (ushort)mark);
        BinaryPrimitives.WriteUInt32BigEndian(target[ValueAt..], value);
    }

    /// <summary>
    /// Takes the next attribute off the body. A value of another size than four bytes reads as 0:
    /// such
    /// an attribute is of a later version and the caller skips it by its number. False at the end
    /// or at a length that cannot be.
    /// </summary>
    internal static bool TryNext(
        ref ReadOnlySpan<byte> body, out AliveAttribute attribute, out uint value)
    {
        attribute = default;
        value = 0;
        if (body.Length < HeaderSize) { return false; }
        int length = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (length < HeaderSize || length > body.Length) { return false; }
        attribute = (AliveAttribute)BinaryPrimitives.ReadUInt16BigEndian(body[NumberAt..]);
        if (length == MarkSize)
        {
            value = BinaryPrimitives.ReadUInt32BigEndian(body[ValueAt..]);
        }
        body = body[Math.Min((length + 3) & ~3, body.Length)..];
        return true;
    }
}
