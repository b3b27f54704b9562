namespace Conntrackd.Linux;

/// <summary>Lets one log line of a cause through in an interval and counts the rest.</summary>
internal struct LogThrottle(int intervalSeconds)
{
    private readonly long _intervalMicroseconds = intervalSeconds * 1_000_000L;
    private long _last;
    private bool _started;
    private ulong _suppressed;

    /// <summary>
    /// True if a line is due; <paramref name="suppressed"/> is how many were not.
    /// </summary>
    internal bool TryTake(long nowMicroseconds, out ulong suppressed)
    {
        suppressed = _suppressed;
        if (_started && nowMicroseconds - _last < _intervalMicroseconds)
        {
            _suppressed++;
            return false;
        }
        _started = true;
        _last = nowMicroseconds;
        _suppressed = 0;
        return true;
    }
}
