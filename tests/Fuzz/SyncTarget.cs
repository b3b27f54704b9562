using System.Buffers.Binary;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Fuzz;

/// <summary>A node that hostile senders write to, beside a peer that must not suffer.</summary>
internal sealed class SyncTarget : FuzzTarget
{
    private const uint FlowsMax = 2000, OwnFlows = 64;
    private const int TurnInterval = 8, TakesMax = 4096, StepsMax = 10_000;

    private static readonly PeerAddress s_good =
        new(AddressFamily.Ipv4, new Address(0, 0x0A00_0001), 4000);

    private readonly FlowTable _own = new(FlowsMax, 1);
    private readonly FlowTable _external = new(FlowsMax, 2);
    private readonly SyncEngine _engine;
    private readonly FlowForms _forms = new();
    private readonly ReceiveCounters _expected = new();
    private readonly byte[] _out = new byte[1471];
    private readonly byte[] _message = new byte[FlowMessage.SizeMax];
    private Flow _flow;
    private Expectation _expectation;
    private long _now = SyncEngine.Second;
    private uint _goodNext = 1000;
    private int _given;

    internal SyncTarget(SyncMode mode)
    {
        var settings = new SyncSettings(mode, 500, 20, true, true, 5000) { Incarnation = 7 };
        _engine = new SyncEngine(settings, _own, _external, null, _now);
        _engine.ReplicateExpectations(
            new ExpectationTable(FlowsMax), new ExpectationTable(FlowsMax), null);
    }

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        // Five neighbours, and now and then the port of another start.
        var from = new PeerAddress(
            AddressFamily.Ipv4, new Address(0, 0x0A00_0002 + (uint)(draw % 5)),
            (ushort)(5000 + ((draw >> 8) % 16 == 0 ? 1 : 0)));
        ulong malformed = Framing(_engine.Received);
        Count(input, _expected);
        ulong awaited = Framing(_expected);
        ulong created = _external.Counters.Created, destroyed = _external.Counters.Destroyed;
        _engine.OnDatagram(in from, input, _now);
        Require(Framing(_engine.Received) - malformed == awaited - _framed, "framing is counted");
        _framed = awaited;
        Require(_external.Count <= FlowsMax, "the external cache keeps its bound");
        Require(_engine.ControlsWaiting <= SyncEngine.ControlsMax + 8, "controls are bounded");
        _now += 200 + (long)((draw >> 16) % 20_000);
        if (++_given % TurnInterval == 0) { Turn(); }
        uint way = Look(input, isThorough: (draw >> 40) % 4 == 0);
        return way ^ (_external.Counters.Created != created ? 0x4000_0000u : 0)
            ^ (_external.Counters.Destroyed != destroyed ? 0x8000_0000u : 0);
    }

    private ulong _framed;

    /// <summary>A flow of the good peer arrives, and its end.</summary>
    internal override void Probe()
    {
        Flow flow = FlowTableTests.MakeFlow(0, 4711);
        flow.Orig.Source = new Address(0, 0xC612_0001);
        bool wasFull = _external.IsFull;
        Hear(SyncType.FlowNew, in flow);
        Require(_external.Find(in flow) != 0 || wasFull, "the good peer's flow is taken");
        Hear(SyncType.FlowDestroy, in flow);
        Require(_external.Find(in flow) == 0, "the good peer's end of a flow is taken");
    }

    public override void Dispose()
    {
        base.Dispose();
        _own.Dispose();
        _external.Dispose();
    }

    private void Hear(SyncType type, in Flow flow)
    {
        int length = FlowMessage.Encode(
            _message, in flow, type, SyncFlags.None, _goodNext++,
            new FlowMessageOptions(true, false));
        _engine.OnDatagram(in s_good, _message.AsSpan(0, length), _now);
    }

    // What the loop does: timers, walks, what is to be sent; all of it comes to an end.
    private void Turn()
    {
        OwnEvent();
        _engine.OnDeadline(_now);
        int steps = 0, takes = 0;
        while (_engine.Step()) { Require(++steps < StepsMax, "walks end"); }
        var counters = new ReceiveCounters();
        while (_engine.TryTakeDatagram(_out, _now, out int length))
        {
            Require(++takes < TakesMax, "sending ends");
            Require(length is > 0 and <= 1471, "datagrams keep to the link");
            var reader = new SyncMessageReader(_out.AsSpan(0, length), counters);
            while (reader.TryNext(out SyncMessage message))
            {
                Require(message.Header.Class != SyncClass.Bad, "what is sent is sound");
            }
        }
        Require(counters.Malformed == 0, "what is sent is well-formed");
        Require(_engine.NextDeadline(_now) > _now, "the next deadline is to come");
    }

    private void OwnEvent()
    {
        int step = _given / TurnInterval;
        Flow flow = FlowTableTests.MakeFlow(step % (int)OwnFlows, (uint)step);
        FlowEventKind kind = (step / OwnFlows % 3) switch
        {
            0 => FlowEventKind.New,
            1 => FlowEventKind.Update,
            _ => FlowEventKind.Destroy,
        };
        _engine.OnEvent(kind, ref flow, announce: true, _now);
    }

    // The messages once more by themselves: what they hold leaves again in every form.
    private uint Look(ReadOnlySpan<byte> input, bool isThorough)
    {
        uint way = 0;
        var reader = new SyncMessageReader(input, _expected);
        while (reader.TryNext(out SyncMessage message))
        {
            SyncType type = message.Header.Type;
            way = (way * 31) + (uint)message.Header.Class + 1;
            if (message.Header.Class != SyncClass.Data) { continue; }
            if (type <= SyncType.FlowDestroy)
            {
                if (!FlowMessage.TryDecode(message.Body, ref _flow, out _)) { continue; }
                way ^= (uint)_flow.Present ^ ((uint)_flow.Protocol << 22);
                if (isThorough) { _forms.Check(in _flow); }
                continue;
            }
            if (!ExpectationMessage.TryDecode(message.Body, ref _expectation, out _)) { continue; }
            way ^= (uint)_expectation.Present << 7;
            if (isThorough) { _forms.Check(in _expectation); }
        }
        _framed = Framing(_expected);
        return way;
    }

    private static ulong Framing(ReceiveCounters counters) =>
        counters.Truncated + counters.BadSize + counters.BadVersion;

    // An independent reading of the rules at the door.
    private static void Count(ReadOnlySpan<byte> rest, ReceiveCounters counters)
    {
        const int RangeFlags = 0x0e, ControlType = 10;
        while (rest.Length > 0)
        {
            bool isRange = rest.Length >= 2 && (rest[0] & 15) == ControlType
                && (rest[1] & RangeFlags) != 0;
            if (rest.Length < 8)
            {
                counters.Truncated++;
                return;
            }
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (length == 0 || length > rest.Length)
            {
                counters.BadSize++;
                return;
            }
            if (isRange && rest.Length < 16)
            {
                counters.Truncated++;
                return;
            }
            if (length < (isRange ? 16 : 8))
            {
                counters.BadSize++;
                return;
            }
            if (rest[0] >> 4 != 1) { counters.BadVersion++; }
            rest = rest[length..];
        }
    }
}
