using System.Buffers.Binary;

namespace Conntrackd.Conntrack;

/// <summary>An IPv4 or IPv6 address as a number; which of the two says the flow's family.</summary>
/// <remarks>
/// Host order: the first octet of the text form is the most significant. An IPv4 address stands in
/// the low 32 bits of <see cref="Low"/> with <see cref="High"/> 0.
/// </remarks>
internal readonly record struct Address(ulong High, ulong Low)
{
    internal const int Ipv4Size = 4;
    internal const int Ipv6Size = 16;

    /// <summary>
    /// Reads 4 octets in network order; <paramref name="source"/> has at least 4.
    /// </summary>
    internal static Address ReadIpv4(ReadOnlySpan<byte> source) =>
        new(0, BinaryPrimitives.ReadUInt32BigEndian(source));

    /// <summary>
    /// Reads 16 octets in network order; <paramref name="source"/> has at least 16.
    /// </summary>
    internal static Address ReadIpv6(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source),
            BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    /// <summary>Writes 4 octets in network order.</summary>
    internal void WriteIpv4(Span<byte> target) =>
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)Low);

    /// <summary>Writes 16 octets in network order.</summary>
    internal void WriteIpv6(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, High);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], Low);
    }
}
