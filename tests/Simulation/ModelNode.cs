using System.Collections.Generic;
using System.Linq;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Simulation;

/// <summary>One firewall: a model kernel, the real engine and its two caches.</summary>
internal sealed class ModelNode : IDisposable
{
    internal const uint RefreshSeconds = 4, CacheTimeoutSeconds = 15;
    private const uint RestartGraceSeconds = 4;

    private readonly SyncMode _mode;
    private readonly Random _random;
    private readonly Func<long, uint> _firstSequence;
    private readonly bool _isOriginal;
    private readonly int _ackWindow;
    private readonly int _resendQueue;
    private List<int>? _dump;
    private List<int>? _expectationDump;
    private bool _announceDump;
    private int _dumpAt;
    private ulong _refusedBefore; // flows that found no place until a dump began
    private bool _expectationsDue;

    internal ModelNode(
        int number, SyncMode mode, Random random, Func<long, uint> firstSequence, long now,
        bool isOriginal, uint flowsMax)
    {
        FlowsMax = flowsMax;
        _isOriginal = isOriginal;
        _firstSequence = firstSequence;
        Number = number;
        _mode = mode;
        _random = random;
        _ackWindow = random.Next(1, 40);
        _resendQueue = random.Next(64, 600);
        Kernel = new ModelKernel(number);
        Kernel.Listener = OnEvent;
        Kernel.ExpectationListener = OnExpectation;
        Start(now);
    }

    internal int Number { get; }

    /// <summary>Bound of the internal cache (HashLimit).</summary>
    internal uint FlowsMax { get; }

    internal bool IsOriginal => _isOriginal;

    internal ModelKernel Kernel { get; }

    internal SyncEngine Engine { get; private set; } = null!;

    internal FlowTable Internal { get; private set; } = null!;

    internal FlowTable External { get; private set; } = null!;

    internal ExpectationTable Expectations { get; private set; } = null!;

    internal ExpectationTable ExternalExpectations { get; private set; } = null!;

    internal long Now { get; set; }

    internal PeerAddress Address { get; private set; }

    /// <summary>
    /// The daemon starts: empty caches, a new port, one dump that nobody is told of.
    /// </summary>
    internal void Start(long now)
    {
        Dispose();
        Now = now;
        Internal = new FlowTable(FlowsMax, _random.NextInt64());
        External = new FlowTable(100_000, _random.NextInt64());
        // One restart in three finds its port free again.
        ushort port = _random.Next(3) == 0 && Address.Port != 0
            ? Address.Port : (ushort)_random.Next(1024, 65536);
        Address = new PeerAddress(
            AddressFamily.Ipv4, new Address(0, 0xC0A8_0001u + (uint)Number), port);
        var settings = new SyncSettings(_mode, _resendQueue, _ackWindow, true, false,
            _firstSequence(now))
        {
            RefreshSeconds = RefreshSeconds,
            CacheTimeoutSeconds = CacheTimeoutSeconds,
            RestartGraceSeconds = RestartGraceSeconds,
            Incarnation = _isOriginal ? 0 : (ulong)_random.NextInt64() | 1,
        };
        Engine = new SyncEngine(settings, Internal, External, null, now)
        {
            FillsUp = !_isOriginal && _ackWindow % 2 == 0,
        };
        Expectations = new ExpectationTable(100_000);
        ExternalExpectations = new ExpectationTable(100_000);
        Engine.ReplicateExpectations(Expectations, ExternalExpectations, null);
        Kernel.Overrun = false;
        BeginDump(announce: false, Kernel.Keys);
        while (_dump is not null) { StepDump(int.MaxValue); }
        while (Engine.Step()) { }
        BeginExpectationDump();
        StepExpectationDump(int.MaxValue);
    }

    /// <summary>
    /// The overrun is noticed: events come again, and the table is read in pieces.
    /// </summary>
    internal void EndOverrun()
    {
        Kernel.Overrun = false;
        // A dump shows what is there when its part is written; keys are fixed in random order now.
        _expectationDump = null;
        BeginDump(announce: true, Kernel.Keys.OrderBy(_ => _random.Next()));
    }

    /// <summary>A turn of the loop: some dump records, then a piece of the long walks.</summary>
    internal bool Turn()
    {
        bool looks = Internal.Counters.CreateFailedSpace != _refusedBefore && Internal.HasRoom;
        if (looks && _dump is null && !Kernel.Overrun && !Engine.IsReconciling) { EndOverrun(); }
        bool flows = _dump is not null;
        StepDump(_random.Next(1, 20));
        bool more = Engine.Step();
        if (flows && _dump is null) { _expectationsDue = true; }
        if (_expectationsDue && !Engine.IsReconciling)
        {
            _expectationsDue = false;
            BeginExpectationDump();
        }
        StepExpectationDump(_random.Next(1, 20));
        return more | _dump is not null | _expectationDump is not null;
    }

    public void Dispose()
    {
        Internal?.Dispose();
        External?.Dispose();
    }

    private void StepDump(int records)
    {
        while (_dump is not null && records-- > 0)
        {
            if (_dumpAt == _dump.Count)
            {
                _dump = null;
                Engine.OnDumpEnd(complete: true);
                return;
            }
            int key = _dump[_dumpAt++];
            if (!Kernel.Has(key)) { continue; }
            Flow flow = Kernel[key];
            Engine.OnDumpRecord(ref flow, Now);
        }
    }

    private void BeginDump(bool announce, IEnumerable<int> keys)
    {
        _refusedBefore = Internal.Counters.CreateFailedSpace;
        _announceDump = announce;
        Engine.BeginDump(announce, announceSweep: announce);
        _dump = [.. keys];
        _dumpAt = 0;
    }

    // Behind the flows, as the daemon does it: their masters must be known.
    private void BeginExpectationDump()
    {
        Engine.BeginExpectationDump(_announceDump, announceSweep: _announceDump);
        _expectationDump = [.. Kernel.Expectations.Keys];
        _dumpAt = 0;
    }

    private void StepExpectationDump(int records)
    {
        while (_expectationDump is not null && records-- > 0)
        {
            if (_dumpAt == _expectationDump.Count)
            {
                _expectationDump = null;
                Engine.OnExpectationDumpEnd(complete: true);
                return;
            }
            int key = _expectationDump[_dumpAt++];
            if (!Kernel.Expectations.TryGetValue(key, out Expectation expectation)) { continue; }
            Engine.OnExpectationRecord(ref expectation, Now);
        }
    }

    private void OnExpectation(FlowEventKind kind, ref Expectation expectation) =>
        Engine.OnExpectation(kind, ref expectation, announce: true, Now);

    private void OnEvent(FlowEventKind kind, ref Flow flow) =>
        Engine.OnEvent(kind, ref flow, announce: true, Now);
}
