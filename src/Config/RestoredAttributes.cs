using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>One name of block Restore.</summary>
internal readonly record struct RestoredAttribute(
    string Name, FlowAttributes Attributes, string Help);

/// <summary>
/// Names of block Restore: what can be kept from the kernel though the peer tells it.
/// </summary>
internal static class RestoredAttributes
{
    internal static readonly RestoredAttribute[] All =
    [
        new("Mark", FlowAttributes.Mark, "The connection mark."),
        new("Labels", FlowAttributes.Labels,
            "Connection labels. Kernels with modules of third parties have crashed on them."),
        new("Helper", FlowAttributes.Helper,
            "The name of the helper that follows the flow. Without it no expectation can be "
                + "written for the flow."),
        new("Master", FlowAttributes.Master | FlowAttributes.MasterL4Keys,
            "That the flow was expected by another one. Off: it is written as a flow of its own, "
                + "and need not wait for the other one."),
        new("SequenceAdjustment", FlowAttributes.SequenceAdjust,
            "By how much a helper has shifted the sequence numbers."),
        new("Synproxy", FlowAttributes.Synproxy, "What SYNPROXY knows of the connection."),
        new("Timeout", FlowAttributes.Timeout,
            "The time to live that the other node told. Off: a new entry gets 'CommitTimeout' or "
                + "60 seconds, one that is updated keeps its own."),
    ];
}
