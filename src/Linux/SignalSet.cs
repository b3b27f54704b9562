using System.Runtime.CompilerServices;

namespace Conntrackd.Linux;

/// <summary>sigset_t: 1024 bits, signal n is bit n-1.</summary>
[InlineArray(Words)]
internal struct SignalSet
{
    internal const int Words = 16;

    private ulong _first;

    /// <summary>Every signal; what cannot be changed is skipped by the C library.</summary>
    internal static SignalSet All
    {
        get
        {
            SignalSet set = default;
            set._first = ulong.MaxValue;
            return set;
        }
    }

    internal void Include(Signal signal) => _first |= 1ul << ((int)signal - 1);

    /// <summary>True if every signal of <paramref name="others"/> is in this set.</summary>
    internal readonly bool Contains(in SignalSet others) =>
        (_first & others._first) == others._first;
}

/// <summary>Signals somebody here cares about (asm-generic/signal.h).</summary>
internal enum Signal
{
    HangUp = 1,                 // SIGHUP
    Interrupt = 2,              // SIGINT
    Kill = 9,                   // SIGKILL
    User1 = 10,                 // SIGUSR1
    Segmentation = 11,          // SIGSEGV
    Pipe = 13,                  // SIGPIPE
    Terminate = 15,             // SIGTERM
    Child = 17,                 // SIGCHLD
}
