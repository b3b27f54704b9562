using System.Collections.Generic;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// Nodes on one multicast link that loses, duplicates, reorders, turns bits over and is cut, and a
/// workload, all from one seed in virtual time.
/// </summary>
/// <remarks>
/// What must hold in the end: FTFW, whatever happened: the caches are equal. NOTRACK: they are if
/// nothing was lost, overtaken, cut or started anew (every other seed), else after a flush and a
/// request. ALARM: whatever happened, after one refresh and one cache timeout. The original marks
/// no end of a bulk, so with one in the cluster an operator empties the external caches first; and
/// flows whose ends were given up, to a peer that talked and was deaf for seconds, stay there until
/// a minute after their timeout (StaleFlowTests).
/// What must hold all the time: queues are bounded, and in FTFW nothing older than what a peer
/// holds takes its place.
/// </remarks>
internal sealed partial class Cluster : IDisposable
{
    private readonly record struct InFlight(int To, int From, byte[] Bytes, ushort Port);

    private const long Second = SyncEngine.Second;
    private const int StepsMax = 400_000;
    private const int Payload = 1471;
    private const int WallJumpMax = 200_000;

    private readonly Random _random;
    private readonly Schedule _schedule;
    private readonly List<ModelNode> _nodes = [];
    private readonly PriorityQueue<InFlight, (long, int)> _wire = new();
    private readonly bool[,] _cut;
    private readonly byte[] _buffer = new byte[Payload];
    private int _lossPercent;
    private long _delay;
    private bool _flips;
    private int _order;
    private long _now = Second;
    private long _wallOffset;
    private uint _version;

    internal Cluster(int seed, SyncMode mode)
    {
        _random = new Random(seed);
        _schedule = new Schedule(seed, mode, _random);
        for (int i = 0; i < _schedule.Nodes; i++)
        {
            uint flowsMax = _schedule.IsTight ? (uint)_random.Next(40, 160) : 100_000;
            _nodes.Add(new ModelNode(i, mode, _random, FirstSequence, _now,
                isOriginal: _schedule.HasOriginal && i == 0, flowsMax));
        }
        _cut = new bool[_schedule.Nodes, _schedule.Nodes];
        _lossPercent = _schedule.LossPercent;
        _delay = _schedule.Delay;
        _flips = _schedule.Flips;
    }

    /// <summary>Datagrams that were put on the wire.</summary>
    internal int Sent { get; private set; }

    /// <summary>
    /// Runs the workload, then a quiet time, then compares. Null or what is wrong.
    /// </summary>
    internal string? Run()
    {
        long busyUntil = _now + (_random.Next(1, 12) * Second);
        long nextOperation = _now;
        int steps = 0;
        while (_now < busyUntil && _wrong.Length == 0)
        {
            if (++steps > StepsMax) { return Describe() + "livelock in the busy time\n"; }
            if (_now >= nextOperation)
            {
                Operate();
                nextOperation = _now + _random.Next(1, _random.Next(10) == 0 ? 1_500_000 : 60_000);
            }
            Advance(Math.Min(nextOperation, busyUntil));
        }
        Heal();
        long quietUntil = _now + (25 * Second);
        while (_now < quietUntil && _wrong.Length == 0)
        {
            if (++steps > StepsMax) { return Describe() + "livelock in the quiet time\n"; }
            Advance(quietUntil);
        }
        return Check();
    }

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    private uint FirstSequence(long now) =>
        (uint)(_schedule.FirstSequence + (now / Second) + _wallOffset);

    // One turn of every node, then on to the next delivery, deadline or limit.
    private void Advance(long limit)
    {
        bool busy = false;
        foreach (ModelNode node in _nodes)
        {
            node.Now = _now;
            node.Engine.OnDeadline(_now);
            busy |= node.Turn();
            Send(node);
            busy |= node.Engine.WantsTurn;
            CheckBounds(node);
        }
        while (_wire.TryPeek(out InFlight next, out (long At, int) when) && when.At <= _now)
        {
            _wire.Dequeue();
            Deliver(next.To, next.From, next.Port, next.Bytes);
            busy = true;
        }
        long until = busy ? _now + 20 : limit;
        if (_wire.TryPeek(out _, out (long At, int) first)) { until = Math.Min(until, first.At); }
        foreach (ModelNode node in _nodes)
        {
            until = Math.Min(until, node.Engine.NextDeadline(_now));
        }
        _now = Math.Max(_now + 1, Math.Min(until, limit));
    }

    private void Send(ModelNode node)
    {
        int burst = 64;
        while (burst-- > 0 && node.Engine.TryTakeDatagram(_buffer, _now, out int length))
        {
            Sent++;
            byte[] bytes = _buffer.AsSpan(0, length).ToArray();
            foreach (ModelNode other in _nodes)
            {
                if (other == node || _cut[node.Number, other.Number]) { continue; }
                int copies = _random.Next(100) < _lossPercent ? 0
                    : _random.Next(100) < _schedule.DuplicatePercent ? 2 : 1;
                while (copies-- > 0)
                {
                    byte[] copy = _flips && _random.Next(50) == 0 ? Flip(bytes) : bytes;
                    _wire.Enqueue(
                        new InFlight(other.Number, node.Number, copy, node.Address.Port),
                        (_now + 20 + _random.NextInt64(_delay), _order++));
                }
            }
        }
    }

