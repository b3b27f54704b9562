namespace Conntrackd.Linux;

internal static unsafe partial class Libc
{
    internal const int NewNetworkNamespace = 0x40000000; // CLONE_NEWNET

    internal static int ProcessId => Native.getpid();

    internal static bool IsRoot => Native.geteuid() == 0;

    /// <summary>Ends the process at once: no finalizers, no flushing.</summary>
    internal static void Exit(int code) => Native._exit(code);

    internal static Errno Kill(int pid, int signal) => Finish(Native.kill(pid, signal));

    /// <summary>
    /// Takes the exit status of a child that has ended. Eagain if none has, Echild if there are
    /// none.
    /// </summary>
    internal static Errno TryReap(out int pid, out ChildStatus status)
    {
        const int NoHang = 1; // WNOHANG
        return Wait(-1, NoHang, out pid, out status);
    }

    /// <summary>
    /// From now on this process leaves no core file, and nobody but root can look into it.
    /// </summary>
    internal static Errno ForbidCoreDump()
    {
        const int SetDumpable = 4;      // PR_SET_DUMPABLE
        return ProcessControl(SetDumpable, 0, out _);
    }

    /// <summary>False if this process leaves no core file.</summary>
    internal static bool MayDumpCore()
    {
        const int GetDumpable = 3;      // PR_GET_DUMPABLE
        return ProcessControl(GetDumpable, 0, out int value) != Errno.None || value != 0;
    }

    /// <summary>Waits for the end of one child.</summary>
    internal static Errno WaitFor(int pid, out ChildStatus status) =>
        Wait(pid, 0, out _, out status);

    private static Errno Wait(int child, int options, out int pid, out ChildStatus status)
    {
        int raw = 0;
        int result;
        do { result = Native.waitpid(child, &raw, options); } while (Interrupted(result));
        pid = result;
        status = new ChildStatus(raw);
        return result == 0 ? Errno.Eagain : Finish(result);
    }

    /// <summary>
    /// No descriptor from this one on is inherited by programs started later. Kernels before 5.11
    /// cannot; there whatever was inherited is passed on.
    /// </summary>
    internal static void CloseOnExecFrom(int first)
    {
        const int CloseRange = 436;     // __NR_close_range; musl has no function for it
        const int OnExec = 4;           // CLOSE_RANGE_CLOEXEC
        _ = Native.syscall(CloseRange, first, int.MaxValue, OnExec, 0);
    }

    /// <summary>Gives the calling thread a network namespace of its own.</summary>
    internal static Errno UnshareNetwork() => Finish(Native.unshare(NewNetworkNamespace));

    /// <summary>Reads where a symbolic link points.</summary>
    internal static Errno ReadLink(string path, Span<byte> target, out int count)
    {
        nint result;
        fixed (byte* name = Terminated(path))
        fixed (byte* start = target)
        {
            result = Native.readlink(name, start, (nuint)target.Length);
        }
        return Finish(result, out count);
    }

    internal static Errno SetScheduler(int policy, int priority) =>
        Finish(Native.sched_setscheduler(0, policy, &priority));

    internal static Errno SetPriority(int nice) => Finish(Native.setpriority(0, 0, nice));

    /// <summary>Seconds and nanoseconds of a clock (CLOCK_REALTIME 0, CLOCK_MONOTONIC 1).</summary>
    internal static void ReadClock(int clock, out long seconds, out long nanoseconds)
    {
        long* time = stackalloc long[2];
        _ = Native.clock_gettime(clock, time);
        seconds = time[0];
        nanoseconds = time[1];
    }

    /// <summary>
    /// Local time by the zone of the system: second, minute, hour, day of month, month 0-11, years
    /// since 1900, day of week 0-6.
    /// </summary>
    internal static void LocalTime(long seconds, Span<int> parts)
    {
        const int Size = 56; // struct tm
        int* time = stackalloc int[Size / sizeof(int)];
        _ = Native.localtime_r(&seconds, time);
        new ReadOnlySpan<int>(time, parts.Length).CopyTo(parts);
    }

