using System.Collections.Generic;

namespace Conntrackd.Sync;

/// <summary>
/// What keepalived says of its groups in, what the daemon shall do out. No descriptors, no clock:
/// lines, a view of the daemon and the time are arguments.
/// </summary>
/// <remarks>
/// Read <see cref="VrrpLine"/>, <see cref="VrrpGroup"/>, then this, then <see cref="VrrpCatchUp"/>.
/// <code>
///   any state --BACKUP--> Syncing ---in sync (VrrpCatchUp)---------------------> Idle
///                gate 1, purge armed, peers asked                                gate 0
///   any state --MASTER--> Queued -> Committing -> Resyncing -> Bulking --------> Idle
///                purge cancelled     external     kernel       internal          gate 0
///                                    -> kernel    -> internal  -> peers
///                          ^                                             |
///                          +--- in sync only now: commit what came ------+
///   any state --FAULT, STOP--> Idle          gate 1, purge armed
///   any state --keepalived vanished--> Idle  gate 1; who was master forwards on
/// </code>
/// One MASTER sequence at a time; a newer state of its group ends it at once. Only the newest line
/// of a group counts. While a group is master here the gate is never 1 (that would hand it over),
/// but for an orderly end of the daemon, and no purge is armed (it would remove living flows),
/// unless the groups say which flows are theirs: then each has a purge of its own.
/// A daemon that starts on a master has read the kernel's table by then, and a cache without
/// flows: it commits nothing, unless the table was empty too.
/// </remarks>
internal sealed class VrrpMachine
{
    // A bulk that is not acknowledged by then is left to itself.
    private const long BulkWaitMax = 10 * SyncEngine.Second;
    private const long HandOverMax = 2 * SyncEngine.Second;
    private const long OverlapMax = SyncEngine.Second;
    private const long MergeInterval = 10 * SyncEngine.Second;
    private const long LookInterval = SyncEngine.Second / 20;

    // A table that has no more flows is that of a node that has just come up.
    private const long EmptyCount = 20;

    private readonly VrrpSettings _settings;
    private readonly VrrpGroup[] _groups;
    private readonly VrrpCatchUp _catchUp = new();
    private readonly Queue<VrrpAction> _actions = new();
    private VrrpGroup? _running;
    private bool _isAbsent;             // keepalived does not run
    private bool _isSeen;               // it did when looked at last
    private long _leaveBy = long.MaxValue;

    internal VrrpMachine(VrrpSettings settings, VrrpGroup[] groups)
    {
        _settings = settings;
        _groups = groups;
    }

    internal VrrpCounters Counters { get; } = new();

    internal ReadOnlySpan<VrrpGroup> Groups => _groups;

    /// <summary>What keepalived was told last: 0 in sync, 1 stand back, -1 nothing.</summary>
    internal int Gate { get; private set; } = -1;

    /// <summary>Why.</summary>
    internal VrrpGateReason GateReason { get; private set; }

    /// <summary>True if any group is, or is about to become, master here.</summary>
    internal bool HasMaster => Array.Exists(_groups, IsMaster);

    /// <summary>
    /// A bit for each group whose flows live here: it is, or is about to become, master, or was
    /// when keepalived vanished.
    /// </summary>
    internal uint Holders
    {
        get
        {
            uint holders = 0;
            foreach (VrrpGroup group in _groups)
            {
                bool holds = IsMaster(group) || group.State == VrrpState.Gone;
                if (holds) { holders |= BitOf(group); }
            }
            return holders;
        }
    }

    /// <summary>True if every group is known to have its addresses elsewhere.</summary>
    internal bool IsStandby => Array.TrueForAll(
        _groups, g => !IsMaster(g) && g.State is not (VrrpState.Unknown or VrrpState.Gone));

    /// <summary>True while commit, flush, resync and bulk of a MASTER are under way.</summary>
    internal bool IsTakingOver => Array.Exists(_groups, g => g.Phase >= VrrpPhase.Queued);

    /// <summary>True while peers are being asked for what they know.</summary>
    internal bool IsCatchingUp => _catchUp.IsRunning;

    /// <summary>True once the daemon may end: nobody waits for it any more.</summary>
    internal bool IsLeft { get; private set; }

    /// <summary>Tells what the gate is at start; null: keepalived has never been told.</summary>
    internal void Start(int? gate)
    {
        if (gate is int value)
        {
            Gate = value;
            GateReason = VrrpGateReason.Inherited;
            return;
        }
        SetGate(1, VrrpGateReason.NotSynced);
    }

