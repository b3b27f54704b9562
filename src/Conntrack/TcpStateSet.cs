namespace Conntrackd.Conntrack;

/// <summary>A set of TCP states as the kernel numbers them: one bit each.</summary>
/// <remarks>
/// Source: linux/netfilter/nf_conntrack_tcp.h, enum tcp_conntrack; 9 is SYN_SENT2.
/// </remarks>
internal readonly record struct TcpStateSet(uint Bits)
{
    /// <summary>States are 0-9 today; what does not fit the bits is in no set.</summary>
    internal const byte StateMax = 31;

    /// <summary>The set with <paramref name="state"/> (0-31) added.</summary>
    internal TcpStateSet With(byte state) => new(Bits | (1u << state));

    /// <summary>True if <paramref name="state"/> is in the set.</summary>
    internal bool Contains(byte state) => state <= StateMax && (Bits >> state & 1) != 0;
}
