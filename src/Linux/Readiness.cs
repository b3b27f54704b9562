using System.Globalization;

namespace Conntrackd.Linux;

/// <summary>The daemon's end of the pipe on which its parent waits.</summary>
internal sealed class Readiness
{
    internal const string Variable = "CONNTRACKD_READY_FD";
    internal const int Descriptor = 3;

    private const int StandardCount = 3;

    // Ours: the parent has one datagram to send.
    private const int PatienceMilliseconds = 5_000;

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
    /// Leaves the terminal: descriptors 0 to 2 lead to /dev/null from here on. Lets the parent exit
    /// with status 0, and waits until it has closed the pipe: by then this process is named to the
    /// service manager.
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

        // A pipe that nobody reads any more is an error, which wakes whoever waits for it.
        if (error == Errno.None) { error = Libc.WaitReadable(_fd, PatienceMilliseconds); }
        Libc.Close(_fd);
        _fd = -1;
        return error;
    }
}
