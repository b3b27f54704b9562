using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Conntrackd.Conntrack;

/// <summary>
/// Name of the function the kernel calls for an expected flow, for example nat-follow-master: at
/// most 31 bytes, zero padded. The sync protocol carries 27.
/// </summary>
[InlineArray(Capacity)]
internal struct FunctionName : IEquatable<FunctionName>
{
    internal const int Capacity = 32;
    internal const int LengthMax = Capacity - 1;

    private byte _first;

    /// <summary>The bytes before the padding.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<byte> Text => ZeroPadded.Text(this);

    /// <summary>
    /// Keeps the bytes of <paramref name="text"/> before its first zero, 31 at most.
    /// </summary>
    internal static FunctionName From(ReadOnlySpan<byte> text)
    {
        FunctionName name = default;
        ZeroPadded.Fill(text, name);
        return name;
    }

    public readonly bool Equals(FunctionName other) =>
        ((ReadOnlySpan<byte>)this).SequenceEqual(other);

    public override readonly bool Equals(object? obj) => obj is FunctionName other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(Text.Length, _first);
}