    /// <summary>A line of the FIFO; it counts at the next <see cref="Turn"/>.</summary>
    internal void OnLine(ReadOnlySpan<byte> text)
    {
        Counters.Lines++;
        _isAbsent = false;
        if (!VrrpLine.TryParse(text, out VrrpLine line))
        {
            Counters.LinesUnknown++;
            return;
        }
        bool known = false;
        foreach (VrrpGroup group in _groups)
        {
            if (!group.IsMeant(in line)) { continue; }
            known = true;
            OnWord(group, line.Word);
        }
        if (!known && !OnInstance(in line)) { Counters.LinesOther++; }
    }

    // Of another master only instances are told, and whose they are is not: a group that is master
    // may be meant.
    private bool OnInstance(in VrrpLine line)
    {
        bool known = false;
        if (line is not { IsGroup: false, Word: VrrpWord.DoubleMaster }) { return false; }
        foreach (VrrpGroup group in _groups)
        {
            if (!group.IsGroup || !IsMaster(group)) { continue; }
            OnWord(group, line.Word);
            known = true;
        }
        return known;
    }

    /// <summary>The bit of a group, by its place in the configuration.</summary>
    internal uint BitOf(VrrpGroup group) => 1u << Array.IndexOf(_groups, group);

    /// <summary>What was found out about a group by asking keepalived at start.</summary>
    internal static void OnAnswer(VrrpGroup group, VrrpState state)
    {
        if (group.Newest == VrrpState.Unknown) { group.Newest = state; }
    }

    /// <summary>keepalived's process was found running, or not.</summary>
    /// <remarks>
    /// Only one that was seen running can vanish: its number may stand in another file than the
    /// configuration says. One that has not started yet will say BACKUP, and is answered in time.
    /// </remarks>
    internal void OnProcess(bool runs)
    {
        bool vanished = !runs && _isSeen;
        _isAbsent = vanished || (!runs && _isAbsent);
        _isSeen = runs;
        if (!vanished) { return; }
        foreach (VrrpGroup group in _groups)
        {
            if (group.Newest is VrrpState.Unknown or VrrpState.Stop) { continue; }
            group.Newest = VrrpState.Gone;
        }
    }

    /// <summary>
    /// The daemon is asked to end. True if it should go on for a moment, until keepalived has
    /// handed its groups over: <see cref="IsLeft"/> tells when.
    /// </summary>
    internal bool BeginLeave(in VrrpView view, bool canHandOver, long now)
    {
        if (_leaveBy != long.MaxValue) { return false; }
        bool waits = canHandOver && HasMaster && view.IsPeerAlive && !_isAbsent;
        _leaveBy = now + HandOverMax;
        _catchUp.Stop();
        SetGate(1, VrrpGateReason.Leaving);
        return waits;
    }

    /// <summary>Decides what is to be done now; take the actions afterwards.</summary>
    internal void Turn(in VrrpView view, long now)
    {
        foreach (VrrpGroup group in _groups)
        {
            if (group.Newest != group.State) { Enter(group, in view, now); }
            if (group.IsDoubled) { MergeTables(group, in view, now); }
            if (now < group.PurgeAt) { continue; }
            group.PurgeAt = long.MaxValue;
            Do(VrrpActionKind.Purge, group);
        }
        if (_leaveBy != long.MaxValue)
        {
            IsLeft = !HasMaster || now >= _leaveBy;
            return;
        }
        AdvanceTakeOver(in view, now);
        AdvanceCatchUp(in view, now);
        UpdateGate();
    }

    /// <summary>When to turn again at the latest.</summary>
    internal long NextDeadline(long now)
    {
        bool busy = _catchUp.IsRunning || IsTakingOver || _leaveBy != long.MaxValue;
        long next = busy ? now + LookInterval : long.MaxValue;
        foreach (VrrpGroup group in _groups) { next = Math.Min(next, group.PurgeAt); }
        return next;
    }

    /// <summary>The next thing to do; false if there is none.</summary>
    internal bool TryTakeAction(out VrrpAction action) => _actions.TryDequeue(out action);

    private static void OnWord(VrrpGroup group, VrrpWord word)
    {
        switch (word)
        {
            case VrrpWord.Master: group.Newest = VrrpState.Master; break;
            case VrrpWord.Backup: group.Newest = VrrpState.Backup; break;
            case VrrpWord.Fault: group.Newest = VrrpState.Fault; break;
            case VrrpWord.Stop or VrrpWord.Deleted: group.Newest = VrrpState.Stop; break;
            case VrrpWord.DoubleMaster:
                // Both tables stay: keepalived settles who it is, and the loser hears BACKUP.
                group.DoubleMasters++;
                group.IsDoubled = true;
                break;
            case VrrpWord.Priority: break;
        }
    }

