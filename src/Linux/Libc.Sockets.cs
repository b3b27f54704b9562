namespace Conntrackd.Linux;

internal static unsafe partial class Libc
{
    internal const int FamilyUnix = 1;              // AF_UNIX
    internal const int FamilyIpv4 = 2;              // AF_INET
    internal const int FamilyIpv6 = 10;             // AF_INET6
    internal const int FamilyNetlink = 16;          // AF_NETLINK

    internal const int SocketStream = 1;            // SOCK_STREAM
    internal const int SocketDatagram = 2;          // SOCK_DGRAM
    internal const int SocketRaw = 3;               // SOCK_RAW
    internal const int SocketNonBlocking = 0x800;   // SOCK_NONBLOCK
    private const int SocketCloseOnExec = 0x80000;  // SOCK_CLOEXEC

    private const int MessageDontWait = 0x40;       // MSG_DONTWAIT
    private const int MessageNoSignal = 0x4000;     // MSG_NOSIGNAL

    /// <summary>
    /// A new socket, closed on exec. Add SocketNonBlocking to the type if wanted.
    /// </summary>
    internal static Errno Socket(int family, int type, int protocol, out int fd) =>
        Finish(Native.socket(family, type | SocketCloseOnExec, protocol), out fd);

    internal static Errno Bind(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* start = address)
        {
            return Finish(Native.bind(fd, start, (uint)address.Length));
        }
    }

    internal static Errno Connect(int fd, ReadOnlySpan<byte> address)
    {
        int result;
        fixed (byte* start = address)
        {
            do { result = Native.connect(fd, start, (uint)address.Length); }
            while (Interrupted(result));
        }
        return Finish(result);
    }

    internal static Errno Listen(int fd, int backlog) => Finish(Native.listen(fd, backlog));

    /// <summary>Takes the next connection; it is non-blocking and closed on exec.</summary>
    internal static Errno Accept(int fd, out int connection)
    {
        int result;
        do
        {
            result = Native.accept4(fd, null, null, SocketNonBlocking | SocketCloseOnExec);
        }
        while (Interrupted(result));
        return Finish(result, out connection);
    }

    /// <summary>Takes the next connection, and tells the address of its other end.</summary>
    internal static Errno Accept(int fd, Span<byte> from, out int bytes, out int connection)
    {
        uint size;
        int result;
        fixed (byte* start = from)
        {
            do
            {
                size = (uint)from.Length;
                result = Native.accept4(
                    fd, start, &size, SocketNonBlocking | SocketCloseOnExec);
            }
            while (Interrupted(result));
        }
        bytes = (int)Math.Min(size, (uint)from.Length);
        return Finish(result, out connection);
    }

    /// <summary>The address <paramref name="fd"/> is bound to, and its length in bytes.</summary>
    internal static Errno GetName(int fd, Span<byte> address, out int bytes)
    {
        uint size = (uint)address.Length;
        int result;
        fixed (byte* start = address) { result = Native.getsockname(fd, start, &size); }
        bytes = (int)size;
        return Finish(result);
    }

    /// <summary>Sets an option whose value is an int.</summary>
    internal static Errno SetOption(int fd, SocketOption option, int value) =>
        Finish(Native.setsockopt(fd, option.Level, option.Name, (byte*)&value, sizeof(int)));

    /// <summary>Sets an option whose value is a structure.</summary>
    internal static Errno SetOption(int fd, SocketOption option, ReadOnlySpan<byte> value)
    {
        fixed (byte* start = value)
        {
            return Finish(
                Native.setsockopt(fd, option.Level, option.Name, start, (uint)value.Length));
        }
    }

    internal static Errno GetOption(int fd, SocketOption option, out int value)
    {
        int result = 0;
        uint size = sizeof(int);
        int code = Native.getsockopt(fd, option.Level, option.Name, (byte*)&result, &size);
        value = result;
        return Finish(code);
    }

    /// <summary>Reads an option whose value is a structure; the rest of the span stays.</summary>
    internal static Errno GetOption(int fd, SocketOption option, Span<byte> value)
    {
        uint size = (uint)value.Length;
        fixed (byte* start = value)
        {
            return Finish(Native.getsockopt(fd, option.Level, option.Name, start, &size));
        }
    }

    /// <summary>
    /// Sets a receive or send buffer beyond the system's limit if allowed, within it otherwise
    /// (<paramref name="forced"/> then is false). The kernel doubles the value it is given.
    /// </summary>
    internal static Errno SetBuffer(
        int fd, SocketOption force, SocketOption plain, int bytes, out bool forced)
    {
        Errno error = SetOption(fd, force, bytes);
        forced = error == Errno.None;
        return forced ? Errno.None : SetOption(fd, plain, bytes);
    }

    /// <summary>Sends without raising SIGPIPE; never blocks.</summary>
    internal static Errno Send(int fd, ReadOnlySpan<byte> source, out int count)
    {
        long result;
        fixed (byte* start = source)
        {
            do
            {
                result = Native.send(
                    fd, start, (nuint)source.Length, MessageDontWait | MessageNoSignal);
            }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    internal static Errno SendTo(
        int fd, ReadOnlySpan<byte> source, ReadOnlySpan<byte> address, out int count)
    {
        long result;
        fixed (byte* start = source)
        fixed (byte* to = address)
        {
            do
            {
                result = Native.sendto(
                    fd, start, (nuint)source.Length, MessageDontWait | MessageNoSignal, to,
                    (uint)address.Length);
            }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    /// <summary>Receives without blocking; 0 bytes of a stream mean that it has ended.</summary>
    internal static Errno Receive(int fd, Span<byte> target, out int count)
    {
        long result;
        fixed (byte* start = target)
        {
            do { result = Native.recv(fd, start, (nuint)target.Length, MessageDontWait); }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    /// <summary>
    /// Receives one datagram without blocking. <paramref name="bytes"/> is its true length, which
    /// may exceed the buffer: then the rest is lost.
    /// </summary>
    internal static Errno ReceiveFrom(
        int fd, Span<byte> target, Span<byte> source, out int bytes, out int sourceBytes)
    {
        const int TrueLength = 0x20; // MSG_TRUNC
        uint size = (uint)source.Length;
        long result;
        fixed (byte* start = target)
        fixed (byte* from = source)
        {
            do
            {
                size = (uint)source.Length;
                result = Native.recvfrom(
                    fd, start, (nuint)target.Length, MessageDontWait | TrueLength, from, &size);
            }
            while (Interrupted(result));
        }
        sourceBytes = (int)size;
        return Finish(result, out bytes);
    }

    internal static Errno ReceiveBatch(int fd, BatchedMessage* messages, int count, out int taken)
    {
        int result;
        do { result = Native.recvmmsg(fd, messages, (uint)count, MessageDontWait, null); }
        while (Interrupted(result));
        return Finish(result, out taken);
    }

    internal static Errno SendBatch(int fd, BatchedMessage* messages, int count, out int taken)
    {
        int result;
        do
        {
            result = Native.sendmmsg(fd, messages, (uint)count, MessageDontWait | MessageNoSignal);
        }
        while (Interrupted(result));
        return Finish(result, out taken);
    }

    /// <summary>An ioctl on a structure that the kernel reads and writes in place.</summary>
    internal static Errno Control(int fd, uint request, Span<byte> argument)
    {
        int result;
        fixed (byte* start = argument)
        {
            do { result = Native.ioctl(fd, request, start); } while (Interrupted(result));
        }
        return Finish(result);
    }
}
