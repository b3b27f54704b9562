using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Bench.Loops;

/// <summary>An engine with 10,000 flows in its internal cache.</summary>
internal sealed class EngineBed : IDisposable
{
    internal const int FlowCount = 10_000;

    private const uint FlowsMax = 100_000, FirstSequence = 1000;
    private const int ResendQueueSize = 131_072, AckWindowSize = 300;
    private const int PayloadBytes = 1471;          // of an Ethernet link

    private readonly FlowTable _internal = new(FlowsMax, seed: 1);
    private readonly FlowTable _external = new(FlowsMax, seed: 2);

    internal EngineBed(SyncMode mode, uint address)
    {
        Address = new PeerAddress(AddressFamily.Ipv4, new Address(0, address), 3780);
        Engine = new SyncEngine(
            new SyncSettings(mode, ResendQueueSize, AckWindowSize, SendTimeouts: true,
                WindowTracking: false, FirstSequence),
            _internal, _external, null, now: 0);
    }

    internal SyncEngine Engine { get; }

    internal PeerAddress Address { get; }

    internal uint ExternalCount => _external.Count;

    internal byte[] Datagram { get; } = new byte[PayloadBytes];

    internal void Fill(long now)
    {
        for (int i = 0; i < FlowCount; i++)
        {
            Flow flow = Samples.MakeFlow(i);
            Engine.OnEvent(FlowEventKind.New, ref flow, announce: false, now);
        }
    }

    public void Dispose()
    {
        _internal.Dispose();
        _external.Dispose();
    }
}

/// <summary>
/// An update of the kernel, through the cache, into a datagram; nothing is acknowledged.
/// </summary>
internal sealed class EngineSendLoop : HotLoop
{
    private readonly EngineBed _node = new(SyncMode.NoTrack, address: 1);
    private Flow[] _flows = [];
    private long _now = SyncEngine.Second;

    internal override string Name => "engine: event to datagram (NOTRACK)";

    internal override void Prepare()
    {
        _node.Fill(_now);
        _flows = Samples.ScatteredFlows(EngineBed.FlowCount);
    }

    internal override long Run()
    {
        long sum = 0;
        _now += 1000;
        for (int i = 0; i < Operations; i++)
        {
            _node.Engine.OnEvent(FlowEventKind.Update, ref _flows[i], announce: true, _now);
        }
        while (_node.Engine.TryTakeDatagram(_node.Datagram, _now, out int length))
        {
            sum += length;
        }
        return sum != 0 ? sum : throw new InvalidOperationException("the engine sends nothing");
    }

    protected override void Release() => _node.Dispose();
}

/// <summary>A peer's update, from the datagram into the external cache.</summary>
internal sealed class EngineReceiveLoop : HotLoop
{
    private readonly EngineBed _node = new(SyncMode.NoTrack, address: 1);
    private readonly List<byte[]> _datagrams = [];
    private readonly PeerAddress _peer =
        new(AddressFamily.Ipv4, new Address(0, 2), 3780);
    private uint _sequence = 1;
    private long _now = SyncEngine.Second;

    internal override string Name => "engine: datagram to external cache (NOTRACK)";

    internal override void Prepare()
    {
        byte[] target = new byte[_node.Datagram.Length];
        int used = 0;
        foreach (Flow flow in Samples.ScatteredFlows(EngineBed.FlowCount))
        {
            if (target.Length - used < FlowMessage.SizeMax)
            {
                _datagrams.Add(target[..used]);
                used = 0;
            }
            used += FlowMessage.Encode(
                target.AsSpan(used), in flow, SyncType.FlowUpdate, SyncFlags.None, 0,
                new FlowMessageOptions(Timeout: true, WindowScale: false));
        }
        _datagrams.Add(target[..used]);
    }

    internal override long Run()
    {
        _now += 1000;
        foreach (byte[] datagram in _datagrams)
        {
            Renumber(datagram);
            _node.Engine.OnDatagram(in _peer, datagram, _now);
        }
        return _node.ExternalCount != 0
            ? _node.ExternalCount
            : throw new InvalidOperationException("the engine takes none of the messages");
    }

    // The sequence goes on, or the engine would see old messages.
    private void Renumber(Span<byte> rest)
    {
        while (SyncHeader.TryRead(rest, out SyncHeader header, out _))
        {
            (header with { Sequence = _sequence++ }).Write(rest);
            rest = rest[header.Length..];
        }
    }

    protected override void Release() => _node.Dispose();
}

/// <summary>
/// An update on one node, through both engines into the other's external cache, and the
/// acknowledgement back.
/// </summary>
internal sealed class EnginePairLoop : HotLoop
{
    private readonly EngineBed _left = new(SyncMode.Ftfw, address: 1);
    private readonly EngineBed _right = new(SyncMode.Ftfw, address: 2);
    private Flow[] _flows = [];
    private long _now = SyncEngine.Second;

    internal override string Name => "engines: event to peer's cache and acknowledged (FTFW)";

    internal override void Prepare()
    {
        _left.Fill(_now);
        _flows = Samples.ScatteredFlows(EngineBed.FlowCount);
        // Both greet each other.
        for (int i = 0; i < 100; i++)
        {
            _now += SyncEngine.Second / 10;
            Exchange();
        }
    }

    internal override long Run()
    {
        for (int i = 0; i < Operations; i++)
        {
            _left.Engine.OnEvent(FlowEventKind.Update, ref _flows[i], announce: true, _now);
        }
        int turns = 0;
        while (_left.Engine.Queue.Count != 0 || _left.Engine.Ring.Count != 0)
        {
            _now += 1000;
            Exchange();
            if (++turns > 10_000)
            {
                throw new InvalidOperationException("the peer does not acknowledge");
            }
        }
        return _right.ExternalCount;
    }

    protected override void Release()
    {
        _left.Dispose();
        _right.Dispose();
    }

    private void Exchange()
    {
        _left.Engine.OnDeadline(_now);
        _right.Engine.OnDeadline(_now);
        Send(_left, _right);
        Send(_right, _left);
    }

    private void Send(EngineBed from, EngineBed to)
    {
        PeerAddress sender = from.Address;
        while (from.Engine.TryTakeDatagram(from.Datagram, _now, out int length))
        {
            to.Engine.OnDatagram(in sender, from.Datagram.AsSpan(0, length), _now);
        }
    }
}
