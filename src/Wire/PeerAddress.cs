using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>Who sent a datagram.</summary>
/// <param name="Family">Of <paramref name="Address"/>.</param>
/// <param name="Address">Tells peers apart.</param>
/// <param name="Port">
/// The sender's ephemeral port, host order: another one means the peer was started anew.
/// </param>
internal readonly record struct PeerAddress(AddressFamily Family, Address Address, ushort Port);
