using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>A running daemon in sync mode: owns every part and turns the loop.</summary>
/// <remarks>
/// This room wires the others together and is the only one that knows them all. Read the turn of
/// the loop here, then <see cref="KernelSide"/> (events and dumps), <see cref="Links"/>
/// (datagrams), <see cref="Commands"/> (clients), <see cref="Launcher"/> (start and end).
/// <code>
/// a turn   wait for descriptors or the next deadline; each ready handler does a bounded piece
///          -> deadlines -> long walks, a piece -> commit, a batch -> injections -> datagrams
/// </code>One thread owns all state. Readers of caches are on threads of their own and only look.
/// </remarks>
internal sealed class Node : DaemonLoop
{
    private const long StalledMicroseconds = 100_000;
    private const uint QuietCommitMin = 20_000;

    // One for the life of the process: a reload is no new start.
    private static readonly ulong s_incarnation = (ulong)Random.Shared.NextInt64() | 1;

    private FlowWriter _commits = null!;
    private ExpectationWriter? _expectationCommits;
    private readonly CacheWatch _internalWatch;
    private readonly CacheWatch? _externalWatch;
    private readonly List<ControlSession> _flushing = [];
    private CommitJob? _commit;
    private bool _isCommitQuiet;
    private long _purgeAt = long.MaxValue;
    private bool _leaving;
    private ulong _resyncsTold;
    private LogThrottle _resyncThrottle = new(intervalSeconds: 1);

    internal Node(Options options, ServiceNotifier? notifier, Log log)
        : base(options, notifier, log)
    {
        Status = new Status(this);
        SyncOptions sync = options.Sync!;
        uint limit = Math.Min(options.HashLimit, FlowsMax);
        Internal = new FlowTable(sync.DisableInternalCache ? 0 : limit, RandomSeed());
        _internalWatch = new CacheWatch("internal", Internal, log);
        if (!sync.DisableExternalCache)
        {
            External = new FlowTable(limit, RandomSeed());
            _externalWatch = new CacheWatch("external", External, log);
        }
        if (!sync.ExpectationSync.IsOn) { return; }
        Expectations = new ExpectationTable(options.HashLimit);
        if (External is not null)
        {
            ExternalExpectations = new ExpectationTable(options.HashLimit);
        }
    }

    internal Status Status { get; }

    /// <summary>Stays empty with DisableInternalCache.</summary>
    internal FlowTable Internal { get; }

    /// <summary>Null if peers' flows go straight to the kernel.</summary>
    internal FlowTable? External { get; }

    /// <summary>The own kernel's; null without ExpectationSync.</summary>
    internal ExpectationTable? Expectations { get; }

    /// <summary>The peers'; null without ExpectationSync or without an external cache.</summary>
    internal ExpectationTable? ExternalExpectations { get; }

    internal SyncEngine Engine { get; private set; } = null!;

    internal KernelSide Kernel { get; private set; } = null!;

    internal Links Links { get; private set; } = null!;

    /// <summary>The writer of direct injection; null with an external cache.</summary>
    internal FlowWriter? Injections { get; private set; }

    /// <summary>As <see cref="Injections"/>, null also without ExpectationSync.</summary>
    internal ExpectationWriter? ExpectationInjections { get; private set; }

    internal bool IsReliable => Options.Sync!.Mode == Config.SyncMode.Ftfw;

    internal bool IsAlarm => Options.Sync!.Mode == Config.SyncMode.Alarm;

    /// <summary>True if events go straight to the link.</summary>
    internal bool IsBypassing => Options.Sync!.DisableInternalCache;

    internal bool IsCommitting => _commit is not null;

    /// <summary>The writer of commits, for its counters.</summary>
    internal FlowWriter CommitWriter => _commits;

    /// <summary>Follows keepalived; null if that is not configured.</summary>
    internal VrrpSide? Vrrp { get; private set; }

    /// <inheritdoc/>
    internal override KernelCounters KernelCounters => Kernel.Counters;

    /// <inheritdoc/>
    internal override string StatusText => SyncState.Describe(Engine.Peers, IsReliable);

    /// <inheritdoc/>
    protected override ICommandHandler Handler => new Commands(this, Log);

