using System.Buffers.Binary;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Netlink;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;

namespace Conntrackd.Tests.Fuzz;

/// <summary>Messages of the kernel as events, and what they do to the internal cache.</summary>
internal sealed class EventTarget : FuzzTarget, IKernelSink, IExpectationSink
{
    private const uint FlowsMax = 2000;

    private static readonly byte[] s_good = MakeEvent();

    private readonly FlowTable _own = new(FlowsMax, 1), _external = new(16, 2);
    private readonly SyncEngine _engine;
    private readonly EventIntake _intake;
    private readonly KernelCounters _counters = new();
    private readonly FlowForms _forms = new();
    private readonly byte[] _out = new byte[1471];
    private long _now = SyncEngine.Second;
    private bool _isThorough;
    private ulong _handed;
    private uint _way;

    internal EventTarget()
    {
        var settings = new SyncSettings(SyncMode.NoTrack, 500, 20, true, true, 5000);
        _engine = new SyncEngine(settings, _own, _external, null, _now);
        _engine.ReplicateExpectations(
            new ExpectationTable(FlowsMax), new ExpectationTable(16), null);
        _intake = new EventIntake(this, this, _counters);
        _intake.AddRequester(77, EventOrigin.Commit);
    }

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        _isThorough = draw % 4 == 0;
        _way = 0;
        int messages = Walk(input, out bool isBroken);
        ulong before = Sum();
        _intake.Take(input);
        _intake.HandOver();
        ulong awaited = (ulong)messages + (isBroken ? 1u : 0u);
        Require(Sum() - before == awaited, "every message is counted once");
        Require(_own.Count <= FlowsMax * 2, "the internal cache keeps its bound");
        _now += 1000;
        if (draw % 16 == 0)
        {
            while (_engine.TryTakeDatagram(_out, _now, out _)) { }
        }
        return _way;
    }

    internal override void Probe()
    {
        ulong handed = _handed;
        _intake.Take(s_good);
        _intake.HandOver();
        Require(_handed == handed + 1, "a good event is handed over");
    }

    public override void Dispose()
    {
        base.Dispose();
        _own.Dispose();
        _external.Dispose();
    }

    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin)
    {
        _handed++;
        _way = (_way * 31) + ((uint)flow.Present ^ (uint)flow.Protocol << 20) + (uint)kind;
        if (_isThorough) { _forms.Check(in flow); }
        _engine.OnEvent(kind, ref flow, origin == EventOrigin.Other, _now);
    }

    public void OnExpectation(
        FlowEventKind kind, ref Expectation expectation, EventOrigin origin)
    {
        _handed++;
        _way = (_way * 31) + (uint)expectation.Present + (uint)kind;
        if (_isThorough) { _forms.Check(in expectation); }
        _engine.OnExpectation(kind, ref expectation, origin == EventOrigin.Other, _now);
    }

    public void OnOverrun() => Require(false, "bytes are no overrun");

    public void OnDumpRecord(ref Flow flow) => Require(false, "events are no dump");

    public void OnDumpEnd(Errno error) => Require(false, "events are no dump");

    public void OnExpectationRecord(ref Expectation expectation) =>
        Require(false, "events are no dump");

    private ulong Sum() => _handed + _counters.EventsMalformed + _counters.EventsUnknownType;

    /// <summary>An independent count of the messages of a datagram.</summary>
    internal static int Walk(ReadOnlySpan<byte> rest, out bool isBroken)
    {
        int count = 0;
        isBroken = false;
        while (rest.Length > 0)
        {
            uint length = rest.Length < 16 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(rest);
            isBroken = length < 16 || length > rest.Length;
            if (isBroken) { break; }
            count++;
            int padded = (int)((length + 3) / 4 * 4);
            rest = padded < rest.Length ? rest[padded..] : default;
        }
        return count;
    }

    private static byte[] MakeEvent()
    {
        byte[] room = new byte[FlowEncoder.SizeMax];
        var writer = new MessageWriter(room);
        Flow flow = FlowTableTests.MakeFlow(0, 1);
        FlowEncoder.EncodeCreate(
            ref writer, in flow, 0, NetlinkFlags.None, new CreateOptions(60, false));
        return room[..writer.Length];
    }
}

/// <summary>Parts of a dump, and answers to a get.</summary>
internal sealed class DumpTarget : FuzzTarget, IKernelSink, IExpectationSink
{
    private readonly DumpIntake _intake;
    private readonly KernelCounters _counters = new();
    private readonly FlowForms _forms = new();
    private bool _isThorough;
    private ulong _handed;
    private uint _way;

    internal DumpTarget() => _intake = new DumpIntake(this, this, _counters);

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        _isThorough = draw % 4 == 0;
        _way = 0;
        // Mostly the number that the messages bear.
        uint sequence = input.Length >= 12 && draw % 8 != 0
            ? BinaryPrimitives.ReadUInt32LittleEndian(input[8..]) : 7;
        ulong before = Sum();
        bool ended = _intake.TakePart(input, sequence, out Errno end);
        int messages = EventTarget.Walk(input, out bool isBroken);
        ulong most = (ulong)messages + (isBroken ? 1u : 0u);
        Require(Sum() - before <= most, "none is counted twice");
        bool answered = _intake.TakeAnswer(input, sequence, out Errno result);
        return _way ^ (ended ? 1u << 30 ^ (uint)end : 0) ^ (answered ? 1u << 31 ^ (uint)result : 0);
    }

    internal override void Probe()
    {
        Span<byte> done = stackalloc byte[20];
        done.Clear();
        done[0] = 20;
        done[4] = 3;
        done[8] = 9;
        bool ended = _intake.TakePart(done, 9, out Errno end);
        Require(ended && end == Errno.None, "the end of a dump is seen");
    }

    public void OnDumpRecord(ref Flow flow)
    {
        _handed++;
        _way = (_way * 31) + ((uint)flow.Present ^ (uint)flow.Protocol << 20);
        if (_isThorough) { _forms.Check(in flow); }
    }

    public void OnExpectationRecord(ref Expectation expectation)
    {
        _handed++;
        _way = (_way * 31) + (uint)expectation.Present;
        if (_isThorough) { _forms.Check(in expectation); }
    }

    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin) =>
        Require(false, "a dump is no event");

    public void OnExpectation(
        FlowEventKind kind, ref Expectation expectation, EventOrigin origin) =>
        Require(false, "a dump is no event");

    public void OnOverrun() => Require(false, "bytes are no overrun");

    public void OnDumpEnd(Errno error) => Require(false, "the reader tells it");

    private ulong Sum() => _handed + _counters.DumpMalformed + _counters.DumpUnknownType;
}
