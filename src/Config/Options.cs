using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>What a configuration file asks for, with every default applied.</summary>
/// <remarks>
/// This room is the configuration language: bytes in, options and diagnostics out. It is pure: it
/// opens no file and asks the system nothing, so whether an interface, a directory or a kernel
/// feature exists is the daemon's question. Read <see cref="Options"/>, then
/// <see cref="ConfigParser"/> and its table of directives, then <see cref="Lexer"/>. A new option
/// is a member here or in a sibling plus one line in that table.
/// Immutable. Source of names and defaults: shared spec config, section 13.
/// </remarks>
internal sealed record Options
{
    internal const uint HashSizeDefault = 65536;
    internal const uint HashLimitDefault = 262144;
    internal const uint OverrunResyncSecondsDefault = 30;
    internal const uint EventIterationLimitDefault = 100;
    internal const string LogFileDefault = "/var/log/conntrackd.log";
    internal const string LockFileDefault = "/var/lock/conntrackd.lock";
    internal const string UnixPathDefault = "/var/run/conntrackd.ctl";

    /// <summary>Expected flows of a cache; the original's bucket count.</summary>
    internal uint HashSize { get; init; } = HashSizeDefault;

    /// <summary>Most flows of a cache.</summary>
    internal uint HashLimit { get; init; } = HashLimitDefault;

    /// <summary>Null: no log file.</summary>
    internal string? LogFile { get; init; }

    /// <summary>Null: no syslog.</summary>
    internal SyslogFacility? Syslog { get; init; }

    internal string LockFile { get; init; } = LockFileDefault;

    /// <summary>The control socket, at most 107 bytes.</summary>
    internal string UnixPath { get; init; } = UnixPathDefault;

    /// <summary>Group that may use the control socket, name or number; null: the owner.</summary>
    internal string? UnixGroup { get; init; }

    /// <summary>What the members of that group may ask for.</summary>
    internal GroupAccess UnixGroupAccess { get; init; }

    /// <summary>What the daemon gives up after its start.</summary>
    internal SandboxOptions Sandbox { get; init; } = new();

    /// <summary>Wanted receive buffer of the event socket; 0: as the system gives it.</summary>
    /// <remarks>Honoured only if <see cref="IsNetlinkBufferHonoured"/>.</remarks>
    internal int NetlinkBufferBytes { get; init; }

    /// <summary>Up to where the buffer doubles after overruns; 0: not at all.</summary>
    internal int NetlinkBufferMaxBytes { get; init; }

    /// <summary>The original ignores a wanted size above the growth limit, with a notice.</summary>
    internal bool IsNetlinkBufferHonoured =>
        NetlinkBufferBytes != 0 && NetlinkBufferBytes <= NetlinkBufferMaxBytes;

    /// <summary>From an overrun to the resync with the kernel; 0: never.</summary>
    internal uint NetlinkOverrunResyncSeconds { get; init; } = OverrunResyncSecondsDefault;

    internal bool NetlinkEventsReliable { get; init; }

    /// <summary>Poll the kernel table at this interval; 0: listen to events.</summary>
    internal uint PollSeconds { get; init; }

    /// <summary>Most events, and most datagrams of a link, of one turn of the loop.</summary>
    internal uint EventIterationLimit { get; init; } = EventIterationLimitDefault;

    /// <summary>Null: not said; notify if NOTIFY_SOCKET is set.</summary>
    internal bool? Systemd { get; init; }

    internal SchedulerOptions Scheduler { get; init; } = new();

    /// <summary>Null: keepalived is not followed, scripts do it.</summary>
    internal VrrpOptions? Vrrp { get; init; }

    /// <summary>Keeps everything if nothing is configured.</summary>
    internal FlowFilter Filter { get; init; } = FlowFilter.AcceptAll;

    /// <summary>True if the last Filter block said "From Kernelspace".</summary>
    internal bool IsFilterFromKernelspace { get; init; }

    /// <summary>Null: no Sync section.</summary>
    internal SyncOptions? Sync { get; init; }

    /// <summary>Null: no Stats section.</summary>
    internal StatsOptions? Stats { get; init; }

    /// <summary>In the order of the file; the original configures them in reverse.</summary>
    internal IReadOnlyList<HelperOptions> Helpers { get; init; } = [];

    /// <summary>True if there was a Helper section, be it empty.</summary>
    internal bool HasHelperSection { get; init; }

    /// <summary>Helper/Setup: create the helpers, do not expect nfct to have done it.</summary>
    internal bool IsHelperSetup { get; init; }

    /// <summary>Where directives stood; what is missing has its default.</summary>
    /// <remarks>
    /// Keys are "General.HashSize", "UNIX.Path", "Scheduler.Type", "Sync.CommitTimeout" (in a Mode
    /// block or not), "Options.ExpectationSync", "Stats.LogFile". The last one given counts.
    /// Links and helpers carry their own position.
    /// </remarks>
    internal IReadOnlyDictionary<string, SourcePosition> Origins { get; init; } =
        new Dictionary<string, SourcePosition>();
}
