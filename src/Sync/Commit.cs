using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// The walk that puts the external cache into the kernel: first flows that belong to no master,
/// then the
/// related ones, so that masters exist. A cursor: the owner takes flows in pieces.
/// </summary>
/// <param name="external">The cache; it is left unchanged.</param>
/// <param name="commitTimeoutSeconds">Timeout of every flow, 0 = what is left of its own.</param>
internal sealed class Commit(FlowTable external, uint commitTimeoutSeconds)
{
    /// <summary>Timeout of a flow of which too little is left (sync.md 13.2).</summary>
    private const uint FallbackTimeoutSeconds = 60;

    private bool _related;
    private uint _at;

    /// <summary>True when both passes have been taken.</summary>
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
                IsDone = _related;
                _related = true;
                continue;
            }
            if (!external.IsInUse(handle)) { continue; }
            external.Load(handle, ref flow);
            if (flow.IsRelated != _related) { continue; }
            timeoutSeconds = TimeoutOf(in flow, external.Head(handle).IdOrTouched, nowSeconds);
            return true;
        }
        return false;
    }

    private uint TimeoutOf(in Flow flow, uint touchedSeconds, uint nowSeconds)
    {
        if (commitTimeoutSeconds != 0) { return commitTimeoutSeconds; }
        uint stored = flow.Has(FlowAttributes.Timeout) ? flow.TimeoutSeconds : 0;
        uint elapsed = nowSeconds - touchedSeconds;
        return stored > elapsed ? stored - elapsed : FallbackTimeoutSeconds;
    }
}
