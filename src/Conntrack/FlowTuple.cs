namespace Conntrackd.Conntrack;

/// <summary>
/// Addresses and layer-4 keys of one direction of a flow; all numbers in host order.
/// </summary>
/// <remarks>
/// The two 16-bit keys mean, by protocol: ports (TCP, UDP, UDP-Lite, SCTP, DCCP), call keys (GRE),
/// or the echo id in <see cref="L4Source"/> and type &lt;&lt; 8 | code in <see cref="L4Target"/>
/// (ICMP, ICMPv6). Other protocols have none and leave both 0.
/// </remarks>
internal record struct FlowTuple
{
    internal Address Source;
    internal Address Target;
    internal ushort L4Source;
    internal ushort L4Target;

    /// <summary>The ICMP or ICMPv6 type, the high half of <see cref="L4Target"/>.</summary>
    internal readonly byte IcmpType => (byte)(L4Target >> 8);

    /// <summary>The ICMP or ICMPv6 code, the low half of <see cref="L4Target"/>.</summary>
    internal readonly byte IcmpCode => (byte)L4Target;

    /// <summary>
    /// The tuple an untranslated answer would have: addresses and ports swapped, ICMP types mapped
    /// to their answers. False if the ICMP type has no answer (the kernel refuses such a tuple).
    /// </summary>
    internal readonly bool TryInvert(byte protocol, out FlowTuple inverse)
    {
        inverse = new FlowTuple { Source = Target, Target = Source };
        if (protocol is not (L4Protocol.Icmp or L4Protocol.Icmpv6))
        {
            inverse.L4Source = L4Target;
            inverse.L4Target = L4Source;
            return true;
        }
        bool known = L4Protocol.TryGetIcmpAnswer(protocol, IcmpType, out byte answer);
        inverse.L4Source = L4Source;
        inverse.L4Target = (ushort)((answer << 8) | IcmpCode);
        return known;
    }
}