    private byte[] Flip(byte[] bytes)
    {
        byte[] copy = [.. bytes];
        copy[_random.Next(copy.Length)] ^= (byte)(1 << _random.Next(8));
        return copy;
    }

    private void Deliver(int to, int from, ushort port, byte[] bytes)
    {
        ModelNode node = _nodes[to];
        node.Now = _now;
        PeerAddress address = _nodes[from].Address with { Port = port };
        node.Engine.OnDatagram(in address, bytes, _now);
    }

    private void Operate()
    {
        ModelNode node = _nodes[_random.Next(_nodes.Count)];
        node.Now = _now;
        CheckVersions(node);
        int what = _random.Next(1000);
        bool endsOverrun = what is >= 15 and < 60 && node.Kernel.Overrun;
        bool rough = what < 5 || what is >= 15 and < 75 || what is >= 130 and < 140;
        if (rough && _schedule.IsCalm && !endsOverrun) { return; }
        if (what < 5) { Restart(node); }
        else if (what < 15) { node.Kernel.Overrun = true; }
        else if (endsOverrun) { node.EndOverrun(); }
        else if (what < 75) { Cut(); }
        else if (what < 110) { Array.Clear(_cut); }
        else if (what < 120) { node.Engine.RequestBulk(); }
        else if (what < 130) { node.Engine.RequestResync(); }
        else if (what < 135) { FlushExternal(node); }
        else if (what < 140) { _wallOffset = _random.Next(-WallJumpMax, WallJumpMax); }
        else
        {
            int burst = _random.Next(10) == 0 ? _random.Next(1, 300) : _random.Next(1, 6);
            while (burst-- > 0) { ChangeOne(node.Kernel); }
        }
    }

    private void Restart(ModelNode node)
    {
        ushort port = node.Address.Port;
        node.Start(_now);
        _versions.Remove(node);
        // Nothing tells flows of two runs on one port apart, but a daemon takes longer to start
        // than a datagram is under way.
        if (node.Address.Port == port) { LoseFrom(node); }
    }

    private void LoseFrom(ModelNode node)
    {
        List<(InFlight, (long, int))> others = [];
        while (_wire.TryDequeue(out InFlight next, out (long, int) when))
        {
            if (next.From != node.Number) { others.Add((next, when)); }
        }
        _wire.EnqueueRange(others);
    }

    private static void FlushExternal(ModelNode node)
    {
        node.Engine.FlushExternal();
        node.Engine.FlushExternalExpectations();
    }

    private void Cut()
    {
        int a = _random.Next(_nodes.Count);
        int b = _random.Next(_nodes.Count);
        _cut[a, b] = true;
        if (_random.Next(2) == 0) { _cut[b, a] = true; }
    }

    // The mark of a flow is the number of the change: it only grows.
    private void ChangeOne(ModelKernel kernel)
    {
        int key = _random.Next(500);
        if (!kernel.Has(key)) { kernel.Create(key, ++_version); }
        else if (_random.Next(3) == 0) { kernel.Destroy(key); }
        else if (_random.Next(8) != 0)
        {
            kernel.Change(key, (byte)_random.Next(1, 9), ++_version);
        }
        else if (kernel.Expectations.ContainsKey(key)) { kernel.Unexpect(key); }
        else { kernel.Expect(key, (ushort)_random.Next(40_000, 40_003)); }
    }

    private void Heal()
    {
        Array.Clear(_cut);
        _flips = false;
        foreach (ModelNode node in _nodes)
        {
            node.Now = _now;
            MakeRoom(node);
            if (node.Kernel.Overrun) { node.EndOverrun(); }
            bool flush = _schedule.Mode == SyncMode.NoTrack
                ? !_schedule.IsCalm : _schedule.HasOriginal;
            if (flush) { FlushExternal(node); }
            if (!_schedule.IsCalm) { node.Engine.RequestResync(); }
        }
        if (_schedule.Mode == SyncMode.Ftfw || _schedule.IsCalm) { return; }
        _lossPercent = 0;
        if (_schedule.Mode == SyncMode.Alarm) { return; }
        // What is still under way may be older than the flush, and nothing may be overtaken.
        _wire.Clear();
        _delay = 1;
    }

    // So many flows end that all find a place: those refused before must be found again.
    private static void MakeRoom(ModelNode node)
    {
        List<int> keys = [.. node.Kernel.Keys];
        for (int i = 0; i < keys.Count && node.Kernel.Count > node.FlowsMax * 7 / 8; i++)
        {
            node.Kernel.Destroy(keys[i]);
        }
    }
}
