using Conntrackd.Conntrack;

namespace Conntrackd.Daemon;

/// <summary>Is told what a commit has put into the kernel, instead of hearing the event.</summary>
internal interface ICommittedSink
{
    /// <summary>A batch of flows is about to be told: events that came before them first.</summary>
    void BeforeCommitted();

    /// <summary>
    /// A hint that <see cref="OnCommitted"/> comes for this flow a few calls later.
    /// </summary>
    void ExpectCommitted(in Flow flow);

    /// <summary>
    /// The kernel has created this flow. It may be changed here: it is not used any more.
    /// </summary>
    void OnCommitted(ref Flow flow, uint timeoutSeconds);
}
