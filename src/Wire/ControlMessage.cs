using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>Messages without flow: acknowledgements, requests and signs of life.</summary>
/// <remarks>
/// <code>
/// ALIVE                 header, then nothing, or a body that the original steps over
/// ACK, NACK, RESYNC     header, bytes 8-11 first, bytes 12-15 last sequence number, big-endian
/// </code>Source: shared spec wire, section 4.
/// </remarks>
internal static class ControlMessage
{
    internal const int RangeSize = 16;
    internal const int FromAt = 8, ToAt = 12;

    /// <summary>
    /// Writes an ACK, NACK or RESYNC (both numbers 0) and returns its length; 0 if the target is
    /// too short. The range is inclusive and counts the peer's sequence numbers.
    /// </summary>
    internal static int WriteRange(
        Span<byte> target, SyncFlags flags, uint sequence, uint from, uint to)
    {
        if (target.Length < RangeSize) { return 0; }
        new SyncHeader(SyncType.Control, flags, RangeSize, sequence).Write(target);
        BinaryPrimitives.WriteUInt32BigEndian(target[FromAt..], from);
        BinaryPrimitives.WriteUInt32BigEndian(target[ToAt..], to);
        return RangeSize;
    }

    /// <summary>
    /// Writes an ALIVE with a body, empty for the original's form, and returns its length; 0 if it
    /// does not fit.
    /// </summary>
    internal static int WriteAlive(
        Span<byte> target, SyncFlags flags, uint sequence, ReadOnlySpan<byte> body)
    {
        int length = SyncHeader.Size + body.Length;
        if (target.Length < length || length > ushort.MaxValue) { return 0; }
        new SyncHeader(SyncType.Control, flags, (ushort)length, sequence).Write(target);
        body.CopyTo(target[SyncHeader.Size..]);
        return length;
    }
}
