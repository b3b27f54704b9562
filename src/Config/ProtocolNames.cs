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
    private static readonly (byte Number, string Names)[] s_protocols =
    [
        (0, "ip IP hopopt HOPOPT"),
        (1, "icmp ICMP"),
        (2, "igmp IGMP"),
        (3, "ggp GGP"),
        (4, "ipencap IP-ENCAP ipv4 IPv4"),
        (5, "st ST"),
        (6, "tcp TCP"),
        (7, "cbt CBT"),
        (8, "egp EGP"),
        (9, "igp IGP"),
        (11, "nvp NVP-II"),
        (12, "pup PUP"),
        (17, "udp UDP"),
        (20, "hmp HMP"),
        (22, "xns-idp XNS-IDP"),
        (27, "rdp RDP"),
        (29, "iso-tp4 ISO-TP4"),
        (33, "dccp DCCP"),
        (34, "3pc 3PC"),
        (35, "idpr IDPR"),
        (36, "xtp XTP"),
        (37, "ddp DDP"),
        (38, "idpr-cmtp IDPR-CMTP"),
        (41, "ipv6 IPv6"),
        (43, "ipv6-route IPv6-Route"),
        (44, "ipv6-frag IPv6-Frag"),
        (45, "idrp IDRP"),
        (46, "rsvp RSVP"),
        (47, "gre GRE"),
        (50, "esp IPSEC-ESP ESP"),
        (51, "ah IPSEC-AH AH"),
        (54, "narp NARP"),
        (55, "mobile MOBILE"),
        (57, "skip SKIP"),
        (58, "ipv6-icmp IPv6-ICMP icmp6 ICMP6 icmpv6 ICMPv6"),
        (59, "ipv6-nonxt IPv6-NoNxt"),
        (60, "ipv6-opts IPv6-Opts"),
        (73, "rspf RSPF CPHB"),
        (77, "sun-nd SUN-ND"),
        (81, "vmtp VMTP"),
        (88, "eigrp EIGRP"),
        (89, "ospf OSPFIGP OSPF"),
        (93, "ax.25 AX.25"),
        (94, "ipip IPIP"),
        (97, "etherip ETHERIP"),
        (98, "encap ENCAP"),
        (103, "pim PIM"),
        (108, "ipcomp IPCOMP"),
        (112, "vrrp VRRP carp CARP"),
        (113, "pgm PGM"),
        (115, "l2tp L2TP"),
        (118, "stp STP"),
        (121, "smp SMP"),
        (124, "isis ISIS"),
        (129, "iplt IPLT"),
        (131, "pipe PIPE"),
        (132, "sctp SCTP"),
        (133, "fc FC"),
        (135, "mobility-header Mobility-Header"),
        (136, "udplite UDPLite UDP-Lite UDPLITE"),
        (137, "mpls-in-ip MPLS-in-IP"),
        (138, "manet"),
        (139, "hip HIP"),
        (140, "shim6 Shim6"),
        (141, "wesp WESP"),
        (142, "rohc ROHC"),
        (143, "ethernet Ethernet"),
        (144, "aggfrag AGGFRAG"),
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
