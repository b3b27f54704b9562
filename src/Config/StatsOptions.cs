namespace Conntrackd.Config;

/// <summary>Section Stats: where the lines about ended flows go.</summary>
internal sealed record StatsOptions
{
    internal const string LogFileDefault = "/var/log/conntrackd-stats.log";

    /// <summary>Null: no file.</summary>
    internal string? LogFile { get; init; }

    /// <summary>One JSON object a line instead of the original's text.</summary>
    internal bool IsJson { get; init; }

    /// <summary>Null: no syslog. Never differs from a facility that General names.</summary>
    internal SyslogFacility? Syslog { get; init; }
}
