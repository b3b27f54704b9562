using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// The walk that puts the external cache of expectations into the kernel, behind that of the flows
/// because their masters must be there. A cursor: the owner takes them in pieces.
/// </summary>
/// <param name="external">The cache; it is left unchanged.</param>
/// <param name="commitTimeoutSeconds">Timeout of every one, 0 = what is left of its own.</param>
/// <param name="flows">Where their masters are, with their marks.</param>
/// <param name="isMeant">Says of a master whether its are committed; null: all.</param>
internal sealed class ExpectationCommit(
    ExpectationTable external, uint commitTimeoutSeconds, FlowTable flows, FlowTest? isMeant)
{
    /// <summary>Timeout of one that came without (sync.md 13.2).</summary>
    private const uint FallbackTimeoutSeconds = 60;

    private uint _at;
    private Flow _master;

    /// <summary>True when all have been taken.</summary>
    internal bool IsDone { get; private set; }

    /// <summary>
    /// Takes the next one; false if there is none. One whose time is over is passed by: to open a
    /// hole that the peer has closed already helps nobody.
    /// </summary>
    internal bool TryTake(ref Expectation expectation, uint nowSeconds, out uint timeoutSeconds)
    {
        timeoutSeconds = 0;
        while (!IsDone)
        {
            _at = external.Next(_at);
            IsDone = _at == 0;
            if (IsDone) { return false; }
            ref ExpectationSlot slot = ref external.At(_at);
            uint remaining = slot.Value.Has(ExpectationAttributes.Timeout)
                ? slot.RemainingSeconds(nowSeconds, 0) : FallbackTimeoutSeconds;
            if (remaining == 0 || !IsMeant(in slot.Value)) { continue; }
            timeoutSeconds = commitTimeoutSeconds != 0 ? commitTimeoutSeconds : remaining;
            expectation = slot.Value;
            return true;
        }
        return false;
    }

    private bool IsMeant(in Expectation expectation)
    {
        if (isMeant is null) { return true; }
        expectation.DescribeMaster(ref _master);
        uint handle = flows.Find(in _master);
        if (handle != 0) { flows.Load(handle, ref _master); }
        return isMeant(in _master);
    }
}
