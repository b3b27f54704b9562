using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>
/// What comes from the own kernel: events, and dumps with a purpose, one at a time.
/// </summary>
internal sealed partial class KernelSide
    : IKernelSink, ITableResultSink, ICommittedSink, IDisposable
{
    /// <summary>Why a dump is wanted; the lowest is served first.</summary>
    internal enum Purpose
    {
        /// <summary>Events were lost: find the differences and tell the peers.</summary>
        Reconcile,

        /// <summary>
        /// A client asked (-R): refresh the cache; of changes, only ends are told.
        /// </summary>
        Resync,

        /// <summary>
        /// A client or the purge timer asked (-F, -t): delete every flow that passes.
        /// </summary>
        Flush,

        /// <summary>The interval of PollSecs is over: as Reconcile, without a word.</summary>
        Poll,

        /// <summary>As Reconcile, for expectations; behind their masters.</summary>
        ReconcileExpectations,

        /// <summary>As Resync, for expectations.</summary>
        ResyncExpectations,

        /// <summary>As Flush, of the flows that are to be purged.</summary>
        Purge,
    }

    private const int PurposeCount = 7;
    private const int EventsPerTurnMin = 256;
    private const int PartsPerTurn = 4;
    private const long DropsInterval = 1_000_000;
    private const long ReconcilePause = 200_000;

    private readonly IKernelMirror _engine;
    private readonly SyncEngine? _replica;      // the engine, if there are peers
    private readonly Log _log;
    private readonly long _started;
    private readonly List<uint> _echoes = [];   // sockets of ours whose doings are no news
    private readonly bool[] _wanted = new bool[PurposeCount];
    private readonly List<ControlSession>[] _waiting = [[], [], [], [], [], [], []];
    private EventSource? _events;       // null: the table is polled
    private TableReader _reader = null!;
    private TableWriter _flusher = null!;
    private FlowFilter _filter;
    private Config.Options _options;
    private Purpose? _running;
    private bool _lost;
    private bool _looksForRefused;
    private bool _restart;
    private long _dropsAt;
    private long _pollAt = long.MaxValue;
    private KernelBulk? _bulk;
    private uint _flushed;
    private bool _flushCancelled;
    private bool _ignoresCommitted;     // a dump will tell of them
    private FlowTest? _isPurged;
    private int _lastStarted;
    private long _now;
    private long _reconcileStarted;
    private long _reconcileNotBefore;

    internal KernelSide(
        IKernelMirror engine, Config.Options options, long started, Log log)
    {
        _engine = engine;
        _replica = engine as SyncEngine;
        _filter = options.Filter;
        _options = options;
        _started = started;
        _log = log;
    }

    internal KernelCounters Counters { get; } = new();

    /// <summary>
    /// Says whether another node forwards all flows; null: it is not known, or peers keep what is
    /// told in a cache.
    /// </summary>
    /// <remarks>
    /// With direct injection the end of a copy here would end the living flow there: a peer's
    /// flow is replaced by its newer state, or expires because nobody told of its packets.
    /// </remarks>
    internal Func<bool>? IsStandby { get; set; }

    private bool IsBypassing => _options.Sync is { DisableInternalCache: true };

    /// <summary>
    /// Bytes and packets of flows that ended, both directions, if the kernel counts.
    /// </summary>
    internal ulong TrafficBytes { get; private set; }

    internal ulong TrafficPackets { get; private set; }

    /// <summary>When <see cref="Turn"/> wants to be called at the latest.</summary>
    internal long NextDeadline
    {
        get
        {
            long next = Math.Min(_pollAt, _lookup?.NextDeadline ?? long.MaxValue);
            if (_events is not null && _options.NetlinkEventsReliable)
            {
                next = Math.Min(next, _dropsAt);
            }
            bool waits = _wanted[(int)Purpose.Reconcile] && _running is null;
            return waits ? Math.Min(next, _reconcileNotBefore) : next;
        }
    }

    /// <summary>
    /// Takes over changed settings. With another filter the table is read again: what is refused
    /// now leaves the cache, what was refused enters it, and peers are told. Without an internal
    /// cache they are told what passes now.
    /// </summary>
    internal void Change(Config.Options options)
    {
        bool refilter = !options.Filter.Definition.IsLike(_options.Filter.Definition);
        bool moved = options.IsFilterFromKernelspace != _options.IsFilterFromKernelspace;
        _options = options;
        _filter = options.Filter;
        // Before the table is read again: what passes now must not be missed.
        if (refilter || moved) { FilterEvents(); }
        Errno error = _events?.Change(EventsOf(options)) ?? Errno.None;
        if (error != Errno.None)
        {
            _log.Warning($"event socket: NetlinkEventsReliable refused, {error.Describe()}");
        }
        if (!refilter) { return; }
        if (_bulk is null) { Want(Purpose.Reconcile, session: null); }
        else
        {
            _bulk.Filter = options.Filter;
            _replica!.RequestBulk();
        }
    }

    /// <summary>True while a resync (-R) is wanted, runs, or is being swept.</summary>
    internal bool IsResyncing =>
        _wanted[(int)Purpose.Resync] || _wanted[(int)Purpose.ResyncExpectations] ||
        _running is Purpose.Resync or Purpose.ResyncExpectations || _engine.IsReconciling;

    /// <summary>
    /// Stops to hear of new flows during a commit, or hears them again; then the table must be
    /// read. <paramref name="keepsCommitted"/>: what the commit creates enters the cache at once.
    /// </summary>
    internal void HearNew(bool on, bool keepsCommitted = true)
    {
        _ignoresCommitted = !keepsCommitted;
        Errno error = _events?.HearNew(on) ?? Errno.None;
        if (error == Errno.None) { return; }
        _log.Error($"event socket: membership of new flows: {error.Describe()}");
    }

    /// <summary>Wants a dump; the session, if any, is completed at its end.</summary>
    internal void Want(Purpose purpose, ControlSession? session)
    {
        _wanted[(int)purpose] = true;
        if (session is not null) { _waiting[(int)purpose].Add(session); }
    }

    /// <summary>
    /// Deletes the flows that pass and that the test finds to be purged when it comes to them.
    /// </summary>
    internal void WantPurge(FlowTest isPurged)
    {
        _isPurged = isPurged;
        Want(Purpose.Purge, session: null);
    }

    /// <summary>
    /// Reads the table for flows that found no place in the cache; a poll does that anyway.
    /// </summary>
    internal void LookForRefused()
    {
        if (_options.PollSeconds != 0) { return; }
        _looksForRefused = true;
        Want(Purpose.Reconcile, session: null);
    }

    /// <summary>Ends a flush that no client waits for: a commit has begun.</summary>
    internal void CancelFlush()
    {
        if (_waiting[(int)Purpose.Flush].Count != 0) { return; }
        _wanted[(int)Purpose.Flush] = false;
        _flushCancelled = _running == Purpose.Flush;
    }

    /// <summary>
    /// Starts the next dump that is wanted, and looks for silent losses now and then.
    /// </summary>
    internal void Turn(long now)
    {
        if (_options.NetlinkEventsReliable && now >= _dropsAt)
        {
            _dropsAt = now + DropsInterval;
            _events?.PollDrops();
        }
        if (now >= _pollAt) { Poll(now); }
        _bulk?.Turn(now);
        _lookup?.Turn(now);
        _wanted[(int)Purpose.ReconcileExpectations] |=
            _replica is { WantsExpectationDump: true };
        if (_running is not null || _engine.IsReconciling) { return; }
        // In turn, so that lasting overruns leave room for what clients want.
        for (int step = 1; step <= PurposeCount; step++)
        {
            int i = (_lastStarted + step) % PurposeCount;
            if (!_wanted[i]) { continue; }
            // One overrun is answered at once; a kernel that overruns all the time is not dumped
            // all the time.
            if (i == (int)Purpose.Reconcile && now < _reconcileNotBefore) { continue; }
            // Expectations without their masters would be passed over.
            if (i == (int)Purpose.ResyncExpectations && _wanted[(int)Purpose.Resync]) { continue; }
            _wanted[i] = false;
            _lastStarted = i;
            Start((Purpose)i);
            return;
        }
    }

    /// <inheritdoc/>
    public void Expect(in Flow flow) => _engine.Expect(in flow);

    /// <inheritdoc/>
    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin)
    {
        FlowAttributes told = flow.Present;
        // Let in by an earlier state: which one it ends in does not matter.
        if (kind == FlowEventKind.Destroy) { flow.Present &= ~FlowAttributes.ProtocolState; }
        if (!_filter.Accepts(in flow))
        {
            Counters.EventsFiltered++;
            return;
        }
        if (_replica is null) { flow.Present = told; }      // it stands in the line that is logged
        if (kind == FlowEventKind.Destroy && flow.Has(FlowAttributes.Counters))
        {
            TrafficBytes += flow.BytesOrig + flow.BytesReply;
            TrafficPackets += flow.PacketsOrig + flow.PacketsReply;
        }
        if (origin == EventOrigin.Inject) { return; }
        _engine.OnEvent(kind, ref flow, IsNews(kind, origin), _now);
        if (kind != FlowEventKind.Destroy) { WantAdjustment(in flow); }
    }

    /// <inheritdoc/>
    public void BeforeCommitted()
    {
        if (_ignoresCommitted) { return; }
        // An end that an older entry of the tuple met before the commit is still in the socket.
        _now = Now();
        for (int i = 0; i < 8 && _events is not null && _events.Read(EventsPerTurnMin); i++) { }
    }

    /// <inheritdoc/>
    public void ExpectCommitted(in Flow flow) => _engine.Expect(in flow);

    /// <inheritdoc/>
    public void OnCommitted(ref Flow flow, uint timeoutSeconds)
    {
        if (_ignoresCommitted || !flow.TryGetTranslatedReply(out flow.Reply)) { return; }
        FlowStatus status = FlowStatus.Confirmed |
            (flow.Status & (FlowStatus.SeenReply | FlowStatus.Assured));
        if (flow.IsTranslated) { status |= FlowStatus.SrcNatDone | FlowStatus.DstNatDone; }
        if ((flow.Present & (FlowAttributes.Snat | FlowAttributes.Spat)) != 0)
        {
            status |= FlowStatus.SrcNat;
        }
        if ((flow.Present & (FlowAttributes.Dnat | FlowAttributes.Dpat)) != 0)
        {
            status |= FlowStatus.DstNat;
        }
        if (flow.Has(FlowAttributes.Master)) { status |= FlowStatus.Expected; }
        flow.Status = status;
        flow.TimeoutSeconds = timeoutSeconds;
        flow.Present |= FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.Timeout;
        if (!_filter.Accepts(in flow)) { return; }
        _engine.OnEvent(FlowEventKind.New, ref flow, announce: false, Now());
    }

    /// <inheritdoc/>
    public void OnOverrun()
    {
        // Without an internal cache there is nothing to compare with; the original does not either.
        if (_options.NetlinkOverrunResyncSeconds == 0 || IsBypassing) { return; }
        _restart |= _running is not null && !IsFlush(_running);
        _wanted[(int)Purpose.Reconcile] = true;
        _wanted[(int)Purpose.ReconcileExpectations] |= ReplicatesExpectations;
        _lost = true;
    }

    /// <inheritdoc/>
    public void OnDumpRecord(ref Flow flow)
    {
        if (!_filter.Accepts(in flow)) { return; }
        if (!IsFlush(_running))
        {
            _engine.OnDumpRecord(ref flow, _now);
            return;
        }
        bool spared = _running == Purpose.Flush ? _flushCancelled : !_isPurged!(in flow);
        if (spared) { return; }
        _flushed++;
        if (_flusher.AddDelete(0, in flow)) { return; }
        _flusher.Flush();
        _flusher.AddDelete(0, in flow);
    }

    /// <inheritdoc/>
    public void OnDumpEnd(Errno error)
    {
        Purpose purpose = _running ?? Purpose.Resync;
        _running = null;
        bool complete = error == Errno.None && !_restart;
        if (IsFlush(purpose))
        {
            _flusher.Flush();
            _log.Notice($"flushed {_flushed} entries of the kernel conntrack table");
        }
        else
        {
            if (IsOfExpectations(purpose)) { _replica!.OnExpectationDumpEnd(complete); }
            else { _engine.OnDumpEnd(complete); }
            if (purpose == Purpose.Reconcile)
            {
                long took = Now() - _reconcileStarted;
                _reconcileNotBefore = Now() + Math.Max(2 * took, ReconcilePause);
                if (complete) { _lost = false; }
            }
            // An inconsistent or interrupted dump, or events lost meanwhile: read it again.
            if (!complete) { _wanted[(int)purpose] = true; }
            // Nobody repairs what is lost in NOTRACK: there all is sent again, as in the original.
            bool repeats = purpose == Purpose.Poll &&
                _options.Sync is { Mode: Config.SyncMode.NoTrack };
            if (complete && repeats) { _replica!.RequestBulk(); }
        }
        // A client waits for one whole read, not for a kernel without further overruns.
        _restart = false;
        if (error == Errno.Eintr) { return; }
        foreach (ControlSession session in _waiting[(int)purpose])
        {
            if (error != Errno.None) { session.Fail(DumpFailed(error)); }
            session.Complete();
        }
        _waiting[(int)purpose].Clear();
    }

    /// <summary>Flows that vanished before they were deleted are no failure.</summary>
    public void OnTableResult(int token, Errno error)
    {
    }

    public void Dispose()
    {
        _events?.Dispose();
        _reader?.Dispose();
        _lookup?.Dispose();
        _flusher?.Dispose();
        _bulk?.Dispose();
    }

    // What a commit creates it tells itself, and injections are nobody's news. If the kernel takes
    // no program, events come and are filtered here: the meaning is the same.
    private void FilterEvents()
    {
        if (_events is null) { return; }
        FlowFilter? filter =
            _options.IsFilterFromKernelspace && !_filter.IsEmpty ? _filter : null;
        byte[]? program = EventProgram.Build(filter, _echoes.ToArray());
        if (program is null)
        {
            _log.Notice("the filter needs more than the "
                + $"{Netlink.BpfAssembler.InstructionsMax} instructions that the kernel takes: "
                + "events are filtered in user space");
            program = EventProgram.Build(null, _echoes.ToArray())!;
        }
        Errno error = _events.Attach(program);
        if (error == Errno.None) { return; }
        _log.Notice($"cannot filter events in the kernel: {error.Describe()}, "
            + "they are filtered in user space");
    }

    private static string DumpFailed(Errno error) =>
        $"dump of the kernel table: {error.Describe()}";

    private bool IsNews(FlowEventKind kind, EventOrigin origin) =>
        origin == EventOrigin.Other
        && (kind != FlowEventKind.Destroy || IsStandby?.Invoke() != true);

    private EventSourceOptions EventsOf(Config.Options options) => new(
        options.NetlinkBufferBytes, options.NetlinkBufferMaxBytes,
        options.NetlinkEventsReliable, Expectations: _replica is not null);

    private long Now() => Clock.MonotonicMicroseconds() - _started;

    private static bool IsFlush(Purpose? purpose) => purpose is Purpose.Flush or Purpose.Purge;

    private void Start(Purpose purpose)
    {
        Errno error = IsOfExpectations(purpose)
            ? _reader.StartExpectationDump() : _reader.StartDump();
        if (error != Errno.None)
        {
            _log.Error($"cannot dump the kernel conntrack table: {error.Describe()}");
            foreach (ControlSession session in _waiting[(int)purpose])
            {
                session.Fail(DumpFailed(error));
                session.Complete();
            }
            _waiting[(int)purpose].Clear();
            return;
        }
        _running = purpose;
        switch (purpose)
        {
            case Purpose.Reconcile:
                Counters.ResyncKernel++;
                _reconcileStarted = Now();
                _log.Notice("resync with master conntrack table " +
                    (_lost ? "(events were lost)"
                        : _looksForRefused ? "(flows were refused)"
                        : "(behind a commit or a changed filter)"));
                _looksForRefused = false;
                _engine.BeginDump(announce: true, announceSweep: true);
                break;
            case Purpose.Resync:
                Counters.ResyncKernel++;
                _log.Notice("resync with master conntrack table");
                _engine.BeginDump(announce: false, announceSweep: true);
                break;
            case Purpose.Poll:
                _engine.BeginDump(announce: true, announceSweep: true);
                break;
            case Purpose.ReconcileExpectations or Purpose.ResyncExpectations:
                BeginExpectationDump(purpose);
                break;
            default:
                Counters.FlushKernel++;
                _flushed = 0;
                _flushCancelled = false;
                break;
        }
    }

    private void Poll(long now)
    {
        _pollAt = now + (_options.PollSeconds * SyncEngine.Second);
        if (_bulk is null) { Want(Purpose.Poll, session: null); }
        else { _replica!.RequestBulk(); }
    }

    /// <summary>Reads events when there are some.</summary>
    private sealed class EventReader(KernelSide owner) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask)
        {
            owner._now = owner.Now();
            owner._events!.Read(
                Math.Max((int)owner._options.EventIterationLimit, EventsPerTurnMin));
        }
    }

    /// <summary>Reads the next parts of a dump.</summary>
    private sealed class DumpPartReader(KernelSide owner) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask)
        {
            owner._now = owner.Now();
            // What a flush deletes comes back as events: no faster than these are read.
            owner._reader.Read(IsFlush(owner._running) ? 1 : PartsPerTurn);
        }
    }
}
