namespace Conntrackd.Conntrack;

/// <summary>Types of the messages of subsystem 1, conntrack, and 2, expectations.</summary>
/// <remarks>
/// Source: linux/netfilter/nfnetlink_conntrack.h, subsystem &lt;&lt; 8 | message.
/// </remarks>
internal static class CtMessage
{
    internal const ushort New = 0x0100;         // IPCTNL_MSG_CT_NEW; updates, dumps and gets too
    internal const ushort Get = 0x0101;         // IPCTNL_MSG_CT_GET
    internal const ushort Delete = 0x0102;      // IPCTNL_MSG_CT_DELETE
    internal const ushort ExpectNew = 0x0200;   // IPCTNL_MSG_EXP_NEW
    internal const ushort ExpectGet = 0x0201;   // IPCTNL_MSG_EXP_GET
    internal const ushort ExpectDelete = 0x0202; // IPCTNL_MSG_EXP_DELETE
}

/// <summary>
/// Attributes of a flow in ctnetlink. Numbers are big-endian where nothing is said.
/// </summary>
/// <remarks>Source: linux/netfilter/nfnetlink_conntrack.h, enum ctattr_type.</remarks>
internal enum CtAttribute
{
    TupleOrig = 1,              // CTA_TUPLE_ORIG, nest CtTuple
    TupleReply = 2,             // CTA_TUPLE_REPLY, nest CtTuple
    Status = 3,                 // CTA_STATUS, u32
    ProtocolInfo = 4,           // CTA_PROTOINFO, nest CtProtocolInfo
    Help = 5,                   // CTA_HELP, nest: 1 name with terminating zero
    NatSource = 6,              // CTA_NAT_SRC, nest CtNat; only ever sent to the kernel
    Timeout = 7,                // CTA_TIMEOUT, u32 seconds
    Mark = 8,                   // CTA_MARK, u32
    CountersOrig = 9,           // CTA_COUNTERS_ORIG, nest: 1 packets u64, 2 bytes u64
    CountersReply = 10,         // CTA_COUNTERS_REPLY
    Use = 11,                   // CTA_USE, u32
    Id = 12,                    // CTA_ID, u32
    NatTarget = 13,             // CTA_NAT_DST, nest CtNat
    TupleMaster = 14,           // CTA_TUPLE_MASTER, nest CtTuple
    SequenceAdjustOrig = 15,    // CTA_SEQ_ADJ_ORIG, nest: 1 position, 2 before, 3 after, u32 each
    SequenceAdjustReply = 16,   // CTA_SEQ_ADJ_REPLY
    Zone = 18,                  // CTA_ZONE, u16
    Timestamp = 20,             // CTA_TIMESTAMP, nest: 1 start, 2 stop, u64 nanoseconds
    Labels = 22,                // CTA_LABELS, bitmap in words of the host's long
    Synproxy = 24,              // CTA_SYNPROXY, nest: 1 isn, 2 its, 3 offset, u32 each
    TimestampEvent = 27,        // CTA_TIMESTAMP_EVENT, u64 nanoseconds
}

/// <summary>Nest of a tuple: enum ctattr_tuple.</summary>
internal enum CtTuple
{
    Ip = 1,                     // CTA_TUPLE_IP, nest CtIp
    Protocol = 2,               // CTA_TUPLE_PROTO, nest CtProtocol
    Zone = 3,                   // CTA_TUPLE_ZONE, u16: the zone of this direction alone
}

/// <summary>Addresses of a tuple: enum ctattr_ip.</summary>
internal enum CtIp
{
    V4Source = 1,               // CTA_IP_V4_SRC
    V4Target = 2,               // CTA_IP_V4_DST
    V6Source = 3,               // CTA_IP_V6_SRC
    V6Target = 4,               // CTA_IP_V6_DST
}

