namespace Conntrackd.Linux;

/// <summary>
/// How the calling thread competes for the processor; other threads stay as they are.
/// </summary>
internal static class Scheduler
{
    private const int Fifo = 1;         // SCHED_FIFO
    private const int RoundRobin = 2;   // SCHED_RR

    /// <summary>
    /// Real time, taking turns with threads of the same priority, 1 to 99. Eperm without
    /// CAP_SYS_NICE.
    /// </summary>
    internal static Errno SetRoundRobin(int priority) => Libc.SetScheduler(RoundRobin, priority);

    /// <summary>Real time, until it waits. Eperm without CAP_SYS_NICE.</summary>
    internal static Errno SetFifo(int priority) => Libc.SetScheduler(Fifo, priority);

    /// <summary>Among ordinary threads: -20 (first) to 19.</summary>
    internal static Errno SetNice(int nice) => Libc.SetPriority(nice);
}
