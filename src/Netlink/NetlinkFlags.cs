using System.Diagnostics.CodeAnalysis;

namespace Conntrackd.Netlink;

/// <summary>
/// Flags of a netlink message; from 0x100 on their meaning depends on the message.
/// </summary>
/// <remarks>Source: linux/netlink.h, NLM_F_*.</remarks>
[Flags]
[SuppressMessage("Design", "CA1069", Justification = "The kernel gives one bit several meanings.")]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 0x1,              // without it the kernel acknowledges and does nothing
    Multi = 0x2,                // part of a dump; also on the single answer to a get
    Ack = 0x4,
    Echo = 0x8,
    DumpInterrupted = 0x10,
    DumpFiltered = 0x20,

    Root = 0x100,               // get
    Match = 0x200,
    Dump = Root | Match,

    Replace = 0x100,            // new
    Exclusive = 0x200,
    Create = 0x400,

    Capped = 0x100,             // error: the request is not repeated
    AckAttributes = 0x200,
}