    /// <inheritdoc/>
    protected override string? TryOpen()
    {
        string? failed = OpenWriters();
        if (failed is not null) { return failed; }
        Engine = new SyncEngine(SettingsOf(Options.Sync!), Internal, External, Injections, Now());
        if (Expectations is not null)
        {
            Engine.ReplicateExpectations(
                Expectations, ExternalExpectations, ExpectationInjections);
        }
        Links = new Links(
            Engine, StartedMicroseconds, IsReliable, speaks: !IsAlarm,
            Options.Sync!.RedundantLinks, Log);
        failed = Links.TryOpen(Options.Sync!, Loop);
        if (failed is not null) { return failed; }
        Kernel = new KernelSide(Engine, Options, StartedMicroseconds, Log);
        failed = Kernel.TryStart(
            Loop, _commits, Injections, _expectationCommits, ExpectationInjections);
        if (failed is not null || Options.Vrrp is not VrrpOptions vrrp) { return failed; }
        Vrrp = new VrrpSide(this, vrrp, Log);
        if (External is null) { Kernel.IsStandby = () => Vrrp.Machine.IsStandby; }
        return Vrrp.TryStart(Loop, Now());
    }

    /// <inheritdoc/>
    internal override IDumpSource? DumpOf(ControlRequest dump, ReplyForm form)
    {
        bool own = dump == ControlRequest.DumpInternal;
        var line = new FlowLine(form, Xml: false, FlowTextSource.Cache);
        if (own && IsBypassing)
        {
            return new KernelDump(Options.Filter, line with { Source = FlowTextSource.Kernel });
        }
        FlowTable? table = own ? Internal : External;
        return table is null ? null : new CacheDump(table, line, StartedMicroseconds);
    }

    /// <inheritdoc/>
    internal override void AppendMore(ControlRequest topic, TextBuffer text)
    {
        base.AppendMore(topic, text);
        bool network = topic is ControlRequest.Statistics or ControlRequest.StatisticsNetwork;
        if (network) { SyncState.Append(text, Engine.Peers, IsReliable, Now()); }
        bool cache = topic == ControlRequest.StatisticsCache && External is not null;
        if (cache) { Reports.AppendRemovals(text, Status.RemovalsOf(Engine.Counters)); }
    }

    /// <inheritdoc/>
    protected override string? TryChange(Options options)
    {
        SyncOptions sync = options.Sync!;
        string? failed = Links.TryReadKeys();
        if (failed is not null) { return failed; }
        uint limit = Math.Min(options.HashLimit, FlowsMax);
        if (!IsBypassing) { Internal.SetLimit(limit); }
        External?.SetLimit(limit);
        Engine.Change(SettingsOf(sync));
        _commits.Change(WriterSettings.Of(sync));
        Injections?.Change(WriterSettings.Of(sync));
        Kernel.Change(options);
        return null;
    }

    /// <inheritdoc/>
    protected override void OnRun()
    {
        if (!Options.Sync!.StartupResync) { return; }
        Log.Notice("resync requested");
        Engine.RequestResync();
    }

    /// <summary>
    /// Ends the loop after this turn; or, on a master that keepalived can hand over, a moment
    /// later. Asked twice it ends at once.
    /// </summary>
    internal override void Stop()
    {
        bool waits = Vrrp is not null && !_leaving && Vrrp.BeginLeave(Now());
        _leaving = true;
        if (!waits) { base.Stop(); }
    }

    /// <summary>Gives up the commit that runs; what it has written stays.</summary>
    internal void AbortCommit()
    {
        if (_commit is not { } commit) { return; }
        EndCommit();
        // What happened to the table meanwhile was not heard.
        if (commit.Order.IsDeaf) { Kernel.Want(KernelSide.Purpose.Reconcile, session: null); }
    }

    /// <summary>
    /// Starts a commit of flows, of expectations, or of these behind those; false if one is under
    /// way.
    /// </summary>
    internal bool TryStartCommit(in CommitOrder order)
    {
        if (_commit is not null) { return false; }
        uint timeout = Options.Sync!.CommitTimeoutSeconds;
        _commit = new CommitJob(
            order.Flows && External is not null
                ? new Commit(External, timeout, order.IsMeant) : null,
            order.Expectations && ExternalExpectations is not null
                ? new ExpectationCommit(
                    ExternalExpectations, timeout, External!, order.IsMeant) : null,
            _commits, _expectationCommits, in order, Log);
        _isCommitQuiet = order.IsDeaf || (order.Flows && IsWorthQuiet);
        if (_isCommitQuiet)
        {
            Kernel.HearNew(false, keepsCommitted: !order.IsDeaf);
            _commits.BeginBehind();
        }
        return true;
    }

