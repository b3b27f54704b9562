namespace Conntrackd.Cache;

/// <summary>What happened to one cache since start; only grows, except the two gauges.</summary>
internal sealed class CacheCounters
{
    /// <summary>Gauge: flows that are alive.</summary>
    internal ulong Active;

    /// <summary>
    /// Gauge: flows held, the dead ones that wait for an acknowledgement included.
    /// </summary>
    internal ulong Objects;

    internal ulong Created;
    internal ulong CreateFailedMemory;
    internal ulong CreateFailedSpace;
    internal ulong Updated;
    internal ulong UpdateNotFound;
    internal ulong Destroyed;
    internal ulong DestroyNotFound;
}
