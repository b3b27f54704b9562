using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>Takes peers' flows straight to the kernel (DisableExternalCache).</summary>
internal interface IFlowInjector
{
    /// <summary>
    /// One flow message, in the order of arrival. The flow is valid during the call.
    /// </summary>
    void Inject(SyncType type, ref Flow flow);
}