    // With so many flows, to have the kernel describe each of them takes longer than to read the
    // table once behind the commit, where nobody waits for it.
    private bool IsWorthQuiet =>
        External is { Count: >= QuietCommitMin } && !IsBypassing && Options.PollSeconds == 0 &&
        Options.NetlinkOverrunResyncSeconds != 0;

    /// <summary>
    /// Lets a client wait for the commit that runs, if that does what it wants.
    /// </summary>
    internal bool TryJoinCommit(in CommitOrder order)
    {
        if (_commit is null || !_commit.Order.Covers(in order)) { return false; }
        _commit.Join(order.Session!);
        return true;
    }

    private void EndCommit()
    {
        if (_isCommitQuiet)
        {
            _commits.EndBehind();
            Kernel.HearNew(true);
            // Packets may have made flows that nobody has heard of.
            if (!_commit!.Order.IsDeaf)
            {
                Kernel.Want(KernelSide.Purpose.Reconcile, session: null);
            }
        }
        _commit = null;
    }

    /// <summary>Answers the client once the caches are empty of what was in them.</summary>
    internal void WhenFlushed(ControlSession session) => _flushing.Add(session);

    /// <summary>
    /// Flushes the kernel's table after PurgeTimeout; ignored while that is pending.
    /// </summary>
    internal void SchedulePurge()
    {
        if (_purgeAt != long.MaxValue) { return; }
        uint seconds = Options.Sync!.PurgeTimeoutSeconds;
        Log.Notice($"flushing conntrack table in {seconds} secs");
        _purgeAt = Now() + (seconds * SyncEngine.Second);
    }

    /// <summary>Forgets a flush that is pending.</summary>
    internal void CancelPurge()
    {
        _purgeAt = long.MaxValue;
        Kernel.CancelFlush();
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        Vrrp?.Dispose();
        Kernel?.Dispose();
        Links?.Dispose();
        _commits?.Dispose();
        Injections?.Dispose();
        _expectationCommits?.Dispose();
        ExpectationInjections?.Dispose();
    }

    /// <inheritdoc/>
    protected override bool Turn(long now)
    {
        Engine.OnDeadline(now);
        Engine.HoldSweeps = IsCommitting;
        bool more = Engine.Step();
        more |= Vrrp is not null && Vrrp.Turn(now);
        if (_leaving && Vrrp is { Machine.IsLeft: true }) { base.Stop(); }
        if (_internalWatch.Turn(now)) { Kernel.LookForRefused(); }
        if (_externalWatch is not null && _externalWatch.Turn(now)) { Engine.RequestResync(); }
        Kernel.Turn(now);
        uint seconds = (uint)(now / SyncEngine.Second);
        TellResyncs(now);
        while (Engine.TryTakeBulkResult(out BulkResult bulk)) { Tell(in bulk); }
        if (!Engine.IsFlushing) { CompleteFlushes(); }
        // What is being flushed must not be committed.
        bool mayCommit = _commit is not null && !Engine.IsFlushingExternal;
        if (mayCommit && !_commit!.Turn(seconds))
        {
            EndCommit();
            more = true;                // the step behind it is due
        }
        Injections?.Retry(now);
        Injections?.Flush();
        ExpectationInjections?.Retry(now);
        ExpectationInjections?.Flush();
        if (now >= _purgeAt) { Purge(); }
        Links.OnDeadline(now);
        Links.Send(now);
        return more || _commit is not null || (Engine.WantsTurn && !Links.IsStalled);
    }

    // Without an internal cache the kernel is read for it, and the original speaks of no bulk.
    private void TellResyncs(long now)
    {
        ulong heard = Engine.Counters.ResyncsHeard;
        if (heard == _resyncsTold || !_resyncThrottle.TryTake(now, out _)) { return; }
        _resyncsTold = heard;
        Log.Notice("resync requested by other node");
        if (!IsBypassing) { Log.Notice("sending bulk update"); }
    }

