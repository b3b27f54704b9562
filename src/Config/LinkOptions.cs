using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>How a dedicated link carries messages.</summary>
internal enum LinkKind : byte { Multicast, Udp, Tcp }

/// <summary>One Multicast, UDP or TCP block.</summary>
internal sealed record LinkOptions(LinkKind Kind, SourcePosition Position)
{
    internal const int InterfaceNameLengthMax = 15;

    /// <summary>The link used first; true for exactly one.</summary>
    internal bool IsDefault { get; init; }

    /// <summary>Of all addresses of the link.</summary>
    internal AddressFamily Family { get; init; }

    /// <summary>UDP, TCP: address to bind to; null: the wildcard.</summary>
    internal Address? LocalAddress { get; init; }

    /// <summary>UDP, TCP: the peer.</summary>
    internal Address DestinationAddress { get; init; }

    /// <summary>Multicast: the group.</summary>
    internal Address GroupAddress { get; init; }

    /// <summary>Multicast, IPv4: own address on the interface; null: the system chooses.</summary>
    internal Address? InterfaceAddress { get; init; }

    /// <summary>Port (UDP, TCP) or Group (Multicast), both ends; not 0.</summary>
    internal ushort Port { get; init; }

    /// <summary>At most 15 bytes; whether it exists is not known here.</summary>
    internal string InterfaceName { get; init; } = "";

    /// <summary>0: as the system gives it.</summary>
    internal int SendBufferBytes { get; init; }

    /// <summary>0: as the system gives it.</summary>
    internal int ReceiveBufferBytes { get; init; }

    /// <summary>False: datagrams go out without a UDP checksum.</summary>
    internal bool Checksum { get; init; } = true;

    /// <summary>Keys that frames are sealed with; null: none, messages as the original's.</summary>
    internal string? KeyFile { get; init; }

    /// <summary>Frames end with a digest; never together with a key.</summary>
    internal bool FrameChecksum { get; init; }
}
