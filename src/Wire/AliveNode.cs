using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>The first attribute of an ALIVE body of our own kind: who speaks.</summary>
/// <param name="Incarnation">Drawn anew at each start of the daemon; never 0.</param>
/// <param name="SentMicroseconds">Sender's clock, wraps; comes back in a report.</param>
/// <param name="Flags">Bits of <see cref="AliveNode"/>'s constants.</param>
/// <remarks><code>
/// value   0-7 incarnation   8-11 sent   12-15 flags
/// </code>A longer value is of a later version: what follows is skipped.</remarks>
internal readonly record struct AliveNode(ulong Incarnation, uint SentMicroseconds, uint Flags)
{
    /// <summary>Flag: whoever reads this reports at once what it has received.</summary>
    internal const uint Poll = 1;

    /// <summary>Bytes with the attribute's header.</summary>
    internal const int Size = AliveBody.HeaderSize + ValueSize;

    private const int ValueSize = 16, SentAt = 8, FlagsAt = 12;

    /// <summary>False if the value is too short or names nobody.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> value, out AliveNode node)
    {
        node = default;
        if (value.Length < ValueSize) { return false; }
        node = new AliveNode(
            BinaryPrimitives.ReadUInt64BigEndian(value),
            BinaryPrimitives.ReadUInt32BigEndian(value[SentAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[FlagsAt..]));
        return node.Incarnation != 0;
    }

    /// <summary>Reads it off the begin of a body; false if something else is there.</summary>
    internal static bool TryReadFirst(ReadOnlySpan<byte> body, out AliveNode node)
    {
        node = default;
        return AliveBody.TryNext(ref body, out AliveAttribute attribute, out var value)
            && attribute == AliveAttribute.Node && TryRead(value, out node);
    }

    /// <summary>Writes the attribute; returns its size.</summary>
    internal int Write(Span<byte> target)
    {
        AliveBody.WriteHeader(target, AliveAttribute.Node, Size);
        target = target[AliveBody.HeaderSize..];
        BinaryPrimitives.WriteUInt64BigEndian(target, Incarnation);
        BinaryPrimitives.WriteUInt32BigEndian(target[SentAt..], SentMicroseconds);
        BinaryPrimitives.WriteUInt32BigEndian(target[FlagsAt..], Flags);
        return Size;
    }
}
