namespace Conntrackd.Conntrack;

/// <summary>A set of layer-4 protocol numbers: one bit each, 256 bits.</summary>
internal readonly record struct ProtocolSet
{
    private readonly UInt128 _low;              // protocols 0-127
    private readonly UInt128 _high;             // protocols 128-255

    private ProtocolSet(UInt128 low, UInt128 high) => (_low, _high) = (low, high);

    /// <summary>The set with <paramref name="protocol"/> added.</summary>
    internal ProtocolSet With(byte protocol)
    {
        UInt128 bit = UInt128.One << (protocol & 127);
        return protocol < 128 ? new(_low | bit, _high) : new(_low, _high | bit);
    }

    /// <summary>True if <paramref name="protocol"/> is in the set.</summary>
    internal bool Contains(byte protocol) =>
        ((protocol < 128 ? _low : _high) >> (protocol & 127) & UInt128.One) != UInt128.Zero;
}
