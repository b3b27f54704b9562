using Conntrackd.Cache;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>
/// Says that a cache refuses flows, once in an interval, and when to look for them again.
/// </summary>
/// <remarks>
/// <code>
/// no place (HashLimit)   looked for as soon as a sixteenth of the places is free
/// no memory              only asking shows whether there is some: after 30 s
/// refused once more      not before twice the pause of the last time, at most 10 minutes
/// </code>
/// To look means a dump of the kernel's table, or a resync from the peers, which cost time.
/// </remarks>
internal sealed class CacheWatch(string name, FlowTable table, Log log)
{
    private const long PauseMin = 30 * SyncEngine.Second;
    private const long PauseMax = 600 * SyncEngine.Second;
    private const int LogSeconds = 60;

    private LogThrottle _throttle = new(LogSeconds);
    private ulong _refusedSpace;        // the table's counters, as last seen
    private ulong _refusedMemory;
    private ulong _untold;              // refused since the last line
    private bool _isRefusing;           // said so, and not yet the contrary
    private bool _isMissing;            // refused since they were looked for
    private long _pause = PauseMin;
    private long _notBefore;

    /// <summary>When <see cref="Turn"/> wants to be called at the latest.</summary>
    internal long NextDeadline =>
        _isRefusing && (!_isMissing || table.HasRoom) ? _notBefore : long.MaxValue;

    /// <summary>True if what was refused should be looked for now.</summary>
    internal bool Turn(long now)
    {
        TakeRefused(now);
        if (!_isRefusing || now < _notBefore) { return false; }
        if (!_isMissing)
        {
            _isRefusing = false;
            _pause = PauseMin;
            log.Notice($"{name} cache: takes all flows again");
            return false;
        }
        if (!table.HasRoom) { return false; }
        _isMissing = false;
        _notBefore = now + _pause;
        _pause = Math.Min(2 * _pause, PauseMax);
        table.AskForMemoryAgain();
        log.Notice($"{name} cache: looking for flows that were refused");
        return true;
    }

    private void TakeRefused(long now)
    {
        CacheCounters counters = table.Counters;
        ulong space = counters.CreateFailedSpace - _refusedSpace;
        ulong memory = counters.CreateFailedMemory - _refusedMemory;
        if (space + memory == 0) { return; }
        _refusedSpace += space;
        _refusedMemory += memory;
        _untold += space + memory;
        if (!_isRefusing && memory != 0) { _notBefore = Math.Max(_notBefore, now + _pause); }
        _isRefusing = _isMissing = true;
        if (!_throttle.TryTake(now, out _)) { return; }
        string cause = memory != 0 ? "no memory" : $"full (HashLimit {table.FlowsMax})";
        log.Warning($"{name} cache: {cause}, flows refused: {_untold}");
        _untold = 0;
    }
}
