using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>The UNIX socket by its path: both ways to open it.</summary>
internal static class ControlSocket
{
    private const int OwnerOnly = 0x180;        // 0600
    private const int WithGroup = 0x1B0;        // 0660
    private const int Backlog = 100;

    /// <summary>
    /// Listens at <paramref name="path"/>, for the owner and perhaps a group. A socket file that
    /// nobody answers on is left from a crash and replaced; anything else that is in the way stays.
    /// </summary>
    /// <returns>Null, or why the path cannot be used.</returns>
    internal static string? TryListen(string path, uint? group, out int fd)
    {
        fd = -1;
        Span<byte> target = stackalloc byte[SocketAddress.SizeMax];
        if (!SocketAddress.TryWriteUnix(target, path, out int bytes))
        {
            return $"path of {path.Length} characters, expected 1-{SocketAddress.UnixPathMax}";
        }
        ReadOnlySpan<byte> address = target[..bytes];
        Errno error = Libc.Socket(
            Libc.FamilyUnix, Libc.SocketStream | Libc.SocketNonBlocking, 0, out int listener);
        if (error != Errno.None) { return error.Describe(); }
        error = Libc.Bind(listener, address);
        if (error == Errno.Eaddrinuse)
        {
            string? obstacle = RemoveStale(path, address);
            if (obstacle is not null) { return Abandon(listener, obstacle); }
            error = Libc.Bind(listener, address);
        }
        if (error != Errno.None) { return Abandon(listener, error.Describe()); }

        // Nobody can connect before listen, so there is no moment of a wider mode.
        error = Libc.ChangeMode(path, OwnerOnly);
        if (error == Errno.None && group is uint number)
        {
            // Of our own primary group it may be already.
            error = Libc.Inspect(path, out FileFacts facts);
            if (error == Errno.None && facts.Group != number)
            {
                error = Libc.ChangeGroup(path, number);
            }
            if (error != Errno.None)
            {
                _ = Libc.Unlink(path);
                return Abandon(listener, $"can't be given to group {number}: " +
                    $"{error.Describe()} (neither CAP_CHOWN nor a member of it)");
            }
            error = Libc.ChangeMode(path, WithGroup);
        }
        if (error == Errno.None) { error = Libc.Listen(listener, Backlog); }
        if (error != Errno.None)
        {
            _ = Libc.Unlink(path);
            return Abandon(listener, error.Describe());
        }
        fd = listener;
        return null;
    }

    /// <summary>
    /// True if somebody listens at <paramref name="path"/>: a daemon of either kind.
    /// </summary>
    internal static bool IsAnswered(string path)
    {
        Span<byte> target = stackalloc byte[SocketAddress.SizeMax];
        return SocketAddress.TryWriteUnix(target, path, out int bytes)
            && IsListening(Probe(target[..bytes]));
    }

    /// <summary>Connects to the daemon at <paramref name="path"/>; the socket blocks.</summary>
    /// <returns>Null, or why there is no connection.</returns>
    internal static string? TryConnect(string path, out int fd)
    {
        fd = -1;
        Span<byte> target = stackalloc byte[SocketAddress.SizeMax];
        if (!SocketAddress.TryWriteUnix(target, path, out int bytes))
        {
            return $"path of {path.Length} characters, expected 1-{SocketAddress.UnixPathMax}";
        }
        Errno error = Libc.Socket(Libc.FamilyUnix, Libc.SocketStream, 0, out int connection);
        if (error != Errno.None) { return error.Describe(); }

        // A name of the kernel's choice asks for a framed answer, see ReplyFrame.
        error = Libc.BindAutomatically(connection);
        if (error == Errno.None) { error = Libc.Connect(connection, target[..bytes]); }
        if (error != Errno.None) { return Abandon(connection, error.Describe()); }
        fd = connection;
        return null;
    }

    /// <summary>Null if the socket file is gone now; else why it had to stay.</summary>
    private static string? RemoveStale(string path, ReadOnlySpan<byte> address)
    {
        // Sockets cannot be opened, other files can: those are never removed.
        Errno error = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenNonBlocking, 0, out int file);
        if (error == Errno.None)
        {
            Libc.Close(file);
            return "there is a file that is no socket, not removed";
        }
        if (error != Errno.Enxio) { return error.Describe(); }
        error = Probe(address);
        if (IsListening(error)) { return "another daemon answers there"; }
        if (error != Errno.Econnrefused) { return error.Describe(); }
        error = Libc.Unlink(path);
        return error == Errno.None ? null : error.Describe();
    }

    // A full backlog (EAGAIN) has a listener, too.
    private static bool IsListening(Errno error) => error is Errno.None or Errno.Eagain;

    // What connecting says; the connection itself is closed at once.
    private static Errno Probe(ReadOnlySpan<byte> address)
    {
        Errno error = Libc.Socket(
            Libc.FamilyUnix, Libc.SocketStream | Libc.SocketNonBlocking, 0, out int probe);
        if (error != Errno.None) { return error; }
        error = Libc.Connect(probe, address);
        Libc.Close(probe);
        return error;
    }

    private static string Abandon(int fd, string reason)
    {
        Libc.Close(fd);
        return reason;
    }
}
