using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>
/// The replication protocol of one node: kernel events and datagrams in, datagrams out. No sockets,
/// no clock, no randomness: time is an argument (microseconds, monotonic), so a cluster runs in one
/// process from one seed.
/// </summary>
/// <remarks>
/// This room may not touch the machine. Read in this order: this file (kernel side), Receive (what
/// a peer's messages do), Transmit (what leaves, and when), InFlight (what is waited for), Report
/// (how our own kind acknowledges), Bulk, <see cref="Peer"/>.
/// <para>What the original does and this does not: one state for all peers (here per peer), sending
/// more than the peer has acknowledged room for (here a window per peer), forgetting what no longer
/// fits into the resend queue (here followed by a bulk).</para>
/// </remarks>
internal sealed partial class SyncEngine : IKernelMirror
{
    internal const long Second = 1_000_000;

    private SyncSettings _settings;
    private readonly FlowTable _internal;
    private readonly FlowTable? _external;
    private readonly IFlowInjector? _injector;
    private FlowMessageOptions _messageOptions;
    private readonly SendQueue _queue = new();
    private Flow _flow;

    // A run of the kernel's table through OnDumpRecord, then the sweep of what it did not show.
    private bool _dumping;
    private bool _announceDump;
    private bool _announceSweep;
    private byte _generation;
    private uint _sweepAt;
    private bool _sweeping;
    private bool _sweepKills;

    // The walk that empties the external cache.
    private bool _flushing;
    private uint _flushAt;
    private FlowTest? _flushMeant;      // null: what is in it now

    /// <param name="settings">Protocol parameters.</param>
    /// <param name="internalCache">Own kernel's flows.</param>
    /// <param name="externalCache">Peers' flows; null if they go to <paramref
    /// name="injector"/>.</param>
    /// <param name="injector">Where peers' flows go without an external cache.</param>
    /// <param name="now">Engine's clock at start.</param>
    internal SyncEngine(
        SyncSettings settings, FlowTable internalCache, FlowTable? externalCache,
        IFlowInjector? injector, long now)
    {
        _settings = settings;
        _internal = internalCache;
        _external = externalCache;
        _injector = injector;
        _messageOptions = new FlowMessageOptions(settings.SendTimeouts, settings.WindowTracking);
        _ring = new ResendRing(settings.ResendQueueSize, settings.FirstSequence);
        _lastTransmit = now;
        _overdueAt = now + OverdueInterval;
        _overdueTo = settings.FirstSequence;
        _aliveDue = !IsAlarm;
        _tickAt = now;
        _drawn = settings.FirstSequence;
    }

    /// <summary>Counters of the protocol.</summary>
    internal SyncCounters Counters { get; } = new();

    /// <summary>Messages refused, by reason.</summary>
    internal ReceiveCounters Received { get; } = new();

    /// <summary>Peers known; for reports.</summary>
    internal ReadOnlySpan<Peer?> Peers => _peers.All;

    /// <summary>Messages that wait for acknowledgement; for reports.</summary>
    internal ResendRing Ring => _ring;

    /// <summary>Control messages that wait to be sent; for reports.</summary>
    internal int ControlsWaiting => _controls.Count;

    /// <summary>Flows that wait to be announced; for reports.</summary>
    internal SendQueue Queue => _queue;

    /// <summary>
    /// Takes over changed settings; mode, resend queue and first sequence stay as they began.
    /// </summary>
    internal void Change(SyncSettings settings)
    {
        _settings = settings with
        {
            Mode = _settings.Mode,
            ResendQueueSize = _settings.ResendQueueSize,
            FirstSequence = _settings.FirstSequence,
            Node = _settings.Node,
        };
        _messageOptions = new FlowMessageOptions(settings.SendTimeouts, settings.WindowTracking);
    }

    private bool Reliable => _settings.Mode == SyncMode.Ftfw;

    /// <summary>An event of the own kernel.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="flow">What the event said of the flow.</param>
    /// <param name="announce">False for what this daemon did itself (commit, flush).</param>
    /// <param name="now">Time.</param>
    public void OnEvent(FlowEventKind kind, ref Flow flow, bool announce, long now)
    {
        if (_settings.Bypass)
        {
            if (announce) { PassEvent(kind, in flow); }
            return;
        }
        uint handle = _internal.Find(in flow);
        if (kind == FlowEventKind.Destroy)
        {
            if (handle == 0 || IsDead(handle))
            {
                _internal.Counters.DestroyNotFound++;
                return;
            }
            Destroy(handle, announce);
            return;
        }
        if (handle == 0)
        {
            handle = AddInternal(in flow, now);
            if (handle == 0) { return; }
        }
        else if (kind == FlowEventKind.New || IsDead(handle))
        {
            if (!MayRenew(handle)) { return; }
            Renew(handle, in flow, now);
        }
        else
        {
            // A mark that was set and is not mentioned has become 0; one never seen stays unknown.
            if (!flow.Has(FlowAttributes.Mark) &&
                (_internal.Head(handle).Present & FlowAttributes.Mark) != 0)
            {
                flow.Mark = 0;
                flow.Present |= FlowAttributes.Mark;
            }
            _internal.Merge(handle, in flow);
        }
        Stamp(handle);
        if (announce) { Announce(handle); }
    }

