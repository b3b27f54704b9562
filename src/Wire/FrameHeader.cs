using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>What a frame holds.</summary>
internal enum FrameKind : byte
{
    /// <summary>Messages, sealed with a key.</summary>
    Sealed = 0,

    /// <summary>A beacon, sealed with a key.</summary>
    Beacon = 1,

    /// <summary>Messages behind which a digest stands.</summary>
    Checked = 8,
}

/// <summary>First four bytes of a frame: messages of version 1 in an envelope.</summary>
/// <remarks><code>
/// byte 0     2 (high 4 bits) | kind (low 4 bits)
/// byte 1     number of the key, 0 without one
/// bytes 2-3  length of the whole frame, big-endian
/// </code>Ours, and made to look like one message of a version 2: whoever reads version 1 only, the
/// original too, steps over the frame by its length and counts a wrong version, and a byte stream
/// is cut into frames as it is into messages. No kind is 10: that is a control message there.
/// </remarks>
internal readonly record struct FrameHeader(FrameKind Kind, byte KeyNumber, ushort Length)
{
    internal const int Size = 4;
    internal const int Version = 2;
    private const int VersionKindAt = 0, KeyNumberAt = 1, LengthAt = 2;

    /// <summary>True if it begins as a frame does, whatever follows.</summary>
    internal static bool IsFrame(ReadOnlySpan<byte> source) =>
        !source.IsEmpty && source[VersionKindAt] >> 4 == Version;

    /// <summary>False if it is shorter than a header or no frame.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (source.Length < Size || !IsFrame(source)) { return false; }
        header = new FrameHeader(
            (FrameKind)(source[VersionKindAt] & 0xf), source[KeyNumberAt],
            BinaryPrimitives.ReadUInt16BigEndian(source[LengthAt..]));
        return true;
    }

    internal void Write(Span<byte> target)
    {
        target[VersionKindAt] = (byte)(Version << 4 | (int)Kind);
        target[KeyNumberAt] = KeyNumber;
        BinaryPrimitives.WriteUInt16BigEndian(target[LengthAt..], Length);
    }
}
