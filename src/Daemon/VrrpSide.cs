using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>
/// keepalived's side of the daemon: its FIFO, its track file, its process. What is to be done is
/// decided by <see cref="VrrpMachine"/>, and done here.
/// </summary>
internal sealed partial class VrrpSide : IReadyHandler, IDisposable
{
    private const int ReadBytes = 64 * 1024;        // what a pipe holds
    private const int ReadsPerTurn = 16;
    private const long CheckInterval = SyncEngine.Second;

    private readonly Node _node;
    private readonly VrrpOptions _options;
    private readonly Log _log;
    private readonly VrrpMachine _machine;
    private readonly VrrpLineReader _lines = new();
    private readonly TrackFile? _track;
    private readonly VrrpHook? _hook;
    private readonly GroupClaims? _claims;
    private readonly byte[] _buffer = new byte[ReadBytes];
    private EventLoop _loop = null!;
    private VrrpFifo? _fifo;
    private long _checkAt;
    private uint _purging;              // groups whose flows are to be purged
    private bool _complained;

    internal VrrpSide(Node node, VrrpOptions options, Log log)
    {
        _node = node;
        _options = options;
        _log = log;
        _track = options.TrackFile is string path ? new TrackFile(path) : null;
        _hook = options.Command is string command ? new VrrpHook(command, log) : null;
        var groups = new VrrpGroup[options.Groups.Count];
        var claims = new GroupClaim[groups.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            VrrpGroupName group = options.Groups[i];
            groups[i] = new VrrpGroup(group.Name, group.IsGroup);
            claims[i] = new GroupClaim(group.Marks, group.Addresses);
        }
        _claims = GroupClaims.From(claims);
        _machine = new VrrpMachine(
            new VrrpSettings(
                options.SyncQuietSeconds * SyncEngine.Second,
                options.HoldOffSeconds * SyncEngine.Second,
                options.PurgeOnFault,
                HasExternalCache: node.External is not null,
                HasClaims: _claims is not null),
            groups);
    }

    internal VrrpMachine Machine => _machine;

    /// <summary>How often the FIFO had to be opened again.</summary>
    internal ulong Reopened { get; private set; }

    internal ulong LinesTooLong => _lines.TooLong;

    /// <summary>
    /// Opens the FIFO, before keepalived does. Null, or why it cannot be used.
    /// </summary>
    internal string? TryStart(EventLoop loop, long now)
    {
        _loop = loop;
        string? failed = OpenFifo();
        if (failed is not null) { return failed; }
        _machine.Start(_track?.Read());
        // What waited in the FIFO tells the state better than the question: it is the newest.
        OnReady(_fifo!.FileDescriptor, EventMask.In);
        if (_options.QueryPid is string pidFile)
        {
            KeepalivedQuery.Ask(pidFile, _machine, _log);
            CheckProcess(pidFile);
        }
        _checkAt = now + CheckInterval;
        return null;
    }

    /// <summary>Drains the FIFO; only the newest state of each group will count.</summary>
    public void OnReady(int fd, EventMask mask)
    {
        for (int i = 0; i < ReadsPerTurn; i++)
        {
            Errno error = Libc.Read(fd, _buffer, out int count);
            if (error != Errno.None || count == 0) { return; }
            ReadOnlySpan<byte> rest = _buffer.AsSpan(0, count);
            while (_lines.TryNext(ref rest, out ReadOnlySpan<byte> line)) { _machine.OnLine(line); }
        }
    }

    /// <summary>Does what is due. True if the next turn should not wait.</summary>
    internal bool Turn(long now)
    {
        if (now >= _checkAt)
        {
            _checkAt = now + CheckInterval;
            Check();
        }
        _machine.Turn(View(), now);
        bool acted = false;
        while (_machine.TryTakeAction(out VrrpAction action))
        {
            Do(in action);
            acted = true;
        }
        // What was begun may be at its end in this turn already: a small commit, an empty bulk.
        return acted;
    }

    internal long NextDeadline(long now) => Math.Min(_checkAt, _machine.NextDeadline(now));

    /// <summary>
    /// The daemon is to end: tells keepalived. True if it should go on until the groups are handed
    /// over; then it is stopped from here.
    /// </summary>
    internal bool BeginLeave(long now)
    {
        bool waits = _machine.BeginLeave(View(), _track is not null, now);
        while (_machine.TryTakeAction(out VrrpAction action)) { Do(in action); }
        if (waits) { _log.Notice("VRRP: handing over before the end"); }
        return waits;
    }

    public void Dispose() => _fifo?.Dispose();

    private VrrpView View()
    {
        SyncEngine engine = _node.Engine;
        Cache.FlowTable? external = _node.External;
        FlowWriter? injections = _node.Injections;
        return new VrrpView
        {
            // Without an internal cache nobody knows; a table is rarely empty.
            InternalCount = _node.IsBypassing
                ? long.MaxValue : (long)_node.Internal.Counters.Active,
            KnownCount = external is not null ? (long)external.Counters.Active
                : (long)(injections!.Created - injections.Destroyed),
            Received = external?.Counters is { } counters
                ? counters.Created + counters.Updated + counters.Destroyed
                : injections!.Created + injections.Updated + injections.Destroyed,
            BulksReceived = engine.Counters.BulksReceived,
            IsReceivingBulk = engine.IsReceivingBulk,
            IsPeerAlive = engine.IsAnyPeerAlive,
            IsCommitting = _node.IsCommitting,
            IsResyncing = _node.Kernel.IsResyncing,
            IsBulkRunning = engine.IsBulkRunning,
            PurgeMicroseconds = _node.Options.Sync!.PurgeTimeoutSeconds * SyncEngine.Second,
            Created = _node.CommitWriter.Created,
            Replaced = _node.CommitWriter.Replaced,
            Failed = _node.CommitWriter.CreateFailed,
        };
    }

