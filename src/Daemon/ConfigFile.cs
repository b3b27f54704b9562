using Conntrackd.Config;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What came of reading a configuration file.</summary>
/// <param name="Result">What the text says; null if it could not be read.</param>
/// <param name="Error">Why it could not be read; null if it was.</param>
internal readonly record struct ConfigLoad(ConfigResult? Result, string? Error)
{
    /// <summary>What was read.</summary>
    internal ReadOnlyMemory<byte> Text { get; init; }

    /// <summary>A pipe or a terminal, which has nothing more to say: no file.</summary>
    internal bool IsExhausted { get; init; }

    /// <summary>Null if the program cannot go on.</summary>
    internal Options? Options => Result?.Options;
}

/// <summary>Brings the configuration file to the parser.</summary>
internal static class ConfigFile
{
    private const int BytesMax = 16 * 1024 * 1024;
    private const int BytesAtFirst = 16 * 1024;

    // Ours: for a pipe; nothing else makes anybody wait. A reload waits too, in the daemon.
    private const int PatienceMilliseconds = 2_000;

    internal static ConfigLoad Load(string path)
    {
        // The open of a pipe that nobody writes to would last for ever otherwise.
        const int Flags = Libc.OpenReadOnly | Libc.OpenNonBlocking;
        Errno error = Libc.Open(path, Flags, 0, out int fd);
        if (error != Errno.None)
        {
            return new ConfigLoad(
                null, $"can't open config file `{path}': {error.Describe()}");
        }
        string? reason = Read(fd, out byte[] text, out int bytes);
        bool isFile = Libc.Inspect(fd, out FileFacts facts) == Errno.None
            && facts.Kind == FileKind.Regular;
        Libc.Close(fd);
        return reason is null
            ? Parse(path, text.AsMemory(0, bytes)) with { IsExhausted = !isFile && bytes == 0 }
            : new ConfigLoad(null, $"can't read config file `{path}': {reason}");
    }

    /// <summary>The same for a text that was read before.</summary>
    internal static ConfigLoad Parse(string path, ReadOnlyMemory<byte> text) =>
        new(ConfigParser.Parse(path, text.Span), null) { Text = text };

    private static string? Read(int fd, out byte[] text, out int bytes)
    {
        text = new byte[BytesAtFirst];
        bytes = 0;
        long deadline = Clock.MonotonicMicroseconds() / 1000 + PatienceMilliseconds;
        while (true)
        {
            long left = Math.Max(deadline - Clock.MonotonicMicroseconds() / 1000, 0);
            if (Libc.WaitReadable(fd, (int)left) == Errno.Etimedout)
            {
                return $"nothing came within {PatienceMilliseconds} ms";
            }
            Errno error = Libc.Read(fd, text.AsSpan(bytes), out int count);
            if (error != Errno.None) { return error.Describe(); }
            if (count == 0) { return null; }
            bytes += count;
            if (bytes > BytesMax) { return $"more than {BytesMax} bytes"; }
            if (bytes == text.Length) { Array.Resize(ref text, 2 * text.Length); }
        }
    }
}
