using Conntrackd.Conntrack;

namespace Conntrackd.Daemon;

/// <summary>Is told what a commit has put into the kernel, instead of hearing the event.</summary>
internal interface ICommittedSink
{
    /// <summary>
    /// The kernel has created this flow. It may be changed here: it is not used any more.
    /// </summary>
    void OnCommitted(ref Flow flow, uint timeoutSeconds);
}
