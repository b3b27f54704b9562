namespace Conntrackd.Conntrack;

/// <summary>Which members of a <see cref="Flow"/> are known. Absent is not zero.</summary>
/// <remarks>
/// The kernel's updates are partial and the peer's messages carry what its kernel once said, so
/// merging copies only what is present. The bits are stored in every table slot: 32 at most.
/// </remarks>
[Flags]
internal enum FlowAttributes : uint
{
    None = 0,
    Orig = 1 << 0,              // addresses of the original direction; sets the family
    L4Keys = 1 << 1,            // ports, GRE keys, or ICMP id, type and code of Orig
    Protocol = 1 << 2,
    Reply = 1 << 3,             // reply tuple as the kernel reported it
    Status = 1 << 4,
    Timeout = 1 << 5,
    Mark = 1 << 6,
    Zone = 1 << 7,              // zone of both directions
    ZoneOrig = 1 << 8,          // zone of the original direction alone
    ZoneReply = 1 << 9,
    ProtocolState = 1 << 10,    // TCP, SCTP or DCCP state
    TcpWscale = 1 << 11,
    TcpFlags = 1 << 12,
    SctpVtags = 1 << 13,
    DccpRole = 1 << 14,
    Master = 1 << 15,           // addresses and protocol of the master's original tuple
    MasterL4Keys = 1 << 16,
    Snat = 1 << 17,             // the peer's description of NAT: where Reply differs from the
    Dnat = 1 << 18,             // plain inverse of Orig. The kernel never sends these four, see
    Spat = 1 << 19,             // Flow.DescribeNat and Flow.ApplyNat
    Dpat = 1 << 20,
    SequenceAdjust = 1 << 21,
    Helper = 1 << 22,
    Labels = 1 << 23,
    Synproxy = 1 << 24,
    Id = 1 << 25,
    Use = 1 << 26,
    Counters = 1 << 27,
    TimestampStart = 1 << 28,
    TimestampStop = 1 << 29,
    TimestampEvent = 1 << 30,
}
