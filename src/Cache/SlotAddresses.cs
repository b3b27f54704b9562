using System.Runtime.InteropServices;

namespace Conntrackd.Cache;

/// <summary>Tuples of an IPv4 flow as they stand in a slot, 24 bytes.</summary>
/// <remarks>
/// The reply half is the kernel's reply tuple (internal cache) or the described NAT (external
/// cache): ReplySource = new target, ReplyTarget = new source, and the ports likewise.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotAddressesIpv4
{
    internal uint OrigSource;
    internal uint OrigTarget;
    internal ushort OrigL4Source;
    internal ushort OrigL4Target;
    internal ushort ReplyL4Source;
    internal ushort ReplyL4Target;
    internal uint ReplySource;
    internal uint ReplyTarget;
}

/// <summary>
/// Tuples of an IPv6 flow, 72 bytes; halves as in <see cref="SlotAddressesIpv4"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotAddressesIpv6
{
    internal Conntrack.Address OrigSource;
    internal Conntrack.Address OrigTarget;
    internal Conntrack.Address ReplySource;
    internal Conntrack.Address ReplyTarget;
    internal ushort OrigL4Source;
    internal ushort OrigL4Target;
    internal ushort ReplyL4Source;
    internal ushort ReplyL4Target;
}
