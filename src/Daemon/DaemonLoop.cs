using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// What a daemon of any mode is: one thread that waits for descriptors and deadlines, serves
/// clients, and keeps the watchdog quiet. The modes add what a turn does.
/// </summary>
/// <remarks><code>
/// DaemonLoop ── Node        Sync section: replicates
///            ├─ StatsNode   Stats section: a line for every flow that ends
///            └─ IdleNode    neither: answers clients
/// </code></remarks>
internal abstract class DaemonLoop : IDisposable
{
    /// <summary>Slot numbers have 31 bits; a quarter of that is 64 GB of flows.</summary>
    protected const uint FlowsMax = 1u << 29;

    private const long MicrosecondsPerMillisecond = 1000;
    private const int WaitMillisecondsMax = 60_000;

    private const long StatusInterval = 1_000_000;

    private long _watchdogAt = long.MaxValue;
    private long _statusAt;
    private string _status = "";
    private bool _stopping;
    private Pace _pace;
    private ulong _turns;
    private long _longestTurn;          // microseconds

    private protected DaemonLoop(Options options, ServiceNotifier? notifier, Log log)
    {
        Options = options;
        Notifier = notifier;
        Log = log;
        StartedMicroseconds = Clock.MonotonicMicroseconds();
    }

    /// <summary>The settings in force; a reload changes them.</summary>
    internal Options Options { get; private set; }

    internal long StartedMicroseconds { get; }

    internal ControlServer Server { get; private set; } = null!;

    /// <summary>
    /// Applies a changed configuration; set by the launcher before the loop runs.
    /// </summary>
    internal Func<Action<string>?, string?> Reload { get; set; } = static _ => null;

    /// <summary>What was given up at the start; set by the launcher before the loop runs.</summary>
    internal Confinement? Confinement { get; set; }

    /// <summary>What the kernel side has counted.</summary>
    internal abstract KernelCounters KernelCounters { get; }

    /// <summary>What the service manager shows: a few words, without what always changes.</summary>
    internal abstract string StatusText { get; }

    protected Log Log { get; }

    /// <summary>Null if no service manager wants to hear of us.</summary>
    protected ServiceNotifier? Notifier { get; }

    protected EventLoop Loop { get; private set; } = null!;

    /// <summary>Opens everything. Null, or what failed in words.</summary>
    internal string? TryStart()
    {
        Errno error = EventLoop.TryCreate(out EventLoop? loop);
        if (error != Errno.None) { return $"can't create event loop: {error.Describe()}"; }
        Loop = loop!;
        string? failed = TryOpen();
        if (failed is not null) { return failed; }
        // Last, so that a client that is answered finds the cache filled.
        ControlServer? server = null;
        failed = AccessOf(Options, out ControlAccess access);
        failed ??= ControlServer.TryOpen(
            Loop, new CommonCommands(this, Handler), Options.UnixPath, access,
            new ControlLimits(), out server);
        if (failed is not null) { return $"can't open unix socket `{Options.UnixPath}': {failed}"; }
        Server = server!;
        return null;
    }

    /// <summary>Watches a descriptor of the launcher's.</summary>
    internal Errno Watch(int fd, IReadyHandler handler) => Loop.Add(fd, EventMask.In, handler);

    /// <summary>Turns the loop until it is stopped.</summary>
    internal void Run()
    {
        OnRun();
        if (Notifier is { WatchdogIntervalMicroseconds: > 0 }) { _watchdogAt = Now(); }
        bool more = true;
        while (!_stopping)
        {
            Loop.RunOnce(more ? 0 : Timeout());
            long now = Now();
            more = Turn(now);
            Server.OnDeadline(now + StartedMicroseconds);
            if (Notifier is not null) { Notify(Notifier, now); }
            now = Now();
            _turns++;
            long took = now + StartedMicroseconds - Loop.WokeMicroseconds;
            _longestTurn = Math.Max(_longestTurn, took);
            if (more) { continue; }
            long wait = _pace.Gather(
                KernelCounters.EventsReceived, KernelCounters.BufferBytes, now);
            if (wait != 0) { Libc.Sleep(wait); }
        }
    }

