namespace Conntrackd.Linux;

/// <summary>
/// A file that lines are appended to, each with one call, so that lines never mix.
/// </summary>
internal sealed class LogFile : IDisposable
{
    private const int OwnerOnly = 0x180; // 0600
    private const int Flags = Libc.OpenWriteOnly | Libc.OpenAppend | Libc.OpenCreate;

    private readonly int _fd;

    private LogFile(string path, int fd)
    {
        Path = path;
        _fd = fd;
    }

    internal string Path { get; }

    /// <summary>Lines that could not be written, for example on a full disk.</summary>
    internal ulong Lost { get; private set; }

    internal static Errno TryOpen(string path, out LogFile? file)
    {
        Errno error = Libc.Open(path, Flags, OwnerOnly, out int fd);
        file = error == Errno.None ? new LogFile(path, fd) : null;
        return error;
    }

    /// <summary>
    /// Opens the path anew, after somebody moved the file away. On an error the old file stays in
    /// use. Other threads may write meanwhile: the descriptor keeps its number.
    /// </summary>
    internal Errno Reopen()
    {
        Errno error = Libc.Open(Path, Flags, OwnerOnly, out int fd);
        if (error != Errno.None) { return error; }
        error = Libc.Duplicate(fd, _fd, closeOnExec: true);
        Libc.Close(fd);
        return error;
    }

    /// <summary>Appends one line; <paramref name="line"/> ends with a line feed.</summary>
    internal void Write(ReadOnlySpan<byte> line)
    {
        Errno error = Libc.Write(_fd, line, out int count);
        if (error != Errno.None || count != line.Length) { Lost++; }
    }

    public void Dispose() => Libc.Close(_fd);
}
