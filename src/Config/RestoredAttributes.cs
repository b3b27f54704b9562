using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>
/// Names of block Restore: what can be kept from the kernel though the peer tells it.
/// </summary>
internal static class RestoredAttributes
{
    internal static readonly IReadOnlyList<(string Name, FlowAttributes Attributes, string Help)>
        All =
    [
        ("Mark", FlowAttributes.Mark, "The connection mark."),
        ("Labels", FlowAttributes.Labels,
            "Connection labels. Kernels with modules of third parties have crashed on them."),
        ("Helper", FlowAttributes.Helper,
            "The name of the helper that follows the flow. Without it no expectation can be "
                + "written for the flow."),
        ("Master", FlowAttributes.Master | FlowAttributes.MasterL4Keys,
            "That the flow was expected by another one. Off: it is written as a flow of its own, "
                + "and need not wait for the other one."),
        ("SequenceAdjustment", FlowAttributes.SequenceAdjust,
            "By how much a helper has shifted the sequence numbers."),
        ("Synproxy", FlowAttributes.Synproxy, "What SYNPROXY knows of the connection."),
        ("Timeout", FlowAttributes.Timeout,
            "The time to live that the other node told. Off: a new entry gets 'CommitTimeout' or "
                + "60 seconds, one that is updated keeps its own."),
    ];
}
