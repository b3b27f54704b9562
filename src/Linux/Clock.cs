namespace Conntrackd.Linux;

/// <summary>The two clocks. Pure rooms never read them; they are given the time.</summary>
internal static class Clock
{
    private const int Realtime = 0;     // CLOCK_REALTIME
    private const int Monotonic = 1;    // CLOCK_MONOTONIC

    /// <summary>Microseconds since some start; never goes back.</summary>
    internal static long MonotonicMicroseconds()
    {
        Libc.ReadClock(Monotonic, out long seconds, out long nanoseconds);
        return (seconds * 1_000_000) + (nanoseconds / 1_000);
    }

    /// <summary>Seconds since 1970; may jump.</summary>
    internal static long WallSeconds()
    {
        Libc.ReadClock(Realtime, out long seconds, out _);
        return seconds;
    }
}