    private void Tell(in BulkResult bulk)
    {
        string peer = Config.AddressText.Format(
            bulk.Peer.Address.Family, bulk.Peer.Address.Address);
        string end = $"bulk update to {peer} done, {bulk.Sent} sent, {bulk.Missing} missing";
        if (bulk.Missing == 0) { Log.Notice(end); }
        else { Log.Warning($"{end}: its cache is full (HashLimit)"); }
    }

    private void CompleteFlushes()
    {
        foreach (ControlSession session in _flushing) { session.Complete(); }
        _flushing.Clear();
    }

    private void Purge()
    {
        _purgeAt = long.MaxValue;
        Log.Notice("flushing kernel conntrack table (scheduled)");
        Kernel.Want(KernelSide.Purpose.Flush, session: null);
        Engine.FlushInternal();
    }

    /// <inheritdoc/>
    protected override long NextDeadline(long now)
    {
        long next = Engine.NextDeadline(now);
        // What the engine wants to send must wait: it need not be asked at once.
        if (Links.IsStalled) { next = Math.Max(next, now + StalledMicroseconds); }
        next = Math.Min(next, Links.NextDeadline(now));
        next = Math.Min(next, _purgeAt);
        next = Math.Min(next, Injections?.NextDeadline ?? long.MaxValue);
        if (Vrrp is not null) { next = Math.Min(next, Vrrp.NextDeadline(now)); }
        next = Math.Min(next, _internalWatch.NextDeadline);
        next = Math.Min(next, _externalWatch?.NextDeadline ?? long.MaxValue);
        return Math.Min(next, Kernel.NextDeadline);
    }

    private string? OpenWriters()
    {
        SyncOptions sync = Options.Sync!;
        var counters = new KernelCounters();
        Errno error = FlowWriter.TryOpen(
            "commit", waits: false, WriterSettings.Of(sync), counters, Log,
            out FlowWriter? commits);
        if (error != Errno.None) { return $"can't open netlink commit socket: {error.Describe()}"; }
        _commits = commits!;
        if (Expectations is not null)
        {
            bool commit = ExternalExpectations is not null;
            error = ExpectationWriter.TryOpen(
                commit ? "commit" : "inject", waits: !commit, sync.CommitTimeoutSeconds, counters,
                Log, out ExpectationWriter? expectations);
            if (error != Errno.None) { return $"can't open netlink socket: {error.Describe()}"; }
            if (commit) { _expectationCommits = expectations; }
            else { ExpectationInjections = expectations; }
        }
        if (!sync.DisableExternalCache) { return null; }
        error = FlowWriter.TryOpen(
            "inject", waits: true, WriterSettings.Of(sync), counters, Log,
            out FlowWriter? injections);
        Injections = injections;
        return error == Errno.None ? null : $"can't open netlink inject socket: {error.Describe()}";
    }

    // Two nodes may number from the clock, as the original does. On a group with more of them an
    // acknowledgement does not say whose messages it means: there, the numbers start far apart.
    private static SyncSettings SettingsOf(SyncOptions sync)
    {
        bool group = false;
        foreach (LinkOptions link in sync.Links)
        {
            group |= link.Kind == Config.LinkKind.Multicast;
        }
        return new SyncSettings(
            sync.Mode switch
            {
                Config.SyncMode.Ftfw => Sync.SyncMode.Ftfw,
                Config.SyncMode.Alarm => Sync.SyncMode.Alarm,
                _ => Sync.SyncMode.NoTrack,
            },
            (int)sync.ResendQueueSize,
            (int)sync.AckWindowSize,
            SendTimeouts: sync.CommitTimeoutSeconds == 0,
            sync.TcpWindowTracking,
            group ? (uint)RandomSeed() : (uint)Clock.WallSeconds())
        {
            RefreshSeconds = sync.RefreshSeconds,
            CacheTimeoutSeconds = sync.CacheTimeoutSeconds,
            Bypass = sync.DisableInternalCache,
            Incarnation = s_incarnation,
            Node = LinkPeers.AreNumbered(sync.Links)
                ? (uint)Random.Shared.NextInt64(1, uint.MaxValue) : 0,
        };
    }

    // Secret enough: it only keeps others from choosing flows that meet in one place of a table.
    internal static long RandomSeed() => Random.Shared.NextInt64();
}