/// <summary>Layer-4 keys of a tuple: enum ctattr_l4proto.</summary>
internal enum CtProtocol
{
    Number = 1,                 // CTA_PROTO_NUM, u8
    SourcePort = 2,             // CTA_PROTO_SRC_PORT, u16
    TargetPort = 3,             // CTA_PROTO_DST_PORT, u16
    IcmpId = 4,                 // CTA_PROTO_ICMP_ID, u16
    IcmpType = 5,               // CTA_PROTO_ICMP_TYPE, u8
    IcmpCode = 6,               // CTA_PROTO_ICMP_CODE, u8
    Icmpv6Id = 7,               // CTA_PROTO_ICMPV6_ID, u16
    Icmpv6Type = 8,             // CTA_PROTO_ICMPV6_TYPE, u8
    Icmpv6Code = 9,             // CTA_PROTO_ICMPV6_CODE, u8
}

/// <summary>State kept per protocol: enum ctattr_protoinfo.</summary>
internal enum CtProtocolInfo
{
    Tcp = 1,                    // CTA_PROTOINFO_TCP, nest CtTcp
    Dccp = 2,                   // CTA_PROTOINFO_DCCP, nest CtDccp
    Sctp = 3,                   // CTA_PROTOINFO_SCTP, nest CtSctp
}

/// <summary>State of TCP: enum ctattr_protoinfo_tcp.</summary>
internal enum CtTcp
{
    State = 1,                  // CTA_PROTOINFO_TCP_STATE, u8
    WscaleOrig = 2,             // CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, u8
    WscaleReply = 3,            // CTA_PROTOINFO_TCP_WSCALE_REPLY, u8
    FlagsOrig = 4,              // CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, u8 flags, u8 mask
    FlagsReply = 5,             // CTA_PROTOINFO_TCP_FLAGS_REPLY
}

/// <summary>State of DCCP: enum ctattr_protoinfo_dccp.</summary>
internal enum CtDccp
{
    State = 1,                  // CTA_PROTOINFO_DCCP_STATE, u8
    Role = 2,                   // CTA_PROTOINFO_DCCP_ROLE, u8
}

/// <summary>State of SCTP: enum ctattr_protoinfo_sctp.</summary>
internal enum CtSctp
{
    State = 1,                  // CTA_PROTOINFO_SCTP_STATE, u8
    VtagOrig = 2,               // CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, u32
    VtagReply = 3,              // CTA_PROTOINFO_SCTP_VTAG_REPLY, u32
}

/// <summary>NAT to set up on create: enum ctattr_nat.</summary>
internal enum CtNat
{
    V4AddressMin = 1,           // CTA_NAT_V4_MINIP
    V4AddressMax = 2,           // CTA_NAT_V4_MAXIP
    Protocol = 3,               // CTA_NAT_PROTO, nest CtNatProtocol
    V6AddressMin = 4,           // CTA_NAT_V6_MINIP
    V6AddressMax = 5,           // CTA_NAT_V6_MAXIP
}

/// <summary>Ports of NAT: enum ctattr_protonat.</summary>
internal enum CtNatProtocol
{
    PortMin = 1,                // CTA_PROTONAT_PORT_MIN, u16
    PortMax = 2,                // CTA_PROTONAT_PORT_MAX, u16
}

/// <summary>Attributes of an expectation: enum ctattr_expect.</summary>
internal enum CtExpect
{
    Master = 1,                 // CTA_EXPECT_MASTER, nest CtTuple
    Tuple = 2,                  // CTA_EXPECT_TUPLE, nest CtTuple
    Mask = 3,                   // CTA_EXPECT_MASK, nest CtTuple
    Timeout = 4,                // CTA_EXPECT_TIMEOUT, u32 seconds
    Id = 5,                     // CTA_EXPECT_ID, u32
    HelperName = 6,             // CTA_EXPECT_HELP_NAME, text with terminating zero
    Zone = 7,                   // CTA_EXPECT_ZONE, u16; only ever sent to the kernel
    Flags = 8,                  // CTA_EXPECT_FLAGS, u32
    Class = 9,                  // CTA_EXPECT_CLASS, u32
    Nat = 10,                   // CTA_EXPECT_NAT, nest CtExpectNat
    Function = 11,              // CTA_EXPECT_FN, text with terminating zero
}

/// <summary>NAT of an expectation: enum ctattr_expect_nat.</summary>
internal enum CtExpectNat
{
    Direction = 1,              // CTA_EXPECT_NAT_DIR, u32
    Tuple = 2,                  // CTA_EXPECT_NAT_TUPLE, nest CtTuple
}
