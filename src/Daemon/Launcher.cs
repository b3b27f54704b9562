using System.IO;
using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Linux;
using Conntrackd.Transport;

namespace Conntrackd.Daemon;

/// <summary>From the configuration file to a running node, and to an orderly end.</summary>
/// <remarks><code>
/// configuration read -> [-d: a child starts over, this waits until it is ready]
///   -> signals blocked, confined: the program executes itself, the text is passed on
///   -> logs -> lock -> scheduler -> node -> system calls confined -> ready -> loop
/// </code>Exit status 0 after an orderly stop, 1 for whatever went wrong.</remarks>
internal static class Launcher
{
    /// <summary>Said of every section Helper.</summary>
    internal const string NoHelpers =
        "Helper: helpers in user space are not run by this version";

    private const int Success = 0;
    private const int Failure = 1;
    private const int OwnerOnlyMask = 0x7F;     // 0177: what is created is the owner's alone

    /// <summary>Runs the daemon; returns the exit status when it has ended.</summary>
    internal static int Run(string configPath, bool background)
    {
        using var log = new Log();
        Fatal.TellTo(log);
        bool isChild = background && Readiness.IsAwaited;
        Confinement? confinement = Confinement.FromEnvironment();
        bool isFirst = !isChild && confinement is null;
        // Whoever starts a daemon wants to hear of trouble, not of the usual.
        log.CalmToConsole = !background;
        byte[]? passed = isFirst ? null
            : confinement is null ? PassedText.Take() : PassedText.TakeLast();
        ConfigLoad load =
            passed is null ? ConfigFile.Load(configPath) : ConfigFile.Parse(configPath, passed);
        if (isFirst) { PassedText.Pass(load.Text.Span); }
        Options? options = Judge(load, isFirst, log);
        if (options is null || !IsSupported(options, isFirst, log)) { return Failure; }
        if (background && !isChild)
        {
            using ServiceNotifier? manager = NotifierFor(options);
            return Daemoniser.Start(manager, log);
        }
        if (confinement is null)
        {
            Errno error = Confinement.Enter(options, configPath);
            log.Error($"can't start over with signals blocked: {error.Describe()}");
            return Failure;
        }
        Readiness? readiness = isChild ? Readiness.FromEnvironment() : null;
        Libc.SetFileMask(OwnerOnlyMask);
        if (OpenLogs(options, log) is string failed)
        {
            log.Error(failed);
            return Failure;
        }
        return RunLocked(
            new Start(configPath, options, readiness, confinement), log);
    }

    private static Options? Judge(in ConfigLoad load, bool isFirst, Log log)
    {
        if (load.Error is not null) { log.Error(load.Error); }
        foreach (Diagnostic diagnostic in load.Result?.Diagnostics ?? [])
        {
            // The images before have told the warnings already.
            if (diagnostic.Severity == Severity.Error) { log.Error(diagnostic.Render()); }
            else if (isFirst) { log.Warning(diagnostic.Render()); }
        }
        return load.Options;
    }

    /// <summary>
    /// Why no daemon can run with options that the language allows; null if one can.
    /// </summary>
    internal static string? Refusal(Options options)
    {
        if (options.Sync is { Links.Count: 0 })
        {
            return "the Sync section has no link: add a Multicast, UDP or TCP block";
        }
        if (ConfinedFiles.KeyFileOf(options) is not string path) { return null; }
        string? wrong = KeyFile.TryRead(path, out KeyRing? ring);
        ring?.Dispose();
        return wrong;
    }

    private static bool IsSupported(Options options, bool isFirst, Log log)
    {
        if (Refusal(options) is string refusal)
        {
            log.Error(refusal);
            return false;
        }
        if (isFirst && options.HasHelperSection)
        {
            log.Warning(NoHelpers);
        }
        return true;
    }

    /// <summary>
    /// Logs to where the options say. Null, or what failed; then nothing changed.
    /// </summary>
    internal static string? OpenLogs(Options options, Log log)
    {
        if (options.LogFile is string path)
        {
            Errno error = log.OpenFile(path);
            if (error != Errno.None) { return $"can't open logfile `{path}': {error.Describe()}"; }
        }
        else { log.CloseFile(); }
        if (options.Syslog is SyslogFacility facility) { log.OpenSyslog((int)facility); }
        else { log.CloseSyslog(); }
        return null;
    }

