using Conntrackd.Conntrack;

namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Block Filter.</summary>
    private static class FilterLanguage
    {
        internal static readonly Directive[] Directives =
        [
            new("Filter", Block.General, static p => p.ReadFilter())
            {
                Operand = "[From Userspace | Kernelspace] { ... }",
                Example = "From Userspace",
                Opens = Block.Filter,
                Help = "Which flows count. Without this block all do. A flow must pass each of "
                    + "the sets that is given: 'Accept' keeps only flows that are in the set, "
                    + "'Ignore' drops them. Several blocks add up. Both places mean the same, "
                    + "to the last address. 'From Kernelspace' lets the kernel drop the events of "
                    + "other flows, which then do not wake the daemon and are not counted; up to "
                    + "some 950 scattered IPv4 addresses or some 150 of IPv6 fit. With more, "
                    + "which the log says, the daemon tests them.",
            },
            new("Protocol", Block.Filter, static p => p.ReadProtocolSet())
            {
                Operand = "Accept | Ignore { protocol ... }",
                Example = "Accept { TCP UDP SCTP DCCP ICMP IPv6-ICMP }",
                Help = "Names as in /etc/protocols.",
            },
            new("Address", Block.Filter, static p => p.ReadAddressSet())
            {
                Operand = "Accept | Ignore { ... }",
                Example = "Ignore",
                Opens = Block.Address,
                Help = "Compared with the source of a flow and with its real destination, the one "
                    + "behind a translation. List the addresses of the firewall itself, the "
                    + "virtual ones too: what ends here is of no use to the peer.",
            },
            new("State", Block.Filter, static p => p.ReadStateSet())
            {
                Operand = "Accept | Ignore { state ... for TCP }",
                Example = "Accept { ESTABLISHED CLOSED TIME_WAIT CLOSE_WAIT for TCP }",
                Help = "States of TCP: 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', "
                    + "'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE' (or 'CLOSED') and 'LISTEN'. "
                    + "Flows of other protocols are not tested.",
            },
            new("IPv4_address", Block.Address,
                static p => p.ReadFilterAddress(AddressFamily.Ipv4))
            {
                Operand = "address[/length]",
                Example = "127.0.0.1",
                Help = "A host or a network.",
            },
            new("IPv6_address", Block.Address,
                static p => p.ReadFilterAddress(AddressFamily.Ipv6))
            {
                Operand = "address[/length]",
                Example = "::1",
                Help = "A host or a network.",
            },
        ];
    }
}
