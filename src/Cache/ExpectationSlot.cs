using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>One place of an <see cref="ExpectationTable"/>.</summary>
/// <remarks>The owner of the table changes life, generation, touch and sequence only.</remarks>
internal struct ExpectationSlot
{
    /// <summary>Even = stable; the writer makes it odd while it changes the slot.</summary>
    internal uint Version;

    internal bool IsInUse;
    internal SlotLife Life;             // without generation
    internal byte Generation;           // the dump that saw it last
    internal uint CreatedSeconds;       // on the engine's clock, "active since"
    internal uint TouchedSeconds;       // when the timeout was told

    /// <summary>
    /// Sequence of the message in flight (internal cache), stamp of its sender (external cache).
    /// </summary>
    internal uint Sequence;

    internal Expectation Value;

    internal readonly bool IsDead => (Life & SlotLife.Dead) != 0;

    /// <summary>
    /// Seconds that are left to it; <paramref name="fallbackSeconds"/> is the timeout of one that
    /// came without. 0: its time is over.
    /// </summary>
    internal readonly uint RemainingSeconds(uint nowSeconds, uint fallbackSeconds)
    {
        uint timeout = Value.Has(ExpectationAttributes.Timeout)
            ? Value.TimeoutSeconds : fallbackSeconds;
        uint elapsed = nowSeconds - TouchedSeconds;
        return timeout > elapsed ? timeout - elapsed : 0;
    }

    /// <summary>Seconds since its time was over; 0 if it is not.</summary>
    internal readonly uint OverdueSeconds(uint nowSeconds)
    {
        uint elapsed = nowSeconds - TouchedSeconds;
        return Value.Has(ExpectationAttributes.Timeout) && elapsed > Value.TimeoutSeconds
            ? elapsed - Value.TimeoutSeconds : 0;
    }
}
