namespace Conntrackd.Conntrack;

/// <summary>
/// Layer-4 protocol numbers that conntrack treats by name, and what each carries.
/// </summary>
/// <remarks>
/// Source: IANA protocol numbers; which have ports: shared spec ctnetlink, section 3.3.
/// </remarks>
internal static class L4Protocol
{
    internal const byte Icmp = 1;
    internal const byte Tcp = 6;
    internal const byte Udp = 17;
    internal const byte Dccp = 33;
    internal const byte Gre = 47;
    internal const byte Icmpv6 = 58;
    internal const byte Sctp = 132;
    internal const byte UdpLite = 136;

    /// <summary>
    /// True if the kernel keys the protocol by two 16-bit numbers (GRE call keys too).
    /// </summary>
    internal static bool HasPorts(byte protocol) =>
        protocol is Tcp or Udp or Dccp or Gre or Sctp or UdpLite;

    /// <summary>True for ICMP and ICMPv6.</summary>
    internal static bool IsIcmp(byte protocol) => protocol is Icmp or Icmpv6;

    /// <summary>
    /// Maps an ICMP request type to its answer and back; false for types without one.
    /// </summary>
    internal static bool TryGetIcmpAnswer(byte protocol, byte type, out byte answer)
    {
        int mapped = (protocol, type) switch
        {
            (Icmp, 0) => 8,
            (Icmp, 8) => 0,
            (Icmp, >= 13 and <= 18) => type % 2 == 1 ? type + 1 : type - 1,
            (Icmpv6, 128) => 129,
            (Icmpv6, 129) => 128,
            (Icmpv6, 139) => 140,
            (Icmpv6, 140) => 139,
            _ => -1,
        };
        answer = mapped < 0 ? byte.MaxValue : (byte)mapped;
        return mapped >= 0;
    }
}
