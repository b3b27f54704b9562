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
                return DumpInternal(request == ControlRequest.DumpInternalXml);
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
                return Resync(session);
            case ControlRequest.SendBulk or ControlRequest.RequestResync:
                return Repeat(request);
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
            : CommandReply.Dump(new CacheDump(
                table, xml, node.StartedMicroseconds, table == node.External && node.IsAlarm
                    ? node.Options.Sync!.CacheTimeoutSeconds : 0));

    // Without an internal cache the kernel's table is listed, with what only it knows.
    private CommandReply DumpInternal(bool xml) =>
        node.IsBypassing
            ? CommandReply.Dump(new KernelDump(node.Options.Filter, xml))
            : Dump(node.Internal, xml);

    private CommandReply Resync(ControlSession session)
    {
        if (node.IsBypassing)
        {
            log.Warning("resync is unsupported in this mode");
            return CommandReply.Done;
        }
        node.Kernel.Want(KernelSide.Purpose.Resync, session);
        return CommandReply.Held;
    }

    // Success in ALARM too, where there is nothing to do: scripts of failover software ask for it.
    private CommandReply Repeat(ControlRequest request)
    {
        bool bulk = request == ControlRequest.SendBulk;
        if (node.IsAlarm)
        {
            uint seconds = node.Options.Sync!.RefreshSeconds;
            log.Notice((bulk ? "no bulk update" : "no resync request") +
                $" in mode ALARM: every flow is repeated within {seconds} s");
            return CommandReply.Done;
        }
        log.Notice(bulk ? "sending bulk update" : "resync requested");
        if (bulk) { node.Engine.RequestBulk(); }
        else { node.Engine.RequestResync(); }
        return CommandReply.Done;
    }

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
        if (outer) { node.Engine.FlushExternal(); }
        if (!inner) { return CommandReply.Done; }
        if (node.IsBypassing)
        {
            // What stands for the internal cache here is the kernel's table (sync.md 12).
            node.Kernel.Want(KernelSide.Purpose.Flush, session);
            return CommandReply.Held;
        }
        node.Engine.FlushInternal();
        return CommandReply.Done;
    }
}
