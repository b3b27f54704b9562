using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What each request of a client does in statistics mode (cli.md, section 2).</summary>
internal sealed class StatsCommands(StatsNode node, Log log) : ICommandHandler
{
    /// <inheritdoc/>
    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        switch (request)
        {
            case ControlRequest.DumpInternal or ControlRequest.DumpInternalXml:
                bool xml = request == ControlRequest.DumpInternalXml;
                var line = new FlowLine(ReplyForm.Original, xml, FlowTextSource.Cache);
                return CommandReply.Dump(
                    new CacheDump(node.Table, line, node.StartedMicroseconds));
            case ControlRequest.FlushKernel or ControlRequest.FlushKernelFlows:
                log.Notice("flushing kernel conntrack table");
                node.Kernel.Want(KernelSide.Purpose.Flush, session);
                return CommandReply.Held;
            case ControlRequest.Resync or ControlRequest.ResyncFlows:
                node.Kernel.Want(KernelSide.Purpose.Resync, session);
                return CommandReply.Held;
            case ControlRequest.FlushCaches or ControlRequest.FlushFlowCaches
                or ControlRequest.FlushInternal:
                // The original does nothing for the first of these, which is what -f sends.
                log.Notice("flushing caches");
                node.Engine.FlushCache();
                return CommandReply.Done;
            default:
                AppendStatistics(request, session);
                return CommandReply.Done;
        }
    }

    // What belongs to peers is accepted, without effect or output, as ever.
    private void AppendStatistics(ControlRequest request, ControlSession session)
    {
        switch (request)
        {
            case ControlRequest.Statistics:
                Reports.AppendCache(session.Text, "stats"u8, Status.ReportOf(node.Table));
                Reports.AppendTraffic(
                    session.Text, node.Kernel.TrafficBytes, node.Kernel.TrafficPackets);
                break;
            case ControlRequest.StatisticsCache:
                Reports.AppendCacheDetail(session.Text, "stats"u8, Status.ReportOf(node.Table));
                break;
            default:
                break;
        }
    }
}