    /// <inheritdoc/>
    public void Expect(in Flow flow) => _internal.Expect(in flow);

    /// <summary>
    /// A read of the whole kernel table begins. Flows that are in the cache and not in the table
    /// when <see cref="OnDumpEnd"/> comes are destroyed then; events that come meanwhile count as
    /// seen.
    /// </summary>
    /// <param name="announce">Tell the peers of flows that are new or differ (overrun).</param>
    /// <param name="announceSweep">Tell them of flows that are gone.</param>
    public void BeginDump(bool announce, bool announceSweep)
    {
        _announceDump = announce;
        _announceSweep = announceSweep;
        _generation = (byte)((_generation + 1) & SlotHead.GenerationMax);
        _dumping = true;
        _sweeping = false;
    }

    /// <summary>One record of the table.</summary>
    public void OnDumpRecord(ref Flow flow, long now)
    {
        uint handle = _internal.Find(in flow);
        if (handle == 0)
        {
            handle = AddInternal(in flow, now);
            if (handle == 0) { return; }
            Stamp(handle);
            if (_announceDump) { Announce(handle); }
            return;
        }
        ref SlotHead head = ref _internal.Head(handle);
        bool sameEntry = !flow.Has(FlowAttributes.Id) || head.IdOrTouched == flow.Id ||
            (head.Present & FlowAttributes.Id) == 0;
        if ((head.Life & SlotLife.Dead) != 0)
        {
            // Destroyed after the kernel wrote this record: the event came first, the record is
            // old.
            if (sameEntry || !MayRenew(handle)) { return; }
            Renew(handle, in flow, now);
            Stamp(handle);
            Announce(handle);
            return;
        }
        Stamp(handle);
        bool differs = !sameEntry || _internal.Differs(handle, in flow);
        if (!sameEntry) { Renew(handle, in flow, now); }
        else { _internal.Merge(handle, in flow); }
        Stamp(handle);
        if (differs && _announceDump) { Announce(handle); }
    }

    /// <summary>
    /// The table was read. With <paramref name="complete"/> false nothing is swept; the caller
    /// dumps again. The sweep itself is done by <see cref="Step"/>.
    /// </summary>
    public void OnDumpEnd(bool complete)
    {
        _dumping = false;
        _sweeping = true;
        _sweepAt = 0;
        if (!complete) { _announceSweep = false; }
        _sweepKills = complete;
    }

    /// <summary>True while a dump or its sweep is under way.</summary>
    public bool IsReconciling => _dumping || _sweeping;

    /// <summary>
    /// True while the external cache is being committed: a peer that died and came back empty must
    /// not take away what has not reached the kernel yet.
    /// </summary>
    internal bool HoldSweeps { get; set; }

