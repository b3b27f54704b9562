namespace Conntrackd.Linux;

/// <summary>The end when nothing sensible is left to do: a line, and exit status 1.</summary>
/// <remarks>
/// Not an abort: scripts know 1, and the service manager starts the daemon again. The lock ends
/// with the process; socket and files stay and are taken over by the next start.
/// </remarks>
internal static class Fatal
{
    private const int ExitStatus = 1;

    private static Log? s_log;

    /// <summary>From here on the line goes to this log.</summary>
    internal static void TellTo(Log log) => s_log = log;

    /// <summary>Does not return.</summary>
    internal static void Exit(string what)
    {
        (s_log ?? new Log()).Error($"{what}, giving up");
        Libc.Exit(ExitStatus);
    }
}
