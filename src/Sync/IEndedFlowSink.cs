using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>Is told of every flow that ends, in statistics mode.</summary>
internal interface IEndedFlowSink
{
    /// <summary>
    /// A flow that was in the cache has ended. <paramref name="flow"/> is what the kernel's event
    /// said of it or, if the event was lost, what the cache knew.
    /// </summary>
    void OnEnded(in Flow flow);
}
