using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What each request of a client does in sync mode.</summary>
internal sealed class Commands(Node node, Log log) : ICommandHandler
{
    /// <inheritdoc/>
    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        switch (request)
        {
            case ControlRequest.DumpInternal or ControlRequest.DumpInternalXml:
                return Dump(node.Internal, request == ControlRequest.DumpInternalXml);
            case ControlRequest.DumpExternal or ControlRequest.DumpExternalXml:
                return Dump(node.External, request == ControlRequest.DumpExternalXml);
            case ControlRequest.Commit or ControlRequest.CommitFlows:
                return Commit(request, session);
            case ControlRequest.FlushCaches or ControlRequest.FlushFlowCaches:
                return Flush(session, inner: true, outer: true, "flushing caches");
            case ControlRequest.FlushInternal:
                return Flush(session, inner: true, outer: false, "flushing internal cache");
            case ControlRequest.FlushExternal:
                return Flush(session, inner: false, outer: true, "flushing external cache");
            case ControlRequest.FlushKernel or ControlRequest.FlushKernelFlows:
                log.Notice("flushing kernel conntrack table");
                node.Kernel.Want(KernelSide.Purpose.Flush, session);
                return CommandReply.Held;
            case ControlRequest.Resync or ControlRequest.ResyncFlows:
                node.Kernel.Want(KernelSide.Purpose.Resync, session);
                return CommandReply.Held;
            case ControlRequest.SendBulk:
                log.Notice("sending bulk update");
                node.Engine.RequestBulk();
                return CommandReply.Done;
            case ControlRequest.RequestResync:
                log.Notice("resync requested");
                node.Engine.RequestResync();
                return CommandReply.Done;
            case ControlRequest.ResetTimers:
                node.SchedulePurge();
                return CommandReply.Done;
            case ControlRequest.Kill:
                node.Stop();
                return CommandReply.Done;
            default:
                // Statistics; and requests about expectations, which do nothing without
                // ExpectationSync: no text, success.
                node.Status.Append(request, session.Text);
                return CommandReply.Done;
        }
    }

    private CommandReply Dump(Cache.FlowTable? table, bool xml) =>
        table is null
            ? CommandReply.Done
            : CommandReply.Dump(new CacheDump(table, xml, node.StartedMicroseconds));

    private CommandReply Commit(ControlRequest request, ControlSession session)
    {
        log.Notice(request == ControlRequest.Commit
            ? "committing all external caches" : "committing conntrack cache");
        node.CancelPurge();
        if (node.External is null) { return CommandReply.Done; }
        if (!node.TryStartCommit(session))
        {
            log.Notice("commit already in progress, skipping");
            session.Fail("a commit is already in progress");
            return CommandReply.Done;
        }
        return CommandReply.Held;
    }

    private CommandReply Flush(ControlSession session, bool inner, bool outer, string notice)
    {
        if (inner) { node.CancelPurge(); }
        if (outer && node.IsCommitting)
        {
            log.Error("ignoring flush command, commit still in progress");
            session.Fail("a commit is in progress, nothing was flushed");
            return CommandReply.Done;
        }
        log.Notice(notice);
        if (inner) { node.Engine.FlushInternal(); }
        if (outer) { node.Engine.FlushExternal(); }
        return CommandReply.Done;
    }
}
