using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Conntrackd.Conntrack;

/// <summary>
/// Name of a conntrack helper: at most 15 ASCII bytes, zero padded (NF_CT_HELPER_NAME_LEN is 16).
/// </summary>
[InlineArray(Capacity)]
internal struct HelperName : IEquatable<HelperName>
{
    internal const int Capacity = 16;
    internal const int LengthMax = Capacity - 1;

    private byte _first;

    /// <summary>The bytes before the padding.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<byte> Text => ZeroPadded.Text(this);

    /// <summary>
    /// Keeps the bytes of <paramref name="text"/> before its first zero, 15 at most.
    /// </summary>
    internal static HelperName From(ReadOnlySpan<byte> text)
    {
        HelperName name = default;
        ZeroPadded.Fill(text, name);
        return name;
    }

    public readonly bool Equals(HelperName other) =>
        ((ReadOnlySpan<byte>)this).SequenceEqual(other);

    public override readonly bool Equals(object? obj) => obj is HelperName other && Equals(other);

    public override readonly int GetHashCode() => System.HashCode.Combine(Text.Length, _first);
}
