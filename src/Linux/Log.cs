using System.Text;

namespace Conntrackd.Linux;

/// <summary>What the daemon tells its operator: console, file, syslog.</summary>
/// <remarks><code>[Sat Sep 26 07:09:05 2026] (pid=7420) [notice] initialization completed</code>
/// Info and notice go to stdout, the rest to stderr, while <see cref="ToConsole"/> is set. Any
/// thread may log. Each line is written with one call and at once.</remarks>
internal sealed class Log : IDisposable
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    private LogFile? _file;
    private Syslog? _syslog;

    /// <summary>Set at first; the daemon clears it when it leaves the terminal.</summary>
    internal bool ToConsole { get; set; } = true;

    /// <summary>Clear: the console gets warnings and errors only.</summary>
    internal bool CalmToConsole { get; set; } = true;

    /// <summary>
    /// Appends to <paramref name="path"/> from now on; created for the owner only.
    /// </summary>
    internal Errno OpenFile(string path)
    {
        Errno error = LogFile.TryOpen(path, out LogFile? file);
        if (error != Errno.None) { return error; }
        _file?.Dispose();
        _file = file;
        return Errno.None;
    }

    /// <summary>
    /// Sends to the system's log from now on, under this facility (3 daemon, 16 to 23 local0 to 7).
    /// </summary>
    internal void OpenSyslog(int facility)
    {
        _syslog?.Dispose();
        _syslog = new Syslog(facility);
    }

    /// <summary>Stops writing to a file.</summary>
    internal void CloseFile()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <summary>Stops sending to the system's log.</summary>
    internal void CloseSyslog()
    {
        _syslog?.Dispose();
        _syslog = null;
    }

    /// <summary>Opens the file anew after a rotation; without a file nothing happens.</summary>
    internal Errno Reopen() => _file?.Reopen() ?? Errno.None;

    internal void Info(string text) => Write(LogLevel.Info, text);

    internal void Notice(string text) => Write(LogLevel.Notice, text);

    internal void Warning(string text) => Write(LogLevel.Warning, text);

    internal void Error(string text) => Write(LogLevel.Error, text);

    internal void Write(LogLevel level, string text)
    {
        if (ToConsole || _file != null)
        {
            byte[] line = Format(level, text);
            bool calm = level is LogLevel.Info or LogLevel.Notice;
            // A closed terminal or pipe is nobody's concern here.
            if (ToConsole && (CalmToConsole || !calm))
            {
                _ = Libc.Write(calm ? StandardOutput : StandardError, line, out _);
            }
            _file?.Write(line);
        }
        _syslog?.Write(level, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>
    /// Writes a line that has its own form (a flow that could not be committed, for example) to the
    /// file, and without its end to syslog.
    /// </summary>
    /// <param name="level">Priority in syslog.</param>
    /// <param name="line">Ends with a line feed.</param>
    internal void WriteRaw(LogLevel level, ReadOnlySpan<byte> line)
    {
        _file?.Write(line);
        _syslog?.Write(level, line.TrimEnd((byte)'\n'));
    }

    public void Dispose()
    {
        _file?.Dispose();
        _syslog?.Dispose();
    }

    /// <summary>The words of the original; a script may look for them.</summary>
    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Info => "info",
        LogLevel.Notice => "notice",
        LogLevel.Warning => "warning",
        LogLevel.Error => "ERROR",
        _ => "?",
    };

    private static byte[] Format(LogLevel level, string text)
    {
        Span<byte> time = stackalloc byte[LogTime.Size];
        LogTime.Write(time, Clock.WallSeconds());
        string when = Encoding.ASCII.GetString(time);
        return Encoding.UTF8.GetBytes(
            $"[{when}] (pid={Libc.ProcessId}) [{NameOf(level)}] {text}\n");
    }
}
