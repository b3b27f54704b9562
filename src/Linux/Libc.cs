using System.Text;

namespace Conntrackd.Linux;

/// <summary>The system calls this program makes: spans in, call, <see cref="Errno"/> out.</summary>
/// <remarks>
/// This room is the machine: descriptors, errno, clock, epoll loop, log, signals, processes. It is
/// the only room that may use pointers and it knows no other room. Wrappers stand here by topic
/// (files, then Libc.Sockets.cs, Libc.Processes.cs; declarations in Libc.Native.cs). EINTR is
/// retried in them and nowhere else. Read <see cref="EventLoop"/> next.
/// </remarks>
internal static unsafe partial class Libc
{
    internal const int OpenReadOnly = 0;            // O_RDONLY
    internal const int OpenWriteOnly = 1;           // O_WRONLY
    internal const int OpenReadWrite = 2;           // O_RDWR
    internal const int OpenCreate = 0x40;           // O_CREAT
    internal const int OpenExclusive = 0x80;        // O_EXCL
    internal const int OpenAppend = 0x400;          // O_APPEND
    internal const int OpenNonBlocking = 0x800;     // O_NONBLOCK
    internal const int OpenCloseOnExec = 0x80000;   // O_CLOEXEC

    private const int StatxIno = 0x100;             // STATX_INO
    private const int AtFdCwd = -100;               // AT_FDCWD
    private const int AtEmptyPath = 0x1000;         // AT_EMPTY_PATH

    /// <summary>errno of the call just made on this thread.</summary>
    /// <remarks>
    /// The runtime keeps errno across the return from native code, even when it collects.
    /// </remarks>
    private static Errno LastError => (Errno)(*Native.__errno_location());

    private static bool Interrupted(long result) => result < 0 && LastError == Errno.Eintr;

    private static Errno Finish(long result) => result < 0 ? LastError : Errno.None;

    private static Errno Finish(long result, out int value)
    {
        value = result < 0 ? -1 : (int)result;
        return result < 0 ? LastError : Errno.None;
    }

    /// <summary>UTF-8 with a closing zero.</summary>
    internal static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + "\0");

    /// <summary>Opens <paramref name="path"/>; a new file gets <paramref name="mode"/>.</summary>
    internal static Errno Open(string path, int flags, int mode, out int fd)
    {
        int result;
        fixed (byte* name = Terminated(path))
        {
            do { result = Native.open(name, flags | OpenCloseOnExec, mode); }
            while (Interrupted(result));
        }
        return Finish(result, out fd);
    }

    /// <summary>Closes a descriptor. Linux releases it even when it reports an error.</summary>
    internal static void Close(int fd) => _ = Native.close(fd);

    internal static Errno Read(int fd, Span<byte> target, out int count)
    {
        long result;
        fixed (byte* start = target)
        {
            do { result = Native.read(fd, start, (nuint)target.Length); }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    internal static Errno Write(int fd, ReadOnlySpan<byte> source, out int count)
    {
        long result;
        fixed (byte* start = source)
        {
            do { result = Native.write(fd, start, (nuint)source.Length); }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    internal static Errno Truncate(int fd, long bytes) => Finish(Native.ftruncate(fd, bytes));

    internal static Errno Unlink(string path)
    {
        fixed (byte* name = Terminated(path)) { return Finish(Native.unlink(name)); }
    }

    internal static Errno ChangeMode(string path, int mode)
    {
        fixed (byte* name = Terminated(path)) { return Finish(Native.chmod(name, (uint)mode)); }
    }

    internal static Errno ChangeDirectory(string path)
    {
        fixed (byte* name = Terminated(path)) { return Finish(Native.chdir(name)); }
    }

    /// <summary>Sets the file mode creation mask and returns the former one.</summary>
    internal static int SetFileMask(int mask) => (int)Native.umask((uint)mask);

    /// <summary>
    /// Makes <paramref name="target"/> name the open file <paramref name="source"/>, another
    /// number.
    /// </summary>
    internal static Errno Duplicate(int source, int target, bool closeOnExec) =>
        Finish(Native.dup3(source, target, closeOnExec ? OpenCloseOnExec : 0));

    /// <summary>
    /// Takes the exclusive flock without waiting; Eagain if another process has it.
    /// </summary>
    internal static Errno TryLock(int fd)
    {
        const int ExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
        int result;
        do { result = Native.flock(fd, ExclusiveNow); } while (Interrupted(result));
        return Finish(result);
    }

    /// <summary>Device and inode of an open file.</summary>
    internal static Errno Identify(int fd, out FileIdentity identity)
    {
        byte empty = 0;
        return Identify(fd, &empty, AtEmptyPath, out identity);
    }

    /// <summary>Device and inode of what <paramref name="path"/> names now.</summary>
    internal static Errno Identify(string path, out FileIdentity identity)
    {
        fixed (byte* name = Terminated(path)) { return Identify(AtFdCwd, name, 0, out identity); }
    }

    private static Errno Identify(int fd, byte* path, int flags, out FileIdentity identity)
    {
        // struct statx, linux/stat.h: the same on every architecture, unlike struct stat.
        const int Size = 256, InoAt = 32, DeviceMajorAt = 136, DeviceMinorAt = 140;
        byte* status = stackalloc byte[Size];
        int result = Native.statx(fd, path, flags, StatxIno, status);
        identity = result < 0
            ? default
            : new FileIdentity(
                *(uint*)(status + DeviceMajorAt),
                *(uint*)(status + DeviceMinorAt),
                *(ulong*)(status + InoAt));
        return Finish(result);
    }

    /// <summary>A pipe: what is written to the second comes out of the first.</summary>
    internal static Errno Pipe(out int readEnd, out int writeEnd)
    {
        int* ends = stackalloc int[2] { -1, -1 };
        int result = Native.pipe2(ends, OpenCloseOnExec);
        readEnd = ends[0];
        writeEnd = ends[1];
        return Finish(result);
    }

    /// <summary>
    /// Waits until <paramref name="fd"/> is readable; Etimedout after the given time.
    /// </summary>
    internal static Errno WaitReadable(int fd, int timeoutMilliseconds)
    {
        PollDescriptor descriptor = new() { Fd = fd, Events = (short)EventMask.In };
        int result;
        do { result = Native.poll(&descriptor, 1, timeoutMilliseconds); }
        while (Interrupted(result));
        return result == 0 ? Errno.Etimedout : Finish(result);
    }
}

/// <summary>What makes two names the same file.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode);