    /// <summary>A dump of flows in a form of ours; null if there is nothing to show.</summary>
    internal virtual IDumpSource? DumpOf(ControlRequest dump, ReplyForm form) => null;

    /// <summary>Appends what our own forms tell besides the original's blocks.</summary>
    internal virtual void AppendMore(ControlRequest topic, TextBuffer text)
    {
        if (topic != ControlRequest.StatisticsRuntime) { return; }
        Reports.AppendLoop(
            text, new LoopReport(_turns, _longestTurn, GC.CollectionCount(generation: 0)));
    }

    /// <summary>Ends the loop after this turn.</summary>
    internal virtual void Stop() => _stopping = true;

    /// <summary>
    /// Takes over settings that <see cref="ReloadPlan"/> allows. Null, or why nothing was changed.
    /// </summary>
    internal string? TryApply(Options options)
    {
        string? failed = TryChange(options);
        if (failed is null) { Options = options; }
        return failed;
    }

    /// <summary>Opens the log files anew after a rotation.</summary>
    internal virtual void ReopenLogs()
    {
        Errno error = Log.Reopen();
        if (error != Errno.None) { Log.Error($"can't reopen the log file: {error.Describe()}"); }
    }

    public void Dispose()
    {
        Server?.Dispose();
        Close();
        Loop?.Dispose();
    }

    /// <summary>Who answers the clients.</summary>
    protected abstract ICommandHandler Handler { get; }

    /// <summary>Opens what the mode needs. Null, or what failed in words.</summary>
    protected abstract string? TryOpen();

    /// <summary>Applies changed settings. Null, or why nothing was changed.</summary>
    protected abstract string? TryChange(Options options);

    /// <summary>What the mode does once, when all is open and before the first turn.</summary>
    protected virtual void OnRun()
    {
    }

    /// <summary>
    /// A bounded piece of what the mode has to do. True if the next turn should not wait.
    /// </summary>
    protected abstract bool Turn(long now);

    /// <summary>When the next turn is due at the latest; long.MaxValue if nothing is.</summary>
    protected abstract long NextDeadline(long now);

    /// <summary>Closes what <see cref="TryOpen"/> has opened, perhaps not all of it.</summary>
    protected abstract void Close();

    /// <summary>Microseconds since the start.</summary>
    protected long Now() => Clock.MonotonicMicroseconds() - StartedMicroseconds;

    private static string? AccessOf(Options options, out ControlAccess access)
    {
        access = default;
        if (options.UnixGroup is not string name) { return null; }
        string? failed = GroupFile.TryFind(name, out uint group);
        access = new ControlAccess(group, options.UnixGroupAccess == GroupAccess.Full);
        return failed is null ? null : $"group '{name}': {failed}";
    }

    private void Notify(ServiceNotifier notifier, long now)
    {
        if (now >= _watchdogAt)
        {
            _ = notifier.KeepAlive();
            _watchdogAt = now + notifier.WatchdogIntervalMicroseconds;
        }
        if (now < _statusAt) { return; }
        _statusAt = now + StatusInterval;
        string status = StatusText;
        if (status == _status) { return; }
        _status = status;
        _ = notifier.Status(status);
    }

    private int Timeout()
    {
        long now = Now();
        long next = Math.Min(NextDeadline(now), _watchdogAt);
        long control = Server.NextDeadlineMicroseconds;
        if (control != long.MaxValue) { next = Math.Min(next, control - StartedMicroseconds); }
        long wait = Math.Max(next - now, 0);
        return (int)Math.Min(
            (wait + MicrosecondsPerMillisecond - 1) / MicrosecondsPerMillisecond,
            WaitMillisecondsMax);
    }
}
