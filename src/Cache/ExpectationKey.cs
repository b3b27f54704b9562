using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>What tells expectations apart: expected tuple, mask, master and zone.</summary>
internal readonly record struct ExpectationKey
{
    private readonly FlowTuple _tuple;
    private readonly FlowTuple _mask;
    private readonly FlowTuple _master;
    private readonly AddressFamily _family;
    private readonly byte _protocol;
    private readonly byte _masterProtocol;
    private readonly ushort _zone;

    internal ExpectationKey(in Expectation expectation)
    {
        _tuple = expectation.Tuple;
        _mask = expectation.Has(ExpectationAttributes.Mask) ? expectation.Mask : default;
        _master = expectation.Master;
        _family = expectation.Family;
        _protocol = expectation.Protocol;
        _masterProtocol = expectation.MasterProtocol;
        _zone = expectation.KeyZone;
    }

    /// <summary>Seeded by the runtime: a peer cannot aim expectations at one bucket.</summary>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(_tuple.Source.High);
        hash.Add(_tuple.Source.Low);
        hash.Add(_tuple.Target.High);
        hash.Add(_tuple.Target.Low);
        hash.Add((_tuple.L4Source << 16) | _tuple.L4Target);
        hash.Add(_master.Source.Low);
        hash.Add(_master.Target.Low);
        hash.Add((_master.L4Source << 16) | _master.L4Target);
        hash.Add((_mask.L4Source << 16) | _mask.L4Target);
        hash.Add((_zone << 16) | (_protocol << 8) | _masterProtocol);
        hash.Add((int)_family);
        return hash.ToHashCode();
    }
}
