using System.Collections.Generic;
using System.Globalization;

namespace Conntrackd.Linux;

/// <summary>Puts the daemon into the background, the parent's side.</summary>
/// <remarks>
/// Never a fork: the runtime does not survive it. The program starts itself in a session of its
/// own, with a pipe on which it says that it is ready; until then it writes its errors to the
/// terminal it has inherited. The child's side is <see cref="Readiness"/>.
/// <code>
/// parent   pipe, spawn ------ waits: a byte -> tells the service manager, exit 0
///                                    the end of the pipe -> exit 1
/// child         start, open everything, stdio to /dev/null, a byte, waits for that, goes on
/// </code>Only the process that a service manager started may name another one to it, and what the
/// other one says counts from then on (NotifyAccess=main).</remarks>
internal static class Daemoniser
{
    internal const int Ready = 0;
    internal const int Failed = 1;      // scripts test for exactly 1

    private const int FirstOther = 3;   // after stdin, stdout and stderr

    /// <summary>
    /// Starts this program again as the daemon, and names it to the service manager, if there is
    /// one. Returns the exit status for the caller; errors have been logged by then.
    /// </summary>
    internal static int Start(ServiceNotifier? notifier, Log log) =>
        Start(SelfImage.Path, SelfImage.Arguments(), notifier, log, out _);

    /// <summary>Starts any program that follows the rules of <see cref="Readiness"/>.</summary>
    internal static int Start(
        string path, IReadOnlyList<byte[]> arguments, ServiceNotifier? notifier, Log log,
        out int pid)
    {
        pid = 0;
        Errno error = Libc.Pipe(out int readEnd, out int writeEnd);
        if (error != Errno.None)
        {
            log.Error($"daemon: no pipe, {error.Describe()}");
            return Failed;
        }
        using CStringArray words = new(arguments);
        using CStringArray environment = CStringArray.From(VariablesForChild());
        Libc.CloseOnExecFrom(FirstOther); // what a shell left open is not the daemon's
        PassedText.Keep();
        error = Libc.Spawn(
            path, words, environment, writeEnd, Readiness.Descriptor, SignalMask.Handled, out pid);
        Libc.Close(writeEnd);
        if (error != Errno.None)
        {
            log.Error($"daemon: cannot start '{path}', {error.Describe()}");
            Libc.Close(readEnd);
            return Failed;
        }
        Span<byte> word = stackalloc byte[1];
        bool ready = Libc.Read(readEnd, word, out int count) == Errno.None && count == 1;
        if (ready) { _ = notifier?.MainProcess(pid); }
        Libc.Close(readEnd);
        if (!ready) { Explain(pid, log); }
        return ready ? Ready : Failed;
    }

    /// <summary>A daemon that exits has told why; one that was killed could not.</summary>
    private static void Explain(int pid, Log log)
    {
        Errno error = Libc.WaitFor(pid, out ChildStatus status);
        if (error == Errno.None && !status.Exited)
        {
            log.Error($"daemon: ended by signal {status.Signal} before it was ready");
        }
    }

    private static List<string> VariablesForChild()
    {
        string self = Libc.ProcessId.ToString(CultureInfo.InvariantCulture);
        List<string> variables = SelfImage.Variables();
        // The watchdog is meant for the daemon; without this the child would find it is not for it.
        variables.Remove($"{ServiceNotifier.WatchdogPidVariable}={self}");
        variables.Add($"{Readiness.Variable}={Readiness.Descriptor}");
        return variables;
    }
}
