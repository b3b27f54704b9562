namespace Conntrackd.Conntrack;

/// <summary>
/// Bits of CTA_STATUS (linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status).
/// </summary>
[Flags]
internal enum FlowStatus : uint
{
    None = 0,
    Expected = 0x1,             // IPS_EXPECTED: set by the kernel from CTA_TUPLE_MASTER, never sent
    SeenReply = 0x2,            // IPS_SEEN_REPLY
    Assured = 0x4,              // IPS_ASSURED
    Confirmed = 0x8,            // IPS_CONFIRMED: required in every create and update
    SrcNat = 0x10,              // IPS_SRC_NAT
    DstNat = 0x20,              // IPS_DST_NAT
    SeqAdjust = 0x40,           // IPS_SEQ_ADJUST
    SrcNatDone = 0x80,          // IPS_SRC_NAT_DONE: NAT was evaluated, perhaps without effect
    DstNatDone = 0x100,         // IPS_DST_NAT_DONE
    Dying = 0x200,              // IPS_DYING: in destroy events
    FixedTimeout = 0x400,       // IPS_FIXED_TIMEOUT: cannot be cleared again, masked out
    Offload = 0x4000,           // IPS_OFFLOAD
    HwOffload = 0x8000,         // IPS_HW_OFFLOAD
}
