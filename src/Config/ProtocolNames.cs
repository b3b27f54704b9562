using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>Protocol names of Protocol sets: the usual /etc/protocols, names and aliases.</summary>
/// <remarks>
/// The table is ours because the program runs where there is no /etc. As with getprotobyname the
/// spelling counts: most names exist in lower and in upper case, and a mixture only where it is
/// listed (IPv6-ICMP, UDPLite). Source: IANA protocol numbers with the aliases of netbase and BSD.
/// </remarks>
internal static class ProtocolNames
{
    /// <summary>A number and its spellings, blanks between them.</summary>
    private readonly record struct Protocol(byte Number, string Names);

    private static readonly Protocol[] s_protocols =
    [
        new(0, "ip IP hopopt HOPOPT"),
        new(1, "icmp ICMP"),
        new(2, "igmp IGMP"),
        new(3, "ggp GGP"),
        new(4, "ipencap IP-ENCAP ipv4 IPv4"),
        new(5, "st ST"),
        new(6, "tcp TCP"),
        new(7, "cbt CBT"),
        new(8, "egp EGP"),
        new(9, "igp IGP"),
        new(11, "nvp NVP-II"),
        new(12, "pup PUP"),
        new(17, "udp UDP"),
        new(20, "hmp HMP"),
        new(22, "xns-idp XNS-IDP"),
        new(27, "rdp RDP"),
        new(29, "iso-tp4 ISO-TP4"),
        new(33, "dccp DCCP"),
        new(34, "3pc 3PC"),
        new(35, "idpr IDPR"),
        new(36, "xtp XTP"),
        new(37, "ddp DDP"),
        new(38, "idpr-cmtp IDPR-CMTP"),
        new(41, "ipv6 IPv6"),
        new(43, "ipv6-route IPv6-Route"),
        new(44, "ipv6-frag IPv6-Frag"),
        new(45, "idrp IDRP"),
        new(46, "rsvp RSVP"),
        new(47, "gre GRE"),
        new(50, "esp IPSEC-ESP ESP"),
        new(51, "ah IPSEC-AH AH"),
        new(54, "narp NARP"),
        new(55, "mobile MOBILE"),
        new(57, "skip SKIP"),
        new(58, "ipv6-icmp IPv6-ICMP icmp6 ICMP6 icmpv6 ICMPv6"),
        new(59, "ipv6-nonxt IPv6-NoNxt"),
        new(60, "ipv6-opts IPv6-Opts"),
        new(73, "rspf RSPF CPHB"),
        new(77, "sun-nd SUN-ND"),
        new(81, "vmtp VMTP"),
        new(88, "eigrp EIGRP"),
        new(89, "ospf OSPFIGP OSPF"),
        new(93, "ax.25 AX.25"),
        new(94, "ipip IPIP"),
        new(97, "etherip ETHERIP"),
        new(98, "encap ENCAP"),
        new(103, "pim PIM"),
        new(108, "ipcomp IPCOMP"),
        new(112, "vrrp VRRP carp CARP"),
        new(113, "pgm PGM"),
        new(115, "l2tp L2TP"),
        new(118, "stp STP"),
        new(121, "smp SMP"),
        new(124, "isis ISIS"),
        new(129, "iplt IPLT"),
        new(131, "pipe PIPE"),
        new(132, "sctp SCTP"),
        new(133, "fc FC"),
        new(135, "mobility-header Mobility-Header"),
        new(136, "udplite UDPLite UDP-Lite UDPLITE"),
        new(137, "mpls-in-ip MPLS-in-IP"),
        new(138, "manet"),
        new(139, "hip HIP"),
        new(140, "shim6 Shim6"),
        new(141, "wesp WESP"),
        new(142, "rohc ROHC"),
        new(143, "ethernet Ethernet"),
        new(144, "aggfrag AGGFRAG"),
    ];

    private static readonly Dictionary<string, byte> s_numbers = MakeNumbers();

    /// <summary>All spellings.</summary>
    internal static IEnumerable<string> All => s_numbers.Keys;

    /// <summary>Finds the number of <paramref name="name"/>; the spelling must be exact.</summary>
    internal static bool TryGetNumber(string name, out byte number) =>
        s_numbers.TryGetValue(name, out number);

    /// <summary>The first spelling of a number that the table has.</summary>
    internal static string NameOf(byte number)
    {
        string names = Array.Find(s_protocols, protocol => protocol.Number == number).Names;
        return names.Split(' ')[0];
    }

    private static Dictionary<string, byte> MakeNumbers()
    {
        var numbers = new Dictionary<string, byte>();
        foreach ((byte number, string names) in s_protocols)
        {
            foreach (string name in names.Split(' ')) { numbers.Add(name, number); }
        }
        return numbers;
    }
}
