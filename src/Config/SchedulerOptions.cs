namespace Conntrackd.Config;

/// <summary>Which scheduler the daemon asks the kernel for.</summary>
internal enum SchedulerPolicy : byte
{
    Normal,                     // leave the process as it was started
    RoundRobin,                 // SCHED_RR
    Fifo,                       // SCHED_FIFO
}

/// <summary>Section Scheduler. Without it, and without Type in it: SCHED_RR 99.</summary>
/// <param name="Policy">Normal only where the original fails to set its choice.</param>
/// <param name="Priority">1-99; 0 with Normal.</param>
internal sealed record SchedulerOptions(
    SchedulerPolicy Policy = SchedulerPolicy.RoundRobin,
    byte Priority = SchedulerOptions.PriorityMax)
{
    internal const byte PriorityMax = 99;
}
