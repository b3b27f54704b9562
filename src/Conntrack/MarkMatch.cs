namespace Conntrackd.Conntrack;

/// <summary>Some bits of a mark and what they must be.</summary>
/// <param name="Value">The wanted bits; others are 0.</param>
/// <param name="Mask">Which bits count.</param>
internal readonly record struct MarkMatch(uint Value, uint Mask)
{
    /// <summary>True if the mark has the wanted bits.</summary>
    internal bool Covers(uint mark) => (mark & Mask) == Value;
}