    private void Enter(VrrpGroup group, in VrrpView view, long now)
    {
        VrrpState former = group.State;
        bool wasSynced = group.Phase != VrrpPhase.Syncing;
        group.State = group.Newest;
        group.Since = now;
        group.Transitions++;
        // It has the addresses still: what was begun for them goes on.
        if (group.State == VrrpState.Gone && group.Phase >= VrrpPhase.Queued) { return; }
        Abandon(group);
        group.WantsLateCommit = false;
        group.KeepsLiving = false;
        group.MergeNotBefore = now + OverlapMax;
        group.Sequence = new VrrpSequence
        {
            State = group.State,
            StartedAt = now,
            StepAt = now,
            CommitTook = -1,
        };
        if (_leaveBy != long.MaxValue) { return; }
        switch (group.State)
        {
            case VrrpState.Master:
                group.PurgeAt = long.MaxValue;
                Do(VrrpActionKind.CancelPurge, group);
                bool isFresh = former != VrrpState.Unknown || view.InternalCount <= EmptyCount;
                bool isSynced = former == VrrpState.Unknown ? !isFresh : wasSynced;
                BecomeMaster(group, isFresh, isSynced, in view, now);
                break;
            case VrrpState.Backup:
                group.Phase = VrrpPhase.Syncing;
                ArmPurge(group, in view, now);
                _catchUp.Start(in view, now);
                break;
            case VrrpState.Fault or VrrpState.Stop:
                if (_settings.PurgeOnFault) { ArmPurge(group, in view, now); }
                Finish(group);
                break;
            default:
                Finish(group);
                break;
        }
    }

    private void BecomeMaster(
        VrrpGroup group, bool isFresh, bool isSynced, in VrrpView view, long now)
    {
        group.Phase = VrrpPhase.Queued;
        group.WantsCommit = _settings.HasExternalCache && isFresh;
        group.WantsLateCommit = _settings.HasExternalCache && !isSynced;
        if (group.WantsLateCommit && !_catchUp.IsRunning) { _catchUp.Start(in view, now); }
    }

    // Two were master: what the loser opened meanwhile is asked of it, before it purges, and added
    // to what is here. In the first moment the other one has just not heard of this one.
    private void MergeTables(VrrpGroup group, in VrrpView view, long now)
    {
        group.IsDoubled = false;
        if (group.State != VrrpState.Master || now < group.MergeNotBefore) { return; }
        group.MergeNotBefore = now + MergeInterval;
        Do(VrrpActionKind.TellDoubleMaster, group);
        if (!_settings.HasExternalCache) { return; }
        group.WantsLateCommit = true;
        group.KeepsLiving = true;
        _catchUp.Start(in view, now);
    }

    // Where flows are not told apart, never while a group is master here: they are in one table.
    private void ArmPurge(VrrpGroup group, in VrrpView view, long now)
    {
        if (!_settings.HasExternalCache || (HasMaster && !_settings.HasClaims)) { return; }
        if (_settings.HasClaims) { group.PurgeAt = now + view.PurgeMicroseconds; }
        Do(VrrpActionKind.ArmPurge, group);
    }

    // A newer state: what was under way for the former one is given up.
    private void Abandon(VrrpGroup group)
    {
        if (group.Phase == VrrpPhase.Committing) { Do(VrrpActionKind.AbortCommit); }
        if (_running == group) { _running = null; }
        if (group.Phase != VrrpPhase.Idle)
        {
            Counters.Aborted++;
            group.Sequence.IsAborted = true;
            Report(group);
        }
        group.Phase = VrrpPhase.Idle;
    }

    private void AdvanceTakeOver(in VrrpView view, long now)
    {
        _running ??= Array.Find(_groups, g => g.Phase == VrrpPhase.Queued);
        if (_running is not VrrpGroup group) { return; }
        ref VrrpSequence sequence = ref group.Sequence;
        switch (group.Phase)
        {
            case VrrpPhase.Queued when view.IsCommitting:
                return;

            case VrrpPhase.Queued when group.WantsCommit:
                Begin(group, VrrpPhase.Committing, VrrpActionKind.Commit, now);
                (sequence.Created, sequence.Replaced, sequence.Failed) =
                    (view.Created, view.Replaced, view.Failed);
                return;

            case VrrpPhase.Committing when !view.IsCommitting:
                sequence.CommitTook = now - sequence.StepAt;
                sequence.Created = view.Created - sequence.Created;
                sequence.Replaced = view.Replaced - sequence.Replaced;
                sequence.Failed = view.Failed - sequence.Failed;
                Do(VrrpActionKind.FlushExternal, group);
                Begin(group, VrrpPhase.Resyncing, VrrpActionKind.Resync, now);
                return;

            case VrrpPhase.Queued:
                Begin(group, VrrpPhase.Resyncing, VrrpActionKind.Resync, now);
                return;

            case VrrpPhase.Resyncing when !view.IsResyncing:
                sequence.ResyncTook = now - sequence.StepAt;
                Begin(group, VrrpPhase.Bulking, VrrpActionKind.Bulk, now);
                return;

            case VrrpPhase.Bulking when !view.IsBulkRunning || !view.IsPeerAlive ||
                now - sequence.StepAt >= BulkWaitMax:
                sequence.BulkTook = now - sequence.StepAt;
                _running = null;
                Finish(group);
                return;
        }
    }

