using System.Collections.Generic;

namespace Conntrackd.Conntrack;

/// <summary>Collects what a <see cref="FlowFilter"/> tests; blocks add up.</summary>
/// <remarks>
/// A class is active once it has a policy, even with nothing listed: an empty Accept drops all. The
/// policy belongs to the whole class, so the last one given holds for items listed before it.
/// </remarks>
internal sealed class FlowFilterBuilder
{
    private readonly List<AddressPrefix> _ipv4 = [];
    private readonly List<AddressPrefix> _ipv6 = [];

    internal FilterPolicy ProtocolPolicy { get; set; }
    internal FilterPolicy AddressPolicy { get; set; }
    internal FilterPolicy StatePolicy { get; set; }
    internal ProtocolSet Protocols { get; private set; }
    internal TcpStateSet TcpStates { get; private set; }
    internal IReadOnlyCollection<AddressPrefix> Ipv4 => _ipv4;
    internal IReadOnlyCollection<AddressPrefix> Ipv6 => _ipv6;

    internal void AddProtocol(byte protocol) => Protocols = Protocols.With(protocol);

    internal void AddTcpState(byte state) => TcpStates = TcpStates.With(state);

    internal void AddAddress(AddressPrefix prefix) =>
        (prefix.Family == AddressFamily.Ipv4 ? _ipv4 : _ipv6).Add(prefix);

    /// <summary>True if both test the same, whatever the order of their addresses.</summary>
    internal bool IsLike(FlowFilterBuilder other) =>
        (ProtocolPolicy, AddressPolicy, StatePolicy, Protocols, TcpStates)
            == (other.ProtocolPolicy, other.AddressPolicy, other.StatePolicy, other.Protocols,
                other.TcpStates)
        && new HashSet<AddressPrefix>(_ipv4).SetEquals(other._ipv4)
        && new HashSet<AddressPrefix>(_ipv6).SetEquals(other._ipv6);

    internal FlowFilter Build() => new(this);
}
