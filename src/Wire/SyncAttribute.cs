namespace Conntrackd.Wire;

/// <summary>
/// Attributes of a flow on the wire; numbers are big-endian where nothing is said.
/// </summary>
/// <remarks>
/// <code>
/// bytes 0-1  length with this header, without padding, big-endian
/// bytes 2-3  number, big-endian
/// then the payload, zero padded to a multiple of four
/// </code>Source: shared spec wire, sections 5 and 6. A node that runs the original drops the whole
/// message for a number of 33 or more.
/// </remarks>
internal enum SyncAttribute
{
    Ipv4 = 0,                   // source, target of the original direction
    Ipv6 = 1,
    L4Protocol = 2,             // u8
    Port = 3,                   // source u16, target u16
    TcpState = 4,               // u8
    Status = 5,                 // u32, IPS_* bits unfiltered
    Timeout = 6,                // u32 seconds
    Mark = 7,                   // u32
    MasterIpv4 = 8,             // as Ipv4, of the master
    MasterIpv6 = 9,
    MasterL4Protocol = 10,
    MasterPort = 11,
    SnatIpv4 = 12,              // new source
    DnatIpv4 = 13,              // new target
    SpatPort = 14,              // u16 little-endian
    DpatPort = 15,              // u16 little-endian
    SequenceAdjust = 16,        // position, before, after u32 of orig, then of reply
    SctpState = 17,             // u8
    SctpVtagOrig = 18,          // u32
    SctpVtagReply = 19,         // u32
    DccpState = 20,             // u8
    DccpRole = 21,              // u8
    IcmpType = 22,              // u8, for ICMPv6 too
    IcmpCode = 23,              // u8
    IcmpId = 24,                // u16 little-endian
    TcpWscaleOrig = 25,         // u8
    TcpWscaleReply = 26,        // u8
    HelperName = 27,            // text and one zero
    Labels = 28,                // words u32, label n is bit n % 32 of word n / 32
    SnatIpv6 = 29,
    DnatIpv6 = 30,
    Synproxy = 31,              // its, isn, offset u32
    Zone = 32,                  // u16
}