    private void Begin(VrrpGroup group, VrrpPhase phase, VrrpActionKind action, long now)
    {
        group.Phase = phase;
        group.Sequence.StepAt = now;
        Do(action, group);
    }

    private void Finish(VrrpGroup group)
    {
        group.Phase = VrrpPhase.Idle;
        group.KeepsLiving &= group.WantsLateCommit;
        group.Sequence.IsDone = true;
        Counters.Sequences++;
        Report(group);
    }

    private void Report(VrrpGroup group)
    {
        group.Last = group.Sequence;
        _actions.Enqueue(new VrrpAction(VrrpActionKind.Report, group, Sequence: group.Sequence));
    }

    private void AdvanceCatchUp(in VrrpView view, long now)
    {
        if (!_catchUp.IsRunning) { return; }
        bool wanted = Array.Exists(
            _groups, g => g.Phase == VrrpPhase.Syncing || g.WantsLateCommit);
        if (!wanted)
        {
            _catchUp.Stop();
            return;
        }
        VrrpSynced end = _catchUp.Advance(_settings, in view, now, out bool ask);
        if (ask)
        {
            Counters.Requests++;
            Do(VrrpActionKind.RequestResync);
        }
        if (end == VrrpSynced.No) { return; }
        foreach (VrrpGroup group in _groups)
        {
            if (group.Phase == VrrpPhase.Syncing)
            {
                group.Sequence.Synced = end;
                group.Sequence.SyncTook = now - group.Sequence.StartedAt;
                Finish(group);
            }
            else if (group.WantsLateCommit) { CommitLate(group, end, now); }
        }
        if (Array.Exists(_groups, g => g.WantsLateCommit)) { _catchUp.Start(in view, now); }
    }

    // What came after the first commit of a master that took over too early.
    private static void CommitLate(VrrpGroup group, VrrpSynced end, long now)
    {
        // The first commit still runs: what comes meanwhile is looked for again behind it.
        if (group.Phase != VrrpPhase.Idle) { return; }
        group.WantsLateCommit = false;
        if (end == VrrpSynced.NoPeer) { return; }
        group.WantsCommit = true;
        group.Phase = VrrpPhase.Queued;
        group.Sequence = new VrrpSequence
        {
            State = VrrpState.Master,
            StartedAt = now,
            StepAt = now,
            CommitTook = -1,
            IsLate = true,
            Synced = end,
        };
    }

    private void UpdateGate()
    {
        if (HasMaster)
        {
            // While it takes over nothing is said: the last word may have been "stand back".
            if (!IsTakingOver) { SetGate(0, VrrpGateReason.Master); }
            return;
        }
        VrrpGateReason reason = _isAbsent ? VrrpGateReason.Gone : VrrpGateReason.NothingKnown;
        foreach (VrrpGroup group in _groups)
        {
            VrrpGateReason of = ReasonOf(group);
            if (of > reason) { reason = of; }
        }
        if (reason == VrrpGateReason.NothingKnown) { return; }
        SetGate(reason == VrrpGateReason.Synced ? 0 : 1, reason);
    }

    // The greatest of all groups counts: one that stands back makes all stand back.
    private static VrrpGateReason ReasonOf(VrrpGroup group) => group.State switch
    {
        VrrpState.Backup when group.Phase == VrrpPhase.Syncing => VrrpGateReason.NotSynced,
        VrrpState.Backup => VrrpGateReason.Synced,
        VrrpState.Fault => VrrpGateReason.Fault,
        VrrpState.Stop => VrrpGateReason.Stopped,
        VrrpState.Gone => VrrpGateReason.Gone,
        _ => VrrpGateReason.NothingKnown,
    };

    private void SetGate(int value, VrrpGateReason reason)
    {
        GateReason = reason;
        if (Gate == value) { return; }
        Gate = value;
        _actions.Enqueue(new VrrpAction(VrrpActionKind.Gate, Gate: value));
    }

    private static bool IsMaster(VrrpGroup group) =>
        group.State == VrrpState.Master || group.Newest == VrrpState.Master;

    private void Do(VrrpActionKind kind, VrrpGroup? group = null) =>
        _actions.Enqueue(new VrrpAction(kind, group));
}
