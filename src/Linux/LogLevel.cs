namespace Conntrackd.Linux;

/// <summary>How much a log line matters; the numbers are those of syslog.</summary>
internal enum LogLevel
{
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}
