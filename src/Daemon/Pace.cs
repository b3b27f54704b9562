namespace Conntrackd.Daemon;

/// <summary>
/// How long the loop waits for more before it looks again: not at all at low rates, up to two
/// milliseconds under load.
/// </summary>
/// <remarks>
/// A daemon that wakes for every event pays the wake-up each time, sends a datagram for each, and
/// takes the processor from the packets it serves. A wake-up costs some 25 us here, its own and
/// that of the peer, and all caches are cold behind it; so some tens of events should share one.
/// The wait is what the current rate needs for <see cref="EventsWanted"/> events, so it shrinks
/// when the rate rises. From <see cref="RateHigh"/> on, a third is enough: their own work is the
/// larger part then, and a longer wait only makes the peer's table older. In bursts of
/// 200,000 flows a wait of 1 or 2 ms let the kernel make no more a second, and filled the buffer.
/// Measured at 30,000 events a second, CPU of both nodes: bench/results, docs/performance.md.
/// </remarks>
internal struct Pace
{
    private const int EventsWanted = 60, EventsWantedHigh = 20;
    private const long GatherMax = 2_000;           // microseconds
    private const long GatherMin = 50;              // less is not worth a system call
    private const long WindowMicroseconds = 5_000;

    // Below, everything is sent at once: 30 events would take longer than the longest wait allows.
    private const long RateMin = 16_000;            // events a second
    private const long RateHigh = 40_000;
    private const int EventBytes = 1280;            // what one takes in the socket's buffer
    private const int BufferShare = 4;              // of the buffer, a quarter may fill meanwhile

    private long _windowStart;
    private ulong _windowCount;
    private long _rate;

    /// <summary>Looks at the events counted so far; call it once a turn.</summary>
    /// <param name="events">Events received since start.</param>
    /// <param name="bufferBytes">Receive buffer of the event socket.</param>
    /// <param name="now">Microseconds.</param>
    /// <returns>Microseconds to wait now, or 0.</returns>
    internal long Gather(ulong events, int bufferBytes, long now)
    {
        long elapsed = now - _windowStart;
        if (elapsed >= WindowMicroseconds)
        {
            long rate = (long)(events - _windowCount) * 1_000_000 / elapsed;
            _rate = (_rate + rate) / 2;
            _windowStart = now;
            _windowCount = events;
        }
        if (_rate < RateMin) { return 0; }
        long wanted = _rate < RateHigh ? EventsWanted : EventsWantedHigh;
        long wait = Math.Min(GatherMax, wanted * 1_000_000L / _rate);
        long room = bufferBytes / EventBytes / BufferShare * 1_000_000L / _rate;
        wait = Math.Min(wait, room);
        return wait < GatherMin ? 0 : wait;
    }
}