    internal static byte* Map(int bytes)
    {
        const int ReadWrite = 3;        // PROT_READ | PROT_WRITE
        const int PrivateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
        byte* start = Native.mmap(null, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)start == -1) { Fatal.Exit($"no memory: mmap of {bytes} bytes failed"); }
        return start;
    }

    internal static void Unmap(byte* start, int bytes) => _ = Native.munmap(start, (nuint)bytes);

    internal static Errno EpollCreate(int flags, out int fd) =>
        Finish(Native.epoll_create1(flags), out fd);

    internal static Errno EpollControl(int epoll, int operation, int fd, byte* change) =>
        Finish(Native.epoll_ctl(epoll, operation, fd, change));

    internal static Errno EpollWait(int epoll, byte* events, int max, int timeout, out int count) =>
        Finish(Native.epoll_wait(epoll, events, max, timeout), out count);

    /// <summary>Does nothing for so long, or less if a signal came.</summary>
    internal static void Sleep(long microseconds)
    {
        long* time = stackalloc long[2];
        time[0] = microseconds / 1_000_000;
        time[1] = microseconds % 1_000_000 * 1_000;
        _ = Native.nanosleep(time, null);
    }

    /// <summary>A counter that can be waited for; never blocks.</summary>
    internal static Errno EventDescriptor(out int fd) =>
        Finish(Native.eventfd(0, OpenNonBlocking | OpenCloseOnExec), out fd);

    internal static Errno SignalDescriptor(in SignalSet set, out int fd)
    {
        fixed (SignalSet* mask = &set)
        {
            return Finish(
                Native.signalfd(-1, (ulong*)mask, OpenNonBlocking | OpenCloseOnExec), out fd);
        }
    }

    /// <summary>
    /// Adds <paramref name="set"/> to what this thread blocks; tells what it was before.
    /// </summary>
    internal static Errno BlockSignals(in SignalSet set, out SignalSet before)
    {
        SignalSet old = default;
        int result;
        fixed (SignalSet* mask = &set)
        {
            result = Native.pthread_sigmask(0, (ulong*)mask, (ulong*)&old); // SIG_BLOCK
        }
        before = old;
        return (Errno)result;
    }

    /// <summary>Replaces what this thread blocks.</summary>
    internal static Errno SetSignalMask(in SignalSet set)
    {
        fixed (SignalSet* mask = &set)
        {
            return (Errno)Native.pthread_sigmask(2, (ulong*)mask, null); // SIG_SETMASK
        }
    }

    internal static void IgnoreSignal(int number) => _ = Native.signal(number, 1); // SIG_IGN

    /// <summary>Replaces this program; returns only if that failed.</summary>
    internal static Errno Execute(string path, CStringArray arguments, CStringArray environment)
    {
        fixed (byte* name = Terminated(path))
        {
            return Finish(Native.execve(name, arguments.Pointers, environment.Pointers));
        }
    }

    /// <summary>Starts a program in a session of its own, with stdin empty.</summary>
    /// <param name="path">Program, not searched for.</param>
    /// <param name="arguments">Its arguments, its name first.</param>
    /// <param name="environment">NAME=value each.</param>
    /// <param name="inherited">Our descriptor that it gets.</param>
    /// <param name="inheritedAs">The number it has there.</param>
    /// <param name="blocked">Signals blocked from its first instruction on.</param>
    /// <param name="pid">The child.</param>
    internal static Errno Spawn(
        string path, CStringArray arguments, CStringArray environment, int inherited,
        int inheritedAs, SignalSet blocked, out int pid)
    {
        // Both types are opaque; the largest known is 336 bytes (glibc and musl, 64-bit).
        byte* actions = stackalloc byte[512];
        byte* attributes = stackalloc byte[512];
        const short Flags = 0x80 | 0x08 | 0x04; // SETSID, SETSIGMASK, SETSIGDEF
        SignalSet all = SignalSet.All;
        int child = 0;
        _ = Native.posix_spawn_file_actions_init(actions);
        _ = Native.posix_spawnattr_init(attributes);
        int error;
        fixed (byte* name = Terminated(path))
        fixed (byte* nowhere = "/dev/null\0"u8)
        {
            _ = Native.posix_spawn_file_actions_addopen(actions, 0, nowhere, OpenReadOnly, 0);
            _ = Native.posix_spawn_file_actions_adddup2(actions, inherited, inheritedAs);
            _ = Native.posix_spawnattr_setflags(attributes, Flags);
            _ = Native.posix_spawnattr_setsigmask(attributes, (ulong*)&blocked);
            _ = Native.posix_spawnattr_setsigdefault(attributes, (ulong*)&all);
            error = Native.posix_spawn(
                &child, name, actions, attributes, arguments.Pointers, environment.Pointers);
        }
        _ = Native.posix_spawn_file_actions_destroy(actions);
        _ = Native.posix_spawnattr_destroy(attributes);
        pid = child;
        return (Errno)error;
    }
}

/// <summary>How a child ended, as wait(2) reports it.</summary>
internal readonly record struct ChildStatus(int Raw)
{
    internal bool Exited => (Raw & 0x7f) == 0;

    /// <summary>Meaningful if <see cref="Exited"/>.</summary>
    internal int ExitCode => (Raw >> 8) & 0xff;

    /// <summary>The signal that ended it, 0 if it exited by itself.</summary>
    internal int Signal => Raw & 0x7f;
}
