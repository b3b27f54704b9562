using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What each request of a client does in sync mode.</summary>
internal sealed class Commands(Node node, Log log) : ICommandHandler
{
    /// <inheritdoc/>
    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        if (node.Vrrp is { } vrrp && vrrp.Absorbs(request))
        {
            log.Notice($"{request}: a VRRP sequence does that already");
            return CommandReply.Done;
        }
        switch (request)
        {
            case ControlRequest.DumpInternal or ControlRequest.DumpInternalXml:
                return DumpInternal(request == ControlRequest.DumpInternalXml);
            case ControlRequest.DumpExternal or ControlRequest.DumpExternalXml:
                return Dump(node.External, request == ControlRequest.DumpExternalXml);
            case ControlRequest.DumpInternalExpectations:
                return Dump(node.Expectations, xml: false);
            case ControlRequest.DumpInternalExpectationsXml:
                return Dump(node.Expectations, xml: true);
            case ControlRequest.DumpExternalExpectations:
                return Dump(node.ExternalExpectations, xml: false);
            case ControlRequest.DumpExternalExpectationsXml:
                return Dump(node.ExternalExpectations, xml: true);
            case ControlRequest.Commit or ControlRequest.CommitFlows
                or ControlRequest.CommitExpectations:
                return Commit(request, session);
            case ControlRequest.FlushCaches:
                return FlushAll(session);
            case ControlRequest.FlushFlowCaches:
                return Flush(session, inner: true, outer: true, "flushing caches");
            case ControlRequest.FlushInternal:
                return Flush(session, inner: true, outer: false, "flushing internal cache");
            case ControlRequest.FlushExternal:
                return Flush(session, inner: false, outer: true, "flushing external cache");
            case ControlRequest.FlushKernel or ControlRequest.FlushKernelFlows
                or ControlRequest.FlushKernelExpectations:
                return FlushKernel(request, session);
            case ControlRequest.Resync or ControlRequest.ResyncFlows
                or ControlRequest.ResyncExpectations:
                return Resync(request, session);
            case ControlRequest.SendBulk or ControlRequest.RequestResync:
                return Repeat(request);
            case ControlRequest.ResetTimers:
                node.SchedulePurge();
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
                table, new FlowLine(ReplyForm.Original, xml, FlowTextSource.Cache),
                node.StartedMicroseconds, ExpirySeconds(table == node.External)));

    // Without an internal cache the kernel's table is listed, with what only it knows.
    private CommandReply DumpInternal(bool xml) =>
        node.IsBypassing
            ? CommandReply.Dump(new KernelDump(
                node.Options.Filter,
                new FlowLine(ReplyForm.Original, xml, FlowTextSource.Kernel)))
            : Dump(node.Internal, xml);

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

    private CommandReply Dump(Cache.ExpectationTable? table, bool xml) =>
        table is null
            ? CommandReply.Done
            : CommandReply.Dump(new ExpectationDump(
                table, xml, node.StartedMicroseconds,
                ExpirySeconds(table == node.ExternalExpectations)));

    // What is not repeated for so long is forgotten, in ALARM; 0 = nothing is.
    private uint ExpirySeconds(bool external) =>
        external && node.IsAlarm ? node.Options.Sync!.CacheTimeoutSeconds : 0;

    private CommandReply Commit(ControlRequest request, ControlSession session)
    {
        bool flows = request != ControlRequest.CommitExpectations;
        bool expectations = request != ControlRequest.CommitFlows;
        if (!flows && node.Expectations is null) { return CommandReply.Done; }
        log.Notice(!flows ? "committing expectation cache"
            : expectations ? "committing all external caches" : "committing conntrack cache");
        node.CancelPurge();
        if (node.External is null) { return CommandReply.Done; }
        var order = new CommitOrder(flows, expectations) { Session = session };
        if (node.TryStartCommit(in order)) { return CommandReply.Held; }
        // As in the original it is not done twice; but the answer comes when it is done.
        log.Notice("commit already in progress, skipping");
        if (node.TryJoinCommit(in order)) { return CommandReply.Held; }
        session.Fail("another commit is in progress");
        return CommandReply.Done;
    }

    // Expectations go before their masters: then the kernel says who asked for it, and the peers
    // are not told, as of the flows.
    private CommandReply FlushKernel(ControlRequest request, ControlSession session)
    {
        bool flows = request != ControlRequest.FlushKernelExpectations;
        bool expectations = request != ControlRequest.FlushKernelFlows;
        if (flows) { log.Notice("flushing kernel conntrack table"); }
        if (expectations && node.Expectations is not null) { node.Kernel.FlushExpectations(); }
        if (!flows) { return CommandReply.Done; }
        node.Kernel.Want(KernelSide.Purpose.Flush, session);
        return CommandReply.Held;
    }

    // The client waits for the last of what it asked for.
    private CommandReply Resync(ControlRequest request, ControlSession session)
    {
        bool flows = request != ControlRequest.ResyncExpectations;
        bool expectations =
            request != ControlRequest.ResyncFlows && node.Expectations is not null;
        if (flows && node.IsBypassing)
        {
            log.Notice("resync is unsupported in this mode");
            flows = false;
        }
        if (flows) { node.Kernel.Want(KernelSide.Purpose.Resync, expectations ? null : session); }
        if (expectations) { node.Kernel.Want(KernelSide.Purpose.ResyncExpectations, session); }
        return flows || expectations ? CommandReply.Held : CommandReply.Done;
    }

    private CommandReply FlushAll(ControlSession session)
    {
        bool refused = node.IsCommitting;
        CommandReply reply = Flush(session, inner: true, outer: true, "flushing caches");
        if (refused) { return reply; }
        node.Engine.FlushInternalExpectations();
        node.Engine.FlushExternalExpectations();
        return reply;
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
        if (inner && node.IsBypassing)
        {
            // What stands for the internal cache here is the kernel's table (sync.md 12).
            node.Kernel.Want(KernelSide.Purpose.Flush, session);
            return CommandReply.Held;
        }
        if (inner) { node.Engine.FlushInternal(); }
        node.WhenFlushed(session);
        return CommandReply.Held;
    }
}
