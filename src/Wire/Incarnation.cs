using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>One run of one node: what a sealed frame says of its sender.</summary>
/// <remarks><code>
/// bytes 0-1   number of the node, big-endian; 0: none
/// bytes 2-11  random, drawn at every start
/// </code>Two runs with the same bytes would use keys and nonces twice. For one node that starts a
/// million times the odds are one in 2^41.</remarks>
/// <param name="High">The first eight bytes.</param>
/// <param name="Low">The other four.</param>
internal readonly record struct Incarnation(ulong High, uint Low)
{
    internal const int Size = 12;
    private const int NodeShift = 48, LowAt = 8;

    /// <summary>0: it has none.</summary>
    internal ushort Node => (ushort)(High >> NodeShift);

    /// <summary>
    /// A port for the engine, which takes another one for another start of the peer; never 0.
    /// </summary>
    internal ushort Port => (ushort)Math.Max(1, Low & ushort.MaxValue);

    /// <summary>From ten random bytes.</summary>
    internal static Incarnation Of(ushort node, ReadOnlySpan<byte> random)
    {
        Span<byte> all = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt16BigEndian(all, node);
        random[..(Size - sizeof(ushort))].CopyTo(all[sizeof(ushort)..]);
        return Read(all);
    }

    /// <summary>From the first <see cref="Size"/> bytes, which must be there.</summary>
    internal static Incarnation Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source),
        BinaryPrimitives.ReadUInt32BigEndian(source[LowAt..]));

    internal void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, High);
        BinaryPrimitives.WriteUInt32BigEndian(target[LowAt..], Low);
    }
}
