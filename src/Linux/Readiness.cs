using System.Globalization;

namespace Conntrackd.Linux;

/// <summary>The daemon's end of the pipe on which its parent waits.</summary>
internal sealed class Readiness
{
    internal const string Variable = "CONNTRACKD_READY_FD";
    internal const int Descriptor = 3;

    private const int StandardCount = 3;

    private int _fd;

    private Readiness(int fd) => _fd = fd;

    /// <summary>True if a parent waits for us; asking changes nothing.</summary>
    internal static bool IsAwaited => Environment.GetEnvironmentVariable(Variable) is not null;

    /// <summary>
    /// Not null if a parent waits for us, that is, if this process is the daemon it started. The
    /// variable is forgotten, so that programs started from here do not take it for theirs.
    /// </summary>
    internal static Readiness? FromEnvironment()
    {
        string? text = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        bool valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int fd)
            && fd >= StandardCount;
        return valid ? new Readiness(fd) : null;
    }

    /// <summary>
    /// Lets the parent exit with status 0 and leaves the terminal: descriptors 0 to 2 lead to
    /// /dev/null from here on.
    /// </summary>
    internal Errno Report()
    {
        Errno error = Libc.Open("/dev/null", Libc.OpenReadWrite, 0, out int nowhere);
        if (error != Errno.None) { return error; }
        for (int fd = 0; fd < StandardCount; fd++)
        {
            if (fd != nowhere) { _ = Libc.Duplicate(nowhere, fd, closeOnExec: false); }
        }
        if (nowhere >= StandardCount) { Libc.Close(nowhere); }
        error = Libc.Write(_fd, "1"u8, out _);
        Libc.Close(_fd);
        _fd = -1;
        return error;
    }
}
