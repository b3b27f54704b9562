namespace Conntrackd.Linux;

/// <summary>
/// Which signals the daemon takes through a descriptor, and the detour this needs: the runtime has
/// threads before Main that block nothing, and a signal would be delivered to them.
/// </summary>
/// <remarks><code>
/// start -> blocked already? --no--> block, execute self (a mask survives exec, so the runtime's
///                |                  threads of the new image are born with it) -> start
///               yes -> go on; the signals wait in SignalDescriptor
/// </code>The mask itself tells that the detour was made. It holds as well if somebody else started
/// us this way.</remarks>
internal static class SignalMask
{
    /// <summary>INT, TERM, HUP, USR1 and CHLD.</summary>
    internal static SignalSet Handled
    {
        get
        {
            SignalSet set = default;
            set.Include(Signal.Interrupt);
            set.Include(Signal.Terminate);
            set.Include(Signal.HangUp);
            set.Include(Signal.User1);
            set.Include(Signal.Child);
            return set;
        }
    }

    /// <summary>True if this thread, and so each one born before Main, blocks them.</summary>
    internal static bool IsInPlace
    {
        get
        {
            _ = Libc.BlockSignals(default, out SignalSet current);
            return current.Contains(Handled);
        }
    }

    /// <summary>
    /// Returns None if the mask is in place; otherwise the program starts over, and this returns
    /// only if that failed. To be called first in Main, while nothing is open. Broken pipes are
    /// errors of calls from here on, not signals.
    /// </summary>
    internal static Errno EnsureInPlace()
    {
        Libc.IgnoreSignal((int)Signal.Pipe);
        if (IsInPlace) { return Errno.None; }
        _ = Libc.BlockSignals(Handled, out SignalSet before);
        Errno error = SelfImage.Execute();
        _ = Libc.SetSignalMask(before);
        return error;
    }
}
