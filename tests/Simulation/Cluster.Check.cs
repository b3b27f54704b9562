using System.Collections.Generic;
using System.Text;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;

namespace Conntrackd.Tests.Simulation;

// What must hold: bounds all the time, equal tables in the end.
internal sealed partial class Cluster
{
    // Beside what the resend queue holds: control messages, which are bounded on their own.
    private const int ControlsMax = 1024;

    private readonly StringBuilder _wrong = new();
    private readonly Dictionary<ModelNode, Dictionary<FlowTuple, uint>> _versions = [];

    private void CheckBounds(ModelNode node)
    {
        SyncEngine engine = node.Engine;
        bool bounded = engine.Ring.Count <= engine.Ring.SizeMax + ControlsMax &&
            engine.Ring.Next - engine.Ring.Oldest <= (2 * engine.Ring.SpanMax) + ControlsMax &&
            engine.ControlsWaiting <= ControlsMax &&
            engine.Queue.Count <= 2 * (node.Internal.Slots + 100) &&
            node.Internal.Counters.Active <= node.FlowsMax;
        if (bounded) { return; }
        _wrong.AppendLine($"node {node.Number}: out of bounds at {_now}: in flight " +
            $"{engine.Ring.Count} of {engine.Ring.SizeMax}, span " +
            $"{engine.Ring.Next - engine.Ring.Oldest}, controls {engine.ControlsWaiting}, queue " +
            $"{engine.Queue.Count}, flows {node.Internal.Counters.Active}");
    }

    // Nothing that a node holds of a peer becomes older. Best effort promises no such thing.
    private void CheckVersions(ModelNode node)
    {
        if (_schedule.Mode != SyncMode.Ftfw || _schedule.Flips || _random.Next(4) != 0) { return; }
        if (!_versions.TryGetValue(node, out Dictionary<FlowTuple, uint>? seen))
        {
            _versions[node] = seen = [];
        }
        Flow held = default;
        foreach (uint handle in Handles(node.External))
        {
            node.External.Load(handle, ref held);
            if (seen.TryGetValue(held.Orig, out uint version) && version > held.Mark)
            {
                _wrong.AppendLine($"node {node.Number}: flow {held.Orig.L4Source - 1024} went " +
                    $"back from version {version} to {held.Mark} at {_now}");
            }
            seen[held.Orig] = held.Mark;
        }
    }

    private static IEnumerable<uint> Handles(FlowTable table)
    {
        for (uint at = table.Advance(0); at != 0; at = table.Advance(at))
        {
            if (table.IsInUse(at)) { yield return at; }
        }
    }

    private string? Check()
    {
        if (_wrong.Length == 0)
        {
            foreach (ModelNode node in _nodes) { CheckEnd(node); }
        }
        return _wrong.Length == 0 ? null : Describe() + _wrong;
    }

    private void CheckEnd(ModelNode node)
    {
        CheckInternal(node);
        int expected = 0;
        bool endsUntold = false;
        foreach (ModelNode other in _nodes)
        {
            if (other == node) { continue; }
            expected += other.Kernel.Count;
            endsUntold |= _schedule.HasOriginal && other.Engine.Counters.GivenUp != 0;
            CheckExternal(other, node);
        }
        if (endsUntold ? node.External.Count < expected : node.External.Count != expected)
        {
            _wrong.AppendLine(
                $"node {node.Number}: external has {node.External.Count}, not {expected}");
        }
        CheckExpectations(node);
        if (node.Engine.Queue.Count != 0 || node.Engine.Ring.Count > 64)
        {
            _wrong.AppendLine($"node {node.Number}: queues are not empty");
        }
    }

    private void CheckExpectations(ModelNode node)
    {
        int expected = 0;
        foreach (ModelNode owner in _nodes)
        {
            bool own = owner == node;
            ExpectationTable table = own ? node.Expectations : node.ExternalExpectations;
            expected += own ? 0 : owner.Kernel.Expectations.Count;
            foreach ((int key, Expectation expectation) in owner.Kernel.Expectations)
            {
                Expectation wanted = expectation;
                uint handle = table.Find(in wanted);
                if (handle != 0 && !table.At(handle).IsDead) { continue; }
                _wrong.AppendLine($"node {node.Number}: expectation of flow {key} of node " +
                    $"{owner.Number} is missing");
            }
        }
        if ((int)node.Expectations.Counters.Active != node.Kernel.Expectations.Count ||
            node.ExternalExpectations.Count != expected)
        {
            _wrong.AppendLine(
                $"node {node.Number}: {node.Expectations.Counters.Active} own and " +
                $"{node.ExternalExpectations.Count} external expectations, not " +
                $"{node.Kernel.Expectations.Count} and {expected}");
        }
    }

    private void CheckInternal(ModelNode node)
    {
        foreach (int key in node.Kernel.Keys)
        {
            Flow flow = node.Kernel[key];
            uint handle = node.Internal.Find(in flow);
            if (handle == 0 || (node.Internal.Head(handle).Life & SlotLife.Dead) != 0 ||
                node.Internal.Differs(handle, in flow))
            {
                _wrong.AppendLine($"node {node.Number}: flow {key} wrong in its own cache");
            }
        }
        if ((int)node.Internal.Counters.Active != node.Kernel.Count)
        {
            _wrong.AppendLine($"node {node.Number}: {node.Internal.Counters.Active} own flows, " +
                $"kernel {node.Kernel.Count}");
        }
    }

    private void CheckExternal(ModelNode owner, ModelNode holder)
    {
        Flow held = default;
        foreach (int key in owner.Kernel.Keys)
        {
            Flow flow = owner.Kernel[key];
            uint handle = holder.External.Find(in flow);
            if (handle == 0)
            {
                _wrong.AppendLine(
                    $"node {holder.Number}: flow {key} of node {owner.Number} missing");
                continue;
            }
            holder.External.Load(handle, ref held);
            if (held.ProtocolState != flow.ProtocolState || held.Mark != flow.Mark ||
                held.Status != flow.Status ||
                held.Has(FlowAttributes.Snat) != flow.Has(FlowAttributes.Snat))
            {
                _wrong.AppendLine(
                    $"node {holder.Number}: flow {key} of node {owner.Number} outdated");
            }
        }
    }

    private string Describe() =>
        _schedule + "\n" + string.Concat(_nodes.ConvertAll(Describe));

    private string Describe(ModelNode node)
    {
        SyncCounters counters = node.Engine.Counters;
        var text = new StringBuilder($"node {node.Number}: queue {node.Engine.Queue.Count}, " +
            $"in flight {node.Engine.Ring.Count}, bulk {node.Engine.IsBulkRunning}, " +
            $"overdue {counters.Overdue}, swept {counters.Swept}, " +
            $"bulks {counters.BulksSent}/{counters.BulksReceived}, " +
            $"given up {counters.GivenUp}, strange {counters.StrangeAcks}, now {_now}");
        foreach (Peer? p in node.Engine.Peers)
        {
            if (p is null) { continue; }
            text.Append($"; peer {p.Number}: alive {p.Alive}, own {p.IsOwnKind}, " +
                $"greeted {p.Greeted}, mute {p.Mute}, " +
                $"in flight {p.InFlight} of {p.Window}, heard {p.LastHeard}, " +
                $"progress {p.LastProgress}, missed {p.MissedSome}");
        }
        return text.AppendLine().ToString();
    }
}
