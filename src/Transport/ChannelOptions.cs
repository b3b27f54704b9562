using Conntrackd.Conntrack;

namespace Conntrackd.Transport;

/// <summary>How a channel reaches its peers.</summary>
internal enum ChannelKind : byte
{
    Multicast,                  // to all members of a group
    Unicast,                    // UDP to one peer
    Stream,                     // TCP to one peer
}

/// <summary>One dedicated link as configured.</summary>
/// <remarks>
/// Multicast: Target is the group, Local the address of the IPv4 interface (IPv4_interface; 0 if
/// not given). Unicast, stream: Local is what is listened on, Target the peer.
/// </remarks>
internal sealed record ChannelOptions
{
    internal required ChannelKind Kind { get; init; }

    internal required AddressFamily Family { get; init; }

    internal Address Local { get; init; }

    internal required Address Target { get; init; }

    /// <summary>Port that both ends listen on ("Group" of a multicast link).</summary>
    internal required ushort Port { get; init; }

    /// <summary>Datagrams: port to send from; 0: any that is free.</summary>
    internal ushort SourcePort { get; init; }

    /// <summary>Supplies MTU, index and scope.</summary>
    internal required string Interface { get; init; }

    /// <summary>Bytes given to SO_SNDBUFFORCE; 0 keeps the system's.</summary>
    internal int SendBufferBytes { get; init; }

    /// <summary>Bytes given to SO_RCVBUFFORCE; 0 keeps the system's.</summary>
    internal int ReceiveBufferBytes { get; init; }

    /// <summary>False: datagrams over IPv4 carry no UDP checksum.</summary>
    internal bool Checksum { get; init; } = true;

    /// <summary>
    /// Unicast, stream: take what comes from any address, for a peer that sends from another one
    /// than it listens on.
    /// </summary>
    internal bool AnySource { get; init; }
}
