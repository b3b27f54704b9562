using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>
/// Who caused an event: somebody else (packets, timers, tools), or one of our writers.
/// </summary>
internal enum EventOrigin : byte
{
    Other = 0,
    Commit,
    Inject,
    Flush,
}

/// <summary>Takes what the kernel reports about its table.</summary>
/// <remarks>
/// This room speaks ctnetlink over sockets: <see cref="EventSource"/> listens, TableReader dumps,
/// TableWriter changes. It knows Netlink, Conntrack and Linux and decides nothing: no cache, no
/// filter. The flows handed over are reused; what is to be kept is copied before the call returns.
/// No call may read from the object that makes it.
/// </remarks>
internal interface IKernelSink
{
    /// <summary>
    /// A flow was created, changed or destroyed. An update carries only what changed; a mark absent
    /// from an event is 0 now.
    /// </summary>
    void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin);

    /// <summary>
    /// A hint that <see cref="OnEvent"/> or <see cref="OnDumpRecord"/> will be called for this flow
    /// a few calls later.
    /// </summary>
    void Expect(in Flow flow)
    {
    }

    /// <summary>
    /// Events were lost. Everything queued before has been handed over and the kernel queues again,
    /// so that a dump started now misses nothing.
    /// </summary>
    void OnOverrun();

    /// <summary>A flow of a dump; may appear twice, may be older than the last event.</summary>
    void OnDumpRecord(ref Flow flow);

    /// <summary>
    /// The dump is over. Eintr: it was inconsistent; Ebusy: another one runs; Etimedout or another
    /// error: it is incomplete.
    /// </summary>
    void OnDumpEnd(Errno error);
}
