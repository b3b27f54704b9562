using System.Collections.Generic;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// A kernel's table of flows as far as the engine can see it: events, and a dump in pieces. While
/// it is
/// overrun, changes happen without an event.
/// </summary>
internal sealed class ModelKernel(int node)
{
    private readonly Dictionary<int, Flow> _flows = [];
    private readonly Dictionary<int, Expectation> _expectations = [];
    private uint _nextId = 1;

    internal delegate void Event(FlowEventKind kind, ref Flow flow);

    internal delegate void ExpectationEvent(FlowEventKind kind, ref Expectation expectation);

    internal Event? Listener { get; set; }

    internal ExpectationEvent? ExpectationListener { get; set; }

    /// <summary>What helpers expect, one at most of each flow, by the key of the flow.</summary>
    internal IReadOnlyDictionary<int, Expectation> Expectations => _expectations;

    internal bool Overrun { get; set; }

    internal int Count => _flows.Count;

    internal IEnumerable<int> Keys => _flows.Keys;

    internal Flow this[int key] => _flows[key];

    internal bool Has(int key) => _flows.ContainsKey(key);

    internal void Create(int key, uint mark)
    {
        Flow flow = Make(key, mark);
        _flows[key] = flow;
        Tell(FlowEventKind.New, ref flow);
    }

    internal void Change(int key, byte state, uint mark)
    {
        Flow flow = _flows[key];
        flow.ProtocolState = state;
        flow.Status |= FlowStatus.SeenReply | FlowStatus.Assured;
        flow.Mark = mark;
        _flows[key] = flow;
        Tell(FlowEventKind.Update, ref flow);
    }

    internal void Destroy(int key)
    {
        Flow flow = _flows[key];
        _flows.Remove(key);
        flow.Status |= FlowStatus.Dying;
        Tell(FlowEventKind.Destroy, ref flow);
        if (_expectations.ContainsKey(key)) { Unexpect(key); }
    }

    /// <summary>The helper of a flow expects another, with one of a few ports.</summary>
    internal void Expect(int key, ushort port)
    {
        Flow master = _flows[key];
        var expectation = new Expectation
        {
            Family = master.Family,
            Protocol = master.Protocol,
            MaskProtocol = master.Protocol,
            MasterProtocol = master.Protocol,
            Master = master.Orig,
            Tuple = master.Orig with { L4Source = 0, L4Target = port },
            Mask = new FlowTuple { L4Target = ushort.MaxValue },
            TimeoutSeconds = 300,
            Id = _nextId++,
            Class = port % 2u,
            Present = ExpectationAttributes.Tuple | ExpectationAttributes.Mask
                | ExpectationAttributes.Master | ExpectationAttributes.Timeout
                | ExpectationAttributes.Class | ExpectationAttributes.Id,
        };
        _expectations[key] = expectation;
        if (!Overrun) { ExpectationListener?.Invoke(FlowEventKind.New, ref expectation); }
    }

    /// <summary>What was expected has come.</summary>
    internal void Unexpect(int key)
    {
        Expectation expectation = _expectations[key];
        _expectations.Remove(key);
        if (!Overrun) { ExpectationListener?.Invoke(FlowEventKind.Destroy, ref expectation); }
    }

    private void Tell(FlowEventKind kind, ref Flow flow)
    {
        if (!Overrun) { Listener?.Invoke(kind, ref flow); }
    }

    private Flow Make(int key, uint mark)
    {
        bool ipv6 = key % 5 == 0;
        var flow = new Flow
        {
            Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4,
            Protocol = L4Protocol.Tcp,
            ProtocolState = 1,
            Status = FlowStatus.Confirmed,
            TimeoutSeconds = 120,
            Mark = mark,
            Id = _nextId++,
            Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol |
                FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.Timeout |
                FlowAttributes.Mark | FlowAttributes.ProtocolState | FlowAttributes.Id,
        };
        // Each node has addresses of its own, so every flow in an external cache has one owner.
        uint high = 0x0A00_0000u | ((uint)node << 16);
        flow.Orig.Source = new Address(ipv6 ? 0xFD00ul << 48 : 0, high | (uint)(key >> 8));
        flow.Orig.Target = new Address(ipv6 ? 0xFD01ul << 48 : 0, 0x0A63_0001);
        flow.Orig.L4Source = (ushort)(1024 + key);
        flow.Orig.L4Target = 80;
        Assert.True(flow.Orig.TryInvert(flow.Protocol, out flow.Reply));
        if (key % 7 == 0)
        {
            flow.Status |= FlowStatus.SrcNat | FlowStatus.SrcNatDone | FlowStatus.DstNatDone;
            flow.Reply.Target = new Address(flow.Orig.Source.High, 0x0A62_0001);
        }
        flow.DescribeNat();
        return flow;
    }
}
