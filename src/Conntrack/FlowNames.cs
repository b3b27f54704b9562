namespace Conntrackd.Conntrack;

/// <summary>Names of protocols and their states, as the text forms print them.</summary>
internal static class FlowNames
{
    /// <summary>The protocol's name, <c>unknown</c> for those conntrack has no name for.</summary>
    internal static ReadOnlySpan<byte> OfProtocol(byte protocol) => protocol switch
    {
        L4Protocol.Icmp => "icmp"u8,
        L4Protocol.Tcp => "tcp"u8,
        L4Protocol.Udp => "udp"u8,
        L4Protocol.Dccp => "dccp"u8,
        L4Protocol.Gre => "gre"u8,
        L4Protocol.Icmpv6 => "icmpv6"u8,
        L4Protocol.Sctp => "sctp"u8,
        L4Protocol.UdpLite => "udplite"u8,
        _ => "unknown"u8,
    };

    internal static ReadOnlySpan<byte> OfFamily(AddressFamily family) => family switch
    {
        AddressFamily.Ipv4 => "ipv4"u8,
        AddressFamily.Ipv6 => "ipv6"u8,
        _ => "unknown"u8,
    };

    /// <summary>The state's name; empty if the protocol has no states.</summary>
    internal static ReadOnlySpan<byte> OfState(byte protocol, byte state) => protocol switch
    {
        L4Protocol.Tcp => OfTcpState(state),
        L4Protocol.Sctp => OfSctpState(state),
        L4Protocol.Dccp => OfDccpState(state),
        _ => default,
    };

    /// <summary>
    /// The name of enum tcp_conntrack. The kernel once called value 9 LISTEN; the original prints
    /// its later meaning, a simultaneous open. Values it does not know print as NONE.
    /// </summary>
    internal static ReadOnlySpan<byte> OfTcpState(byte state) => state switch
    {
        1 => "SYN_SENT"u8,
        2 => "SYN_RECV"u8,
        3 => "ESTABLISHED"u8,
        4 => "FIN_WAIT"u8,
        5 => "CLOSE_WAIT"u8,
        6 => "LAST_ACK"u8,
        7 => "TIME_WAIT"u8,
        8 => "CLOSE"u8,
        9 => "SYN_SENT2"u8,
        _ => "NONE"u8,
    };

    private static ReadOnlySpan<byte> OfSctpState(byte state) => state switch
    {
        1 => "CLOSED"u8,
        2 => "COOKIE_WAIT"u8,
        3 => "COOKIE_ECHOED"u8,
        4 => "ESTABLISHED"u8,
        5 => "SHUTDOWN_SENT"u8,
        6 => "SHUTDOWN_RECD"u8,
        7 => "SHUTDOWN_ACK_SENT"u8,
        8 => "HEARTBEAT_SENT"u8,
        9 => "HEARTBEAT_ACKED"u8,
        _ => "NONE"u8,
    };

    private static ReadOnlySpan<byte> OfDccpState(byte state) => state switch
    {
        1 => "REQUEST"u8,
        2 => "RESPOND"u8,
        3 => "PARTOPEN"u8,
        4 => "OPEN"u8,
        5 => "CLOSEREQ"u8,
        6 => "CLOSING"u8,
        7 => "TIMEWAIT"u8,
        8 => "IGNORE"u8,
        9 => "INVALID"u8,
        _ => "NONE"u8,
    };
}
