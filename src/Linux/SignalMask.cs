namespace Conntrackd.Linux;

/// <summary>
/// Which signals the daemon takes through a descriptor, and the detour this needs: the runtime has
/// threads before Main that block nothing, and a signal would be delivered to them.
/// </summary>
/// <remarks><code>
/// first image -> block, execute self (a mask survives exec, so the runtime's threads of the new
///                image are born with it) -> second image: the signals wait in SignalDescriptor
/// </code>What else must hold before the runtime has threads goes the same way: Confinement.
/// </remarks>
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
    /// The program starts over with the mask in place; this returns only if that failed. To be
    /// called while nothing is open. Broken pipes are errors of calls from then on, not signals.
    /// </summary>
    internal static Errno ExecuteBlocked()
    {
        Libc.IgnoreSignal((int)Signal.Pipe);
        _ = Libc.BlockSignals(Handled, out SignalSet before);
        Errno error = SelfImage.Execute();
        _ = Libc.SetSignalMask(before);
        return error;
    }
}
