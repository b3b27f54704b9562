using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>Header of every sync message: 8 bytes, big-endian.</summary>
/// <remarks>
/// This room is the format of the link between two nodes: header, attributes, messages, and the
/// checks at the door. Spans in, spans out; it knows no socket, no clock and no state of a peer.
/// Read this file, then <see cref="SyncMessageReader"/>, then <see cref="FlowMessage"/>.
/// <code>
/// byte 0     version (high 4 bits) | type (low 4 bits)
/// byte 1     flags
/// bytes 2-3  length of the message with this header, in bytes
/// bytes 4-7  sequence number, wraps
/// </code>Source: protocol version 1, shared spec wire, section 2.
/// </remarks>
internal readonly record struct SyncHeader(
    SyncType Type, SyncFlags Flags, ushort Length, uint Sequence)
{
    internal const int Size = 8;
    internal const int Version = 1;
    internal const int VersionTypeAt = 0, FlagsAt = 1, LengthAt = 2, SequenceAt = 4;

    private const SyncFlags Hello = SyncFlags.Hello | SyncFlags.HelloBack;

    /// <summary>
    /// True for the messages that carry a range of sequence numbers after the header.
    /// </summary>
    internal bool HasRange =>
        Type == SyncType.Control
        && (Flags & (SyncFlags.Ack | SyncFlags.Nack | SyncFlags.Resync)) != 0;

    /// <summary>
    /// What kind of message the header announces, for every mode alike; which kinds a mode accepts
    /// is its own business. Of several control bits the first in the order of the cases counts.
    /// </summary>
    internal SyncClass Class =>
        Type <= SyncType.ExpectDestroy
            ? (Flags & ~Hello) == 0 ? SyncClass.Data : SyncClass.Bad
        : Type != SyncType.Control ? SyncClass.Bad
        : (Flags & SyncFlags.Ack) != 0 ? SyncClass.Ack
        : (Flags & SyncFlags.Nack) != 0 ? SyncClass.Nack
        : (Flags & SyncFlags.Resync) != 0 ? SyncClass.Resync
        : (Flags & SyncFlags.Alive) != 0 ? SyncClass.Alive
        : SyncClass.Bad;

    /// <summary>
    /// False if <paramref name="source"/> is shorter than a header. Any version is read: the
    /// framing of foreign versions is followed, so that only their messages are skipped.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, out SyncHeader header, out int version)
    {
        if (source.Length < Size)
        {
            header = default;
            version = 0;
            return false;
        }
        byte versionType = source[VersionTypeAt];
        version = versionType >> 4;
        header = new SyncHeader(
            (SyncType)(versionType & 0xf),
            (SyncFlags)source[FlagsAt],
            BinaryPrimitives.ReadUInt16BigEndian(source[LengthAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[SequenceAt..]));
        return true;
    }

    /// <summary>Writes the header as version 1 to the first 8 bytes of the target.</summary>
    internal void Write(Span<byte> target)
    {
        target = target[..Size];
        target[VersionTypeAt] = (byte)(Version << 4 | (int)Type);
        target[FlagsAt] = (byte)Flags;
        BinaryPrimitives.WriteUInt16BigEndian(target[LengthAt..], Length);
        BinaryPrimitives.WriteUInt32BigEndian(target[SequenceAt..], Sequence);
    }
}
