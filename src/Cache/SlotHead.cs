using System.Runtime.InteropServices;
using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>
/// The 40 bytes every table slot begins with; addresses follow (<see cref="SlotAddressesIpv4"/>).
/// </summary>
/// <remarks>
/// One cache line holds a whole IPv4 flow:
/// <code>
///  0 Version      4 Present     8 Status   10 Zone    12 TimeoutSeconds   16 Mark
/// 20 CreatedSeconds            24 Id       28 Sequence                    32 Side
/// 36 Protocol    37 ProtocolState          38 Wscale  39 Life             40 addresses …
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotHead
{
    internal const int Size = 40;

    /// <summary>The largest <see cref="Generation"/>; after it comes 0.</summary>
    internal const byte GenerationMax = 7;

    private const int GenerationShift = 5;

    /// <summary>Even = stable; the writer makes it odd while it changes the slot.</summary>
    internal uint Version;

    /// <summary>Zero = the slot is free.</summary>
    internal FlowAttributes Present;

    internal ushort Status;             // the kernel defines 16 bits
    internal ushort Zone;               // Flow.KeyZone
    internal uint TimeoutSeconds;
    internal uint Mark;
    internal uint CreatedSeconds;       // on the engine's clock, "active since"

    /// <summary>
    /// Kernel's id (internal cache) or second of the last message (external cache).
    /// </summary>
    internal uint IdOrTouched;

    /// <summary>
    /// Sequence of the message in flight (internal cache), stamp of its sender (external cache),
    /// next free slot (free list).
    /// </summary>
    internal uint Sequence;

    /// <summary>Number of the slot with rare attributes, 0 = none.</summary>
    internal uint Side;

    internal byte Protocol;
    internal byte ProtocolState;
    internal byte Wscale;               // original << 4 | reply; both are at most 14
    internal SlotLife Life;

    /// <summary>Which run of the kernel's table showed the flow last.</summary>
    internal byte Generation
    {
        readonly get => (byte)((byte)Life >> GenerationShift);
        set => Life = (Life & ~SlotLife.GenerationMask) | (SlotLife)(value << GenerationShift);
    }
}

/// <summary>
/// Where a flow stands in its life and in the queues; the upper three bits are a generation.
/// </summary>
[Flags]
internal enum SlotLife : byte
{
    None = 0,
    Updated = 1,                        // announced as update, no longer as new
    Dead = 2,                           // destroyed, kept until the peers know
    Queued = 4,                         // waits in the send queue
    InFlight = 8,                       // sent, not acknowledged by all peers
    Renewed = 16,                       // the tuple belongs to another entry than the peers know
    GenerationMask = 0xE0,              // SlotHead.Generation
}
