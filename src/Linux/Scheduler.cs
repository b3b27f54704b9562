namespace Conntrackd.Linux;

/// <summary>Scheduling policies (linux/sched.h).</summary>
internal enum SchedulerPolicy
{
    Other = 0,                  // SCHED_OTHER
    Fifo = 1,                   // SCHED_FIFO
    RoundRobin = 2,             // SCHED_RR
}

/// <summary>How the calling thread competes for the processor; other threads stay as they are.</summary>
internal static class Scheduler
{
    /// <summary>Priority 1 to 99, 0 for Other. Eperm without CAP_SYS_NICE.</summary>
    internal static Errno Set(SchedulerPolicy policy, int priority) =>
        Libc.SetScheduler((int)policy, priority);

    /// <summary>-20 (first) to 19.</summary>
    internal static Errno SetNice(int nice) => Libc.SetPriority(nice);
}
