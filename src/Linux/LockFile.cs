using System.Globalization;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>
/// Keeps a second daemon from starting; the file holds our process id and a line feed.
/// </summary>
/// <remarks>
/// The lock is the kernel's (flock) and ends with the process, so a file left by a crash is no
/// obstacle, ours or the empty one of the original. A running original holds no such lock: whether
/// one runs must be asked at its control socket. It in turn refuses to start while the file exists.
/// </remarks>
internal sealed class LockFile : IDisposable
{
    private const int OwnerOnly = 0x180; // 0600

    /// <summary>Each further attempt needs another process removing the file in between.</summary>
    private const int AttemptsMax = 10;

    private readonly string _path;
    private readonly int _fd;

    private LockFile(string path, int fd)
    {
        _path = path;
        _fd = fd;
    }

    /// <summary>
    /// Eagain if another process has it; <paramref name="holder"/> is its process id, 0 if unknown.
    /// </summary>
    internal static Errno TryTake(string path, out LockFile? file, out int holder)
    {
        file = null;
        holder = 0;
        for (int i = 0; i < AttemptsMax; i++)
        {
            Errno error = Libc.Open(
                path, Libc.OpenReadWrite | Libc.OpenCreate, OwnerOnly, out int fd);
            if (error != Errno.None) { return error; }
            error = Libc.TryLock(fd);
            if (error != Errno.None)
            {
                holder = ReadHolder(fd);
                Libc.Close(fd);
                return error;
            }
            if (IsStill(path, fd))
            {
                error = WriteHolder(fd);
                if (error == Errno.None) { file = new LockFile(path, fd); }
                else { Libc.Close(fd); }
                return error;
            }
            Libc.Close(fd); // the last holder removed it after we had opened it
        }
        return Errno.Eagain;
    }

    /// <summary>Removes the file, then gives up the lock.</summary>
    public void Dispose()
    {
        _ = Libc.Unlink(_path);
        Libc.Close(_fd);
    }

    private static bool IsStill(string path, int fd) =>
        Libc.Identify(fd, out FileIdentity ours) == Errno.None
        && Libc.Identify(path, out FileIdentity named) == Errno.None
        && ours == named;

    private static Errno WriteHolder(int fd)
    {
        Errno error = Libc.Truncate(fd, 0);
        return error == Errno.None
            ? Libc.Write(fd, Encoding.ASCII.GetBytes($"{Libc.ProcessId}\n"), out _)
            : error;
    }

    private static int ReadHolder(int fd)
    {
        Span<byte> text = stackalloc byte[16];
        if (Libc.Read(fd, text, out int count) != Errno.None) { return 0; }
        string word = Encoding.ASCII.GetString(text[..count]).Trim();
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            ? pid
            : 0;
    }
}
