using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

/// <summary>What a descriptor is ready for (poll.h and sys/epoll.h, same values).</summary>
[Flags]
internal enum EventMask : uint
{
    None = 0,
    In = 0x1,                   // EPOLLIN
    Out = 0x4,                  // EPOLLOUT
    Error = 0x8,                // EPOLLERR, always reported
    HangUp = 0x10,              // EPOLLHUP, always reported
    ReadHangUp = 0x2000,        // EPOLLRDHUP
}

/// <summary>Is told when its descriptor is ready.</summary>
internal interface IReadyHandler
{
    /// <summary>Does bounded work; what it leaves is reported again in the next turn.</summary>
    void OnReady(int fd, EventMask mask);
}

/// <summary>The one loop of the daemon: level-triggered epoll, one handler a descriptor.</summary>
/// <remarks>
/// Timers are the caller's: it passes the time to the next deadline to <see cref="RunOnce"/>. A
/// handler may add and remove descriptors, its own included: an event taken before the removal is
/// recognised by its generation and dropped.
/// </remarks>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int EventsPerTurn = 64;
    private const int Insert = 1;        // EPOLL_CTL_ADD
    private const int Delete = 2;       // EPOLL_CTL_DEL
    private const int Modify = 3;       // EPOLL_CTL_MOD
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC

    private readonly NativeBuffer _events = new(EventsPerTurn * EpollEvent.Size);
    private readonly int _epoll;
    private Registration[] _registrations = new Registration[64];
    private uint _generation;

    private EventLoop(int epoll) => _epoll = epoll;

    /// <summary>How many descriptors are watched.</summary>
    internal int Count { get; private set; }

    /// <summary>When the last wait ended, monotonic.</summary>
    internal long WokeMicroseconds { get; private set; }

    internal static Errno TryCreate(out EventLoop? loop)
    {
        Errno error = Libc.EpollCreate(CloseOnExec, out int epoll);
        loop = error == Errno.None ? new EventLoop(epoll) : null;
        return error;
    }

    /// <summary>Watches a descriptor that is not yet watched.</summary>
    internal Errno Add(int fd, EventMask mask, IReadyHandler handler)
    {
        if (fd >= _registrations.Length)
        {
            Array.Resize(ref _registrations, Math.Max(fd + 1, _registrations.Length * 2));
        }
        Errno error = Change(Insert, fd, mask, ++_generation);
        if (error != Errno.None) { return error; }
        _registrations[fd] = new Registration(handler, _generation);
        Count++;
        return Errno.None;
    }

    /// <summary>Changes what a watched descriptor is watched for.</summary>
    internal Errno Watch(int fd, EventMask mask) =>
        Change(Modify, fd, mask, _registrations[fd].Generation);

    /// <summary>Stops watching; call it before the descriptor is closed.</summary>
    internal void Remove(int fd)
    {
        if ((uint)fd >= (uint)_registrations.Length || _registrations[fd].Handler == null)
        {
            return;
        }
        _registrations[fd] = default;
        Count--;
        // A descriptor that was closed first has left the set by itself.
        _ = Change(Delete, fd, EventMask.None, 0);
    }

    /// <summary>
    /// Waits at most so long (0: not at all, -1: for ever) and calls the handlers of what is ready.
    /// Returns how many were called.
    /// </summary>
    internal int RunOnce(int timeoutMilliseconds)
    {
        Errno error = Libc.EpollWait(
            _epoll, _events.Start, EventsPerTurn, timeoutMilliseconds, out int count);
        if (error == Errno.Eintr) { count = 0; } // the caller computes a new timeout
        else if (error != Errno.None)
        {
            Fatal.Exit($"event loop: epoll_wait failed: {error.Describe()}");
        }
        WokeMicroseconds = Clock.MonotonicMicroseconds();
        for (int i = 0; i < count; i++)
        {
            EpollEvent.Read(_events.Start + (i * EpollEvent.Size), out uint mask, out ulong data);
            int fd = (int)(uint)data;
            Registration registration = _registrations[fd];
            if (registration.Generation != (uint)(data >> 32)) { continue; }
            registration.Handler?.OnReady(fd, (EventMask)mask);
        }
        return count;
    }

    public void Dispose()
    {
        Libc.Close(_epoll);
        _events.Dispose();
    }

    private Errno Change(int operation, int fd, EventMask mask, uint generation)
    {
        byte* change = stackalloc byte[EpollEvent.Size];
        EpollEvent.Write(change, (uint)mask, ((ulong)generation << 32) | (uint)fd);
        return Libc.EpollControl(_epoll, operation, fd, change);
    }

    /// <summary>Who is told, and which Add it was.</summary>
    private readonly record struct Registration(IReadyHandler? Handler, uint Generation);
}

/// <summary>struct epoll_event: u32 events, u64 data.</summary>
/// <remarks>
/// Packed to 12 bytes on x86-64 (so that 32-bit programs share the layout), 16 elsewhere. Hence no
/// structure but two offsets.
/// </remarks>
internal static unsafe class EpollEvent
{
    private static readonly bool s_packed =
        RuntimeInformation.ProcessArchitecture == Architecture.X64;

    internal static int Size => s_packed ? 12 : 16;

    internal static int DataAt => s_packed ? 4 : 8;

    internal static void Write(byte* target, uint mask, ulong data)
    {
        *(uint*)target = mask;
        *(ulong*)(target + DataAt) = data;
    }

    internal static void Read(byte* source, out uint mask, out ulong data)
    {
        mask = *(uint*)source;
        data = *(ulong*)(source + DataAt);
    }
}