    private void Do(in VrrpAction action)
    {
        switch (action.Kind)
        {
            case VrrpActionKind.CancelPurge: CancelPurge(action.Group!); break;
            case VrrpActionKind.ArmPurge: ArmPurge(action.Group!); break;
            case VrrpActionKind.Purge: Purge(action.Group!); break;
            case VrrpActionKind.Commit: Commit(action.Group!); break;
            case VrrpActionKind.AbortCommit: _node.AbortCommit(); break;
            case VrrpActionKind.FlushExternal: FlushExternal(); break;
            // Without an internal cache there is nothing to refresh.
            case VrrpActionKind.Resync when _node.IsBypassing: break;
            case VrrpActionKind.Resync:
                _node.Kernel.Want(KernelSide.Purpose.Resync, session: null);
                if (_node.Expectations is null) { break; }
                _node.Kernel.Want(KernelSide.Purpose.ResyncExpectations, session: null);
                break;
            case VrrpActionKind.Bulk: _node.Engine.RequestBulk(); break;
            case VrrpActionKind.RequestResync: _node.Engine.RequestResync(); break;
            case VrrpActionKind.Gate: SetGate(action.Gate); break;
            case VrrpActionKind.TellDoubleMaster:
                _log.Warning($"{NameOf(action.Group!)}: another, weaker master was heard");
                break;
            case VrrpActionKind.Report:
                Tell(action.Group!, action.Sequence);
                break;
        }
    }

    private void Commit(VrrpGroup group)
    {
        uint bit = _machine.BitOf(group);
        _node.TryStartCommit(new CommitOrder(Flows: true, Expectations: true)
        {
            IsMeant = _claims is null
                ? null : (in Flow flow) => (_claims.OwnersOf(in flow) & bit) != 0,
            KeepsLiving = group.KeepsLiving,
            // Resync follows; without an internal cache there is none.
            IsDeaf = !_node.IsBypassing,
        });
    }

    // What belongs to a group that is master elsewhere may still be needed.
    private void FlushExternal()
    {
        FlowTest? isHere = _claims is null
            ? null : (in Flow flow) => (_claims.OwnersOf(in flow) & ~_machine.Holders) == 0;
        _node.Engine.FlushExternalExpectations(isHere);
        _node.Engine.FlushExternal(isHere);
    }

    private void ArmPurge(VrrpGroup group)
    {
        if (_claims is null) { _node.SchedulePurge(); }
        else
        {
            uint seconds = _node.Options.Sync!.PurgeTimeoutSeconds;
            _log.Notice($"{NameOf(group)}: flushing its flows in {seconds} secs");
        }
    }

    private void CancelPurge(VrrpGroup group)
    {
        _purging &= ~_machine.BitOf(group);
        _node.CancelPurge();
    }

    // Asked for each flow when it is found: a group may become master while the table is read.
    private void Purge(VrrpGroup group)
    {
        _purging |= _machine.BitOf(group);
        _log.Notice($"{NameOf(group)}: flushing its flows (scheduled)");
        _node.Kernel.WantPurge((in Flow flow) =>
        {
            uint owners = _claims!.OwnersOf(in flow);
            return (owners & _purging) != 0 && (owners & _machine.Holders) == 0;
        });
    }

    private void SetGate(int value)
    {
        string? failed = _track?.Write(value);
        if (failed is not null) { _log.Error(failed); }
    }

    private string? OpenFifo()
    {
        string? failed = VrrpFifo.TryOpen(_options.Notify, out _fifo);
        if (failed is not null) { return failed; }
        Errno error = _loop.Add(_fifo!.FileDescriptor, EventMask.In, this);
        return error == Errno.None ? null : $"VRRP: event loop: {error.Describe()}";
    }

    // Once a second: is it still our FIFO, does keepalived run, has a program ended.
    private void Check()
    {
        _hook?.Reap();
        if (_options.QueryPid is string pidFile) { CheckProcess(pidFile); }
        if (_fifo is not null)
        {
            if (!_fifo.IsReplaced()) { return; }
            OnReady(_fifo.FileDescriptor, EventMask.In);
            _loop.Remove(_fifo.FileDescriptor);
            _fifo.Dispose();
            Reopened++;
        }
        string? failed = OpenFifo();
        if (failed is null) { _log.Warning($"VRRP: opened `{_options.Notify}' again"); }
        else if (!_complained) { _log.Error($"{failed} (tried again every second)"); }
        _complained = failed is not null;
    }

    private void CheckProcess(string pidFile) =>
        _machine.OnProcess(KeepalivedQuery.IsRunning(pidFile));
}
