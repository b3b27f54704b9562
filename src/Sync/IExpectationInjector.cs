using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>Takes peers' expectations straight to the kernel (DisableExternalCache).</summary>
internal interface IExpectationInjector
{
    /// <summary>
    /// One expectation message, in the order of arrival, behind the flows that came before it. The
    /// expectation is valid during the call.
    /// </summary>
    void Inject(SyncType type, ref Expectation expectation);
}
