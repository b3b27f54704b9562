using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

internal static unsafe partial class Libc
{
    /// <summary>Binds a UNIX socket to an abstract name of the kernel's choice (unix(7)).</summary>
    internal static Errno BindAutomatically(int fd)
    {
        ushort family = FamilyUnix;
        return Finish(Native.bind(fd, (byte*)&family, sizeof(ushort)));
    }

    /// <summary>Number of the calling thread in the whole system.</summary>
    internal static int ThreadId => Native.gettid();

    /// <summary>True if the other end of a UNIX connection is bound to a name.</summary>
    internal static bool IsPeerNamed(int fd)
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        uint bytes = SocketAddress.SizeMax;
        return Native.getpeername(fd, address, &bytes) == 0 && bytes > sizeof(ushort);
    }

    /// <summary>Waits until <paramref name="fd"/> takes bytes; Etimedout after the time.</summary>
    /// <param name="fd">The descriptor; a broken one counts as ready.</param>
    /// <param name="timeoutMilliseconds">-1: wait for ever.</param>
    internal static Errno WaitWritable(int fd, int timeoutMilliseconds)
    {
        PollDescriptor descriptor = new() { Fd = fd, Events = (short)EventMask.Out };
        int result;
        do { result = Native.poll(&descriptor, 1, timeoutMilliseconds); }
        while (Interrupted(result));
        return result == 0 ? Errno.Etimedout : Finish(result);
    }

    /// <summary>Writes everything, waiting as long as it takes.</summary>
    internal static Errno WriteAll(int fd, ReadOnlySpan<byte> source)
    {
        const int ForEver = -1;
        while (!source.IsEmpty)
        {
            Errno error = Write(fd, source, out int count);
            if (error == Errno.None) { source = source[count..]; }
            else if (error == Errno.Eagain) { _ = WaitWritable(fd, ForEver); }
            else { return error; }
        }
        return Errno.None;
    }

    private static partial class Native
    {
        [LibraryImport(Library)]
        internal static partial int gettid();

        [LibraryImport(Library)]
        internal static partial int getpeername(int fd, byte* address, uint* bytes);
    }
}