    private static int RunLocked(in Start start, Log log)
    {
        Options options = start.Options;
        // The original's lock is the file itself, without a kernel lock: only its socket tells
        // whether it runs, and its file must not be taken over.
        if (ControlSocket.IsAnswered(options.UnixPath))
        {
            log.Error($"lockfile `{options.LockFile}' not taken: conntrackd is already running, " +
                $"it answers at `{options.UnixPath}'");
            return Failure;
        }
        Errno error = LockFile.TryTake(options.LockFile, out LockFile? lockFile, out int holder);
        if (error == Errno.Eagain)
        {
            string by = holder == 0 ? "" : $" by process {holder}";
            log.Error($"lockfile `{options.LockFile}' is held{by}: conntrackd is already running");
            return Failure;
        }
        if (error != Errno.None)
        {
            log.Error($"can't take lockfile `{options.LockFile}': {error.Describe()}");
            return Failure;
        }
        using (lockFile!) { return RunNode(in start, log); }
    }

    private static int RunNode(in Start start, Log log)
    {
        Options options = start.Options;
        SetScheduler(options.Scheduler, log);
        ServiceNotifier? notifier = NotifierFor(options);
        using DaemonLoop node = Create(options, notifier, log);
        node.Confinement = start.Confinement;
        // The working directory is another by then.
        var reloader = new Reloader(Path.GetFullPath(start.ConfigPath), node, notifier, log);
        node.Reload = reloader.Run;
        string? failed = node.TryStart() ?? WatchSignals(node);
        if (failed is not null)
        {
            log.Error(failed);
            log.Error("conntrackd cannot start, please review your configuration");
            return Failure;
        }
        // Nobody shall be kept from unmounting the one where it was started.
        _ = Libc.ChangeDirectory("/");
        start.Confinement.Complete(options.Sandbox, log);
        TellSettings(options, log);
        log.Notice("initialization completed");
        log.Notice(start.Readiness is null
            ? "-- starting in console mode --" : "-- starting in daemon mode --");
        if (start.Readiness is not null)
        {
            log.ToConsole = false;
            _ = start.Readiness.Report();
        }
        _ = notifier?.Ready(node.StatusText);
        node.Run();
        log.Notice("---- shutdown received ----");
        _ = notifier?.Stopping();
        return Success;
    }

    private static ServiceNotifier? NotifierFor(Options options) =>
        options.Systemd == false ? null : ServiceNotifier.FromEnvironment();

    private static DaemonLoop Create(Options options, ServiceNotifier? notifier, Log log) =>
        options.Sync is not null ? new Node(options, notifier, log)
        : options.Stats is not null ? new StatsNode(options, notifier, log)
        : new IdleNode(options, notifier, log);

    private static void TellSettings(Options options, Log log)
    {
        if (options.Sync is null && options.Stats is null)
        {
            log.Notice("no Sync and no Stats section: nothing to do but to answer clients");
            return;
        }
        if (options.NetlinkEventsReliable)
        {
            log.Notice("reliable ctnetlink event delivery is ENABLED.");
        }
        if (options.Sync is { DisableInternalCache: true })
        {
            log.Notice("disabling internal cache");
        }
        if (options.Sync is { DisableExternalCache: true })
        {
            log.Notice("disabling external cache");
        }
        if (!options.Filter.IsEmpty) { log.Notice("using user-space event filtering"); }
    }

    /// <summary>Asks for the scheduler; a refusal is a warning.</summary>
    internal static void SetScheduler(SchedulerOptions options, Log log)
    {
        Errno error = options.Policy switch
        {
            SchedulerPolicy.RoundRobin => Scheduler.SetRoundRobin(options.Priority),
            SchedulerPolicy.Fifo => Scheduler.SetFifo(options.Priority),
            _ => Errno.None,
        };
        if (error != Errno.None)
        {
            log.Warning($"scheduler configuration failed: {error.Describe()}. " +
                "Continuing with system default scheduler.");
        }
    }

    private static string? WatchSignals(DaemonLoop node)
    {
        Errno error = SignalDescriptor.TryOpen(SignalMask.Handled, out SignalDescriptor? signals);
        if (error == Errno.None)
        {
            error = node.Watch(signals!.FileDescriptor, new SignalReader(node, signals));
        }
        return error == Errno.None ? null : $"can't watch signals: {error.Describe()}";
    }

    /// <summary>What a start has found out so far.</summary>
    private readonly record struct Start(
        string ConfigPath, Options Options, Readiness? Readiness, Confinement Confinement);

    /// <summary>Does what a signal asks for.</summary>
    private sealed class SignalReader(DaemonLoop node, SignalDescriptor signals) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask)
        {
            while (signals.TryRead(out Signal signal))
            {
                switch (signal)
                {
                    case Signal.Interrupt or Signal.Terminate:
                        node.Stop();
                        break;
                    case Signal.HangUp:
                        _ = node.Reload(null);
                        break;
                    case Signal.User1:
                        node.ReopenLogs();
                        break;
                    default:
                        break;
                }
            }
        }
    }
}
