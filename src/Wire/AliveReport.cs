using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>
/// What the sender has received of one other node of our kind: the state, not a change of it, so
/// that a lost report is made good by the next one and nobody need acknowledge any.
/// </summary>
/// <param name="Target">Incarnation of the node that is reported to.</param>
/// <param name="First">First sequence that was ever received of it.</param>
/// <param name="Through">Last sequence that the report speaks of.</param>
/// <param name="Settled">Up to here the sender of the report itself waits for nothing from
/// <paramref name="Target"/>, which may forget what it lacks of that.</param>
/// <param name="Echo">The last <see cref="AliveNode.SentMicroseconds"/> heard of it.</param>
/// <param name="HeldMicroseconds">Since that was heard.</param>
/// <param name="Bulk">Number of its last bulk that was received whole; 0 for none.</param>
/// <param name="Refused">Flows of that bulk that found no place.</param>
/// <remarks><code>
/// value   0-7 target    8-11 first    12-15 through  16-19 settled
///        20-23 echo    24-27 held     28-31 bulk     32-35 refused
///        36-   ranges that are missing between first and through: u32 from, u32 to, inclusive
/// </code></remarks>
internal readonly record struct AliveReport(
    ulong Target, uint First, uint Through, uint Settled, uint Echo, uint HeldMicroseconds,
    uint Bulk, uint Refused)
{
    /// <summary>Bytes of one range.</summary>
    internal const int RangeSize = 8;

    /// <summary>Bytes with the attribute's header and without ranges.</summary>
    internal const int SizeMin = AliveBody.HeaderSize + ValueSize;

    private const int ValueSize = 36;
    private const int FirstAt = 8, ThroughAt = 12, SettledAt = 16, EchoAt = 20, HeldAt = 24;
    private const int BulkAt = 28, RefusedAt = 32;

    /// <summary>False if the value is too short or its ranges are not whole.</summary>
    internal static bool TryRead(
        ReadOnlySpan<byte> value, out AliveReport report, out ReadOnlySpan<byte> ranges)
    {
        report = default;
        ranges = default;
        if (value.Length < ValueSize || (value.Length - ValueSize) % RangeSize != 0)
        {
            return false;
        }
        report = new AliveReport(
            BinaryPrimitives.ReadUInt64BigEndian(value),
            BinaryPrimitives.ReadUInt32BigEndian(value[FirstAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[ThroughAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[SettledAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[EchoAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[HeldAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[BulkAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[RefusedAt..]));
        ranges = value[ValueSize..];
        return true;
    }

    /// <summary>Takes the next range off those of <see cref="TryRead"/>.</summary>
    internal static bool TryNextRange(ref ReadOnlySpan<byte> ranges, out uint from, out uint to)
    {
        from = to = 0;
        if (ranges.Length < RangeSize) { return false; }
        from = BinaryPrimitives.ReadUInt32BigEndian(ranges);
        to = BinaryPrimitives.ReadUInt32BigEndian(ranges[4..]);
        ranges = ranges[RangeSize..];
        return true;
    }

    /// <summary>
    /// Writes the attribute but for the ranges, whose number is in the length; returns what is
    /// written. <see cref="WriteRange"/> follows so many times.
    /// </summary>
    internal int Write(Span<byte> target, int ranges)
    {
        AliveBody.WriteHeader(target, AliveAttribute.Report, SizeMin + (ranges * RangeSize));
        target = target[AliveBody.HeaderSize..];
        BinaryPrimitives.WriteUInt64BigEndian(target, Target);
        BinaryPrimitives.WriteUInt32BigEndian(target[FirstAt..], First);
        BinaryPrimitives.WriteUInt32BigEndian(target[ThroughAt..], Through);
        BinaryPrimitives.WriteUInt32BigEndian(target[SettledAt..], Settled);
        BinaryPrimitives.WriteUInt32BigEndian(target[EchoAt..], Echo);
        BinaryPrimitives.WriteUInt32BigEndian(target[HeldAt..], HeldMicroseconds);
        BinaryPrimitives.WriteUInt32BigEndian(target[BulkAt..], Bulk);
        BinaryPrimitives.WriteUInt32BigEndian(target[RefusedAt..], Refused);
        return SizeMin;
    }

    /// <summary>Writes one range; returns its size.</summary>
    internal static int WriteRange(Span<byte> target, uint from, uint to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, from);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], to);
        return RangeSize;
    }
}
