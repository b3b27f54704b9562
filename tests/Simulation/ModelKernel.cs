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
    private uint _nextId = 1;

    internal delegate void Event(FlowEventKind kind, ref Flow flow);

    internal Event? Listener { get; set; }

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
