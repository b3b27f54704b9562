using System.Numerics;
using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// The walk that puts the external cache into the kernel: what suffers most from being late first,
/// related flows last, so that masters exist. A cursor: the owner takes flows in pieces.
/// </summary>
/// <remarks>
/// First translated flows, whose packets would get another translation; then those that changed
/// within the last minute. With many old flows behind them, they are in the kernel long before the
/// end: with 200,000, UDP is silent no longer than without them.
/// </remarks>
/// <param name="external">The cache; it is left unchanged.</param>
/// <param name="commitTimeoutSeconds">Timeout of every flow, 0 = what is left of its own.</param>
internal sealed class Commit(FlowTable external, uint commitTimeoutSeconds)
{
    /// <summary>Timeout of a flow of which too little is left (sync.md 13.2).</summary>
    private const uint FallbackTimeoutSeconds = 60;

    private const uint HotSeconds = 60;
    private const FlowAttributes Translations =
        FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat | FlowAttributes.Dpat;
    private const FlowAttributes MasterKnown = FlowAttributes.Master | FlowAttributes.MasterL4Keys;

    /// <summary>What is taken in one round through the cache.</summary>
    private enum Pass : byte
    {
        Translated,
        Hot,
        Cold,
        Related,
    }

    private Pass _pass;
    private uint _at;

    // A bit for each slot that was taken: a flow may change between the passes, and none is missed.
    private ulong[] _taken = [];

    /// <summary>True when all passes have been taken.</summary>
    internal bool IsDone { get; private set; }

    /// <summary>
    /// Takes the next flow. False if <paramref name="budget"/> slots were looked at in vain or all
    /// is
    /// done.
    /// </summary>
    internal bool TryTake(
        ref Flow flow, uint nowSeconds, ref int budget, out uint timeoutSeconds)
    {
        timeoutSeconds = 0;
        while (!IsDone && budget > 0)
        {
            uint handle = external.Next(_at, ref budget);
            _at = handle;
            if (handle == 0)
            {
                IsDone = _pass == Pass.Related;
                _pass++;
                continue;
            }
            if (!external.IsInUse(handle) || !IsDue(handle, nowSeconds)) { continue; }
            external.Load(handle, ref flow);
            timeoutSeconds = TimeoutOf(in flow, external.Head(handle).IdOrTouched, nowSeconds);
            return true;
        }
        return false;
    }

    private bool IsDue(uint handle, uint nowSeconds)
    {
        ref SlotHead head = ref external.Head(handle);
        bool related = (head.Present & MasterKnown) == MasterKnown;
        if (related || _pass == Pass.Related) { return related && _pass == Pass.Related; }
        // The highest bit tells IPv4 from IPv6, the others count from 1 in each: interleaved.
        uint index = BitOperations.RotateLeft(handle, 1);
        int word = (int)(index / 64);
        ulong bit = 1ul << (int)(index % 64);
        bool taken = word < _taken.Length && (_taken[word] & bit) != 0;
        if (taken || _pass == Pass.Cold) { return !taken; }
        bool due = _pass == Pass.Translated
            ? (head.Present & Translations) != 0
            : nowSeconds - head.IdOrTouched <= HotSeconds;
        if (!due) { return false; }
        if (word >= _taken.Length) { Array.Resize(ref _taken, Math.Max(word + 1, 2 * word)); }
        _taken[word] |= bit;
        return true;
    }

    private uint TimeoutOf(in Flow flow, uint touchedSeconds, uint nowSeconds)
    {
        if (commitTimeoutSeconds != 0) { return commitTimeoutSeconds; }
        uint stored = flow.Has(FlowAttributes.Timeout) ? flow.TimeoutSeconds : 0;
        uint elapsed = nowSeconds - touchedSeconds;
        return stored > elapsed ? stored - elapsed : FallbackTimeoutSeconds;
    }
}
