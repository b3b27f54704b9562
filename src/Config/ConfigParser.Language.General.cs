namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Sections General and Stats but for the blocks Filter and VRRP.</summary>
    private static class GeneralLanguage
    {
        private const string OldName = "Old name of ";

        internal static readonly Directive[] Directives =
        [
            new("HashSize", Block.General, static p => p.ReadHashSize())
            {
                Operand = "number",
                Default = $"{Options.HashSizeDefault}",
                Help = "How many flows to expect in a cache. Tables grow by themselves.",
            },
            new("HashLimit", Block.General, static p => p.ReadHashLimit())
            {
                Operand = "number",
                Default = $"{Options.HashLimitDefault}",
                Help = "How many flows a cache may hold. Twice the sysctl "
                    + "net.netfilter.nf_conntrack_max is a good choice.",
            },
            new("LogFile", Block.General, static p => p.ReadLogFile())
            {
                Operand = "bool | path",
                Default = "off",
                Help = $"The log file; 'on' is {Options.LogFileDefault}.",
            },
            new("Syslog", Block.General, static p => p.ReadSyslog())
            {
                Operand = "bool | facility",
                Default = "off",
                Help = "Log to syslog: 'daemon', which is also 'on', or 'local0' to 'local7'.",
            },
            new("LockFile", Block.General, static p => p.ReadLockFile())
            {
                Operand = "path",
                Default = Options.LockFileDefault,
                Help = "Keeps a second daemon from starting; holds the process id.",
            },
            new("UNIX", Block.General, static p => p.Braces(Block.Unix, "UNIX"))
            {
                Operand = "{ ... }",
                Opens = Block.Unix,
                IsSample = true,
                Help = "The control socket.",
            },
            new("Path", Block.Unix, static p => p.ReadUnixPath())
            {
                Operand = "path",
                Default = Options.UnixPathDefault,
                Help = "The socket on which the daemon answers commands, at most 107 bytes. "
                    + "Without it there is a warning.",
            },
            new("Group", Block.Unix, static p => p.ReadUnixGroup())
            {
                Operand = "name | number",
                Example = "adm",
                Help = "A group of /etc/group whose members may connect; the socket's mode is then "
                    + "0660. Without it the mode is 0600. Whoever starts the daemon must be "
                    + "allowed to give files to the group: root is, a service manager may have "
                    + "to add the daemon to it.",
            },
            new("GroupAccess", Block.Unix, static p => p.ReadUnixGroupAccess())
            {
                Operand = "Read | Full",
                Example = "Read",
                Help = "What users other than root and the daemon's own may ask for: 'Read', dumps "
                    + "and statistics, which holds without it, or 'Full', everything. It also "
                    + "holds for those whom another mode of the socket lets in.",
            },
            new("Backlog", Block.Unix, static p => p.ReadBacklog())
            {
                Operand = "number",
                IsDeprecated = true,
                Help = "Has no effect and is accepted with a warning.",
            },
            new("NetlinkBufferSize", Block.General, static p => p.ReadNetlinkBuffer())
            {
                Operand = "bytes",
                Example = "2097152",
                Help = "The receive buffer of the socket on which the kernel tells events. Counts "
                    + "only if it is not above 'NetlinkBufferSizeMaxGrowth'. Without it the "
                    + "system's default.",
            },
            new("NetlinkBufferSizeMaxGrowth", Block.General,
                static p => p.ReadNetlinkBufferMax())
            {
                Operand = "bytes",
                Example = "8388608",
                Help = "Up to where that buffer is doubled when events got lost. Without it, not "
                    + "at all.",
            },
            new("SocketBufferSize", Block.General, static p => p.ReadNetlinkBuffer())
            {
                Operand = "bytes",
                Canonical = "NetlinkBufferSize",
                IsDeprecated = true,
                Help = OldName + "'NetlinkBufferSize'.",
            },
            new("SocketBufferSizeMaxGrowth", Block.General,
                static p => p.ReadNetlinkBufferMax())
            {
                Operand = "bytes",
                Canonical = "NetlinkBufferSizeMaxGrowth",
                IsDeprecated = true,
                Help = OldName + "'NetlinkBufferSizeMaxGrowth'.",
            },
            new("SocketBufferSizeMaxGrown", Block.General,
                static p => p.ReadNetlinkBufferMax())
            {
                Operand = "bytes",
                Canonical = "NetlinkBufferSizeMaxGrowth",
                IsDeprecated = true,
                Help = OldName + "'NetlinkBufferSizeMaxGrowth'.",
            },
            new("NetlinkOverrunResync", Block.General, static p => p.ReadOverrunResync())
            {
                Operand = "bool | seconds",
                Default = $"{Options.OverrunResyncSecondsDefault}",
                Help = "When events got lost, compare with the kernel's table. The original "
                    + "waits for this time; this one compares at once. 'off' is never.",
            },
            new("NetlinkEventsReliable", Block.General, static p => p.Bool(out bool on)
                && p.Set(p._options with { NetlinkEventsReliable = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Let the kernel repeat events that found no room in the buffer. New "
                    + "connections may have to wait for it.",
            },
            new("PollSecs", Block.General, static p =>
                p.Number(out uint n, "seconds", 1, NumberMax)
                && p.Set(p._options with { PollSeconds = n }))
            {
                Operand = "seconds",
                Example = "15",
                Help = "Listen to no events and read the kernel's table at this interval instead.",
            },
            new("EventIterationLimit", Block.General, static p => p.ReadIterationLimit())
            {
                Operand = "number",
                Default = $"{Options.EventIterationLimitDefault}",
                Help = "How many events are handled before other work has its turn. Fewer than "
                    + "256 are not worth a turn and count as 256.",
            },
            new("Systemd", Block.General, static p => p.Bool(out bool on)
                && p.Set(p._options with { Systemd = on }))
            {
                Operand = "bool",
                Example = "on",
                Help = "Whether the service manager is told about start, health and stop. Without "
                    + "it: if the manager has asked for it.",
            },
            new("Nice", Block.General, static p => p.ReadNice())
            {
                Operand = "number",
                IsDeprecated = true,
                Help = "Has no effect and is accepted with a warning; needs a sign.",
            },
            new("Scheduler", Block.General, static p => p.Braces(Block.Scheduler, "Scheduler"))
            {
                Operand = "{ ... }",
                Opens = Block.Scheduler,
                IsSample = true,
                Help = "The scheduling class. Without this block, and without 'Type' in it: round "
                    + $"robin with priority {SchedulerOptions.PriorityMax}.",
            },
            new("Type", Block.Scheduler, static p => p.ReadSchedulerType())
            {
                Operand = "rr | fifo",
                Default = "rr",
                Help = "Round robin, or first in first out.",
            },
            new("Priority", Block.Scheduler, static p => p.ReadSchedulerPriority())
            {
                Operand = "number",
                Default = $"{SchedulerOptions.PriorityMax}",
                Help = "1 to 99.",
            },
            new("LogFile", Block.Stats, static p => p.ReadStatsLogFile())
            {
                Operand = "bool | path",
                Default = "off",
                Help = $"The file of the flows that ended; 'on' is {StatsOptions.LogFileDefault}.",
            },
            new("Syslog", Block.Stats, static p => p.ReadStatsSyslog())
            {
                Operand = "bool | facility",
                Default = "off",
                Help = "The same to syslog. If section 'General' names a facility too, its counts.",
            },
            new("LogFormat", Block.Stats, static p => p.ReadStatsFormat())
            {
                Operand = "text | json",
                Default = "text",
                Help = "The form of both: the line of conntrack-tools, or one JSON object a line.",
            },
        ];
    }
}
