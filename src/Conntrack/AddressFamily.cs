namespace Conntrackd.Conntrack;

/// <summary>nfgenmsg.nfgen_family: the family of a flow's addresses.</summary>
internal enum AddressFamily : byte
{
    Unknown = 0,
    Ipv4 = 2,                   // AF_INET
    Ipv6 = 10,                  // AF_INET6
}