    /// <summary>
    /// Goes on with long walks, a bounded piece. True if there is more to do at once.
    /// </summary>
    public bool Step()
    {
        bool more = false;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is { Sweeping: true } && !HoldSweeps && _transmitAt >= peer.SweepNotBefore)
            {
                more |= SweepExternal(peer);
            }
        }
        more |= StepAlarm() | StepFlush() | StepStale();
        return SweepInternal() || more;
    }

    private bool SweepInternal()
    {
        int budget = 2048;
        while (_sweeping && budget > 0)
        {
            uint next = _internal.Next(_sweepAt, ref budget);
            if (next == 0)
            {
                _sweeping = false;
                break;
            }
            _sweepAt = next;
            if (_internal.IsInUse(next)) { SweepOne(next); }
        }
        return _sweeping;
    }

    /// <summary>
    /// Empties the internal cache of what is in it now; nothing is announced, as in the original.
    /// The work is done by <see cref="Step"/>, as if a dump had shown nothing.
    /// </summary>
    internal void FlushInternal()
    {
        _generation = (byte)((_generation + 1) & SlotHead.GenerationMax);
        _announceSweep = false;
        _sweepKills = true;
        _sweeping = true;
        _sweepAt = 0;
    }

    /// <summary>
    /// Empties the external cache of what is in it now, or of the flows that are meant; what comes
    /// meanwhile stays. The work is done by <see cref="Step"/>.
    /// </summary>
    internal void FlushExternal(FlowTest? isMeant = null)
    {
        if (_external is null) { return; }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not null && isMeant is null) { peer.Generation++; }
        }
        _flushing = true;
        _flushMeant = isMeant;
        _flushAt = 0;
    }

    /// <summary>True until a flush is done.</summary>
    internal bool IsFlushing => _flushing || _sweeping;

    /// <summary>True until a flush of the external cache is done.</summary>
    internal bool IsFlushingExternal => _flushing;

    private bool StepFlush()
    {
        int budget = 2048;
        while (_flushing && budget > 0)
        {
            uint next = _external!.Next(_flushAt, ref budget);
            if (next == 0)
            {
                _flushing = false;
                break;
            }
            _flushAt = next;
            if (!_external.IsInUse(next)) { continue; }
            if (!IsFlushed(next)) { continue; }
            _external.Kill(next);
            _external.Remove(next);
        }
        return _flushing;
    }

    private bool IsFlushed(uint handle)
    {
        if (_flushMeant is FlowTest isMeant)
        {
            _external!.Load(handle, ref _flow);
            return isMeant(in _flow);
        }
        uint stamp = _external!.Head(handle).Sequence;
        return _peers.All[Peer.OwnerOf(stamp)] is not Peer owner || owner.Stamp != stamp;
    }

    private uint AddInternal(in Flow flow, long now)
    {
        uint handle = _internal.Add(in flow, Seconds(now));
        if (handle != 0) { Schedule(handle, now); }
        return handle;
    }

    private static uint Seconds(long now) => (uint)(now / Second);

    private bool IsDead(uint handle) => (_internal.Head(handle).Life & SlotLife.Dead) != 0;

    private void Stamp(uint handle) => _internal.Head(handle).Generation = _generation;

    // The same tuple, another entry of the kernel: announced as new, in its old place of the queue.
    private void Renew(uint handle, in Flow flow, long now)
    {
        Withdraw(handle);
        SlotLife queued = _internal.Head(handle).Life & SlotLife.Queued;
        _internal.Replace(handle, in flow, Seconds(now));
        Schedule(handle, now);
        _internal.Head(handle).Life |= queued | SlotLife.Renewed;
    }

    // A dead flow comes to life again only if there is room for one more.
    private bool MayRenew(uint handle)
    {
        if (!IsDead(handle) || !_internal.IsFull) { return true; }
        _internal.Counters.CreateFailedSpace++;
        return false;
    }

    private void Destroy(uint handle, bool announce)
    {
        _internal.Kill(handle);
        if (announce) { Announce(handle); }
        else
        {
            Withdraw(handle);
            _internal.Head(handle).Life &= ~SlotLife.Queued;
            FreeIfForgotten(handle);
        }
    }

    private void SweepOne(uint handle)
    {
        ref SlotHead head = ref _internal.Head(handle);
        if ((head.Life & SlotLife.Dead) != 0)
        {
            FreeIfForgotten(handle);
            return;
        }
        if (head.Generation == _generation) { return; }
        if (_sweepKills)
        {
            Destroy(handle, _announceSweep);
            return;
        }
        // Never more than one dump behind: its three bits must not come round to it.
        head.Generation = (byte)((_generation - 1) & SlotHead.GenerationMax);
    }

    // Puts a flow on the queue, once; one in flight is superseded by its newer state.
    private void Announce(uint handle)
    {
        Withdraw(handle);
        ref SlotHead head = ref _internal.Head(handle);
        if ((head.Life & SlotLife.Queued) != 0) { return; }
        head.Life |= SlotLife.Queued;
        _queue.Push(handle);
    }

    // Ends the wait for the acknowledgement of a flow.
    private void Withdraw(uint handle)
    {
        ref SlotHead head = ref _internal.Head(handle);
        if ((head.Life & SlotLife.InFlight) == 0) { return; }
        head.Life &= ~SlotLife.InFlight;
        ReleaseInFlight(head.Sequence);
    }

    // A dead flow is kept while a peer must still hear of it, and while a dump might show it again.
    private void FreeIfForgotten(uint handle)
    {
        SlotLife life = _internal.Head(handle).Life;
        bool waits = (life & (SlotLife.Queued | SlotLife.InFlight)) != 0;
        if ((life & SlotLife.Dead) != 0 && !waits && !_dumping) { _internal.Remove(handle); }
    }
}
