using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>Brings the rooms' counters to the reports.</summary>
internal sealed class Status(Node node)
{
    /// <summary>Appends a statistics topic; nothing for what is no topic of sync mode.</summary>
    internal void Append(ControlRequest topic, TextBuffer text)
    {
        switch (topic)
        {
            case ControlRequest.Statistics: AppendOverview(text); break;
            case ControlRequest.StatisticsCache: AppendCaches(text); break;
            case ControlRequest.StatisticsNetwork: AppendNetwork(text); break;
            case ControlRequest.StatisticsLink: AppendLinks(text); break;
            case ControlRequest.StatisticsQueue: AppendQueues(text); break;
            case ControlRequest.StatisticsResendQueue: AppendResendQueue(text); break;
            case ControlRequest.StatisticsExpectations: AppendExpectations(text); break;
            case ControlRequest.StatisticsVrrp: node.Vrrp?.Append(text); break;
            default: break;
        }
    }

    private void AppendOverview(TextBuffer text)
    {
        if (node.IsBypassing) { Reports.AppendBypass(text, BypassReport()); }
        else { Reports.AppendCache(text, "internal"u8, ReportOf(node.Internal)); }
        if (node.External is FlowTable external)
        {
            Reports.AppendCache(text, "external"u8, ReportOf(external));
        }
        else { Reports.AppendInject(text, InjectReport()); }
        Reports.AppendTraffic(text, node.Kernel.TrafficBytes, node.Kernel.TrafficPackets);
        Reports.AppendActiveLink(text, ReportOf(node.Links.Current));
        Reports.AppendMessages(text, node.Engine.Received.Malformed, node.Engine.Counters.Lost);
    }

    private void AppendCaches(TextBuffer text)
    {
        if (node.IsBypassing) { Reports.AppendBypass(text, BypassReport()); }
        else { Reports.AppendCacheDetail(text, "internal"u8, ReportOf(node.Internal)); }
        if (node.External is FlowTable external)
        {
            Reports.AppendCacheDetail(text, "external"u8, ReportOf(external));
        }
        else { Reports.AppendInject(text, InjectReport()); }
    }

    // The blocks of the overview, with the caches of expectations.
    private void AppendExpectations(TextBuffer text)
    {
        if (node.Expectations is not ExpectationTable own) { return; }
        if (node.IsBypassing)
        {
            Reports.AppendBypass(text, new BypassReport(
                own.Counters.Created, own.Counters.Updated, own.Counters.Destroyed));
        }
        else { Reports.AppendCache(text, "internal"u8, ReportOf(own.Counters)); }
        if (node.ExternalExpectations is ExpectationTable external)
        {
            Reports.AppendCache(text, "external"u8, ReportOf(external.Counters));
        }
        else { Reports.AppendInject(text, node.ExpectationInjections!.Report()); }
        Reports.AppendTraffic(text, node.Kernel.TrafficBytes, node.Kernel.TrafficPackets);
        Reports.AppendActiveLink(text, ReportOf(node.Links.Current));
        Reports.AppendMessages(text, node.Engine.Received.Malformed, node.Engine.Counters.Lost);
    }

    private void AppendNetwork(TextBuffer text)
    {
        ReceiveCounters received = node.Engine.Received;
        SyncCounters counters = node.Engine.Counters;
        Reports.AppendNetwork(text, new NetworkReport(
            received.BadVersion, received.BadHeader, received.BadPayload, received.BadType,
            received.Truncated, received.BadSize, SendMalformed: 0,
            counters.Lost, counters.Before));
        Reports.AppendActiveLink(text, ReportOf(node.Links.Current));
        AppendFrames(text);
    }

    private void AppendLinks(TextBuffer text)
    {
        foreach (Links.Link link in node.Links.All) { Reports.AppendLink(text, ReportOf(link)); }
        AppendFrames(text);
    }

    /// <summary>What left the external cache though no peer told its end.</summary>
    internal static RemovalReport RemovalsOf(SyncCounters counters) => new(
        counters.Swept, counters.Outlived, counters.Expired, counters.ExpectationsExpired);

    private void AppendFrames(TextBuffer text)
    {
        if (node.Links.Frames is not FrameCounters frames) { return; }
        long now = Clock.MonotonicMicroseconds() - node.StartedMicroseconds;
        Reports.AppendFrames(text, new FramesReport(
            node.Links.Sealed is not null, node.Links.ActiveKey,
            node.Links.Sealed?.CountProven(now) ?? 0,
            frames[FrameVerdict.Messages], frames[FrameVerdict.Beacon])
        {
            Plain = frames[FrameVerdict.Plain],
            Malformed = frames[FrameVerdict.Malformed],
            Corrupt = frames[FrameVerdict.Corrupt],
            UnknownKey = frames[FrameVerdict.UnknownKey],
            Forged = frames[FrameVerdict.Forged],
            Reflected = frames[FrameVerdict.Reflected],
            Unproven = frames[FrameVerdict.Unproven],
            Replayed = frames[FrameVerdict.Replayed],
            Late = frames[FrameVerdict.Late],
            Crowded = frames[FrameVerdict.Crowded],
        });
    }

    /// <summary>What every mode tells of the kernel and of itself.</summary>
    internal static RuntimeReport RuntimeOf(DaemonLoop loop)
    {
        KernelCounters kernel = loop.KernelCounters;
        ControlCounters control = loop.Server.Counters;
        long uptime = (Clock.MonotonicMicroseconds() - loop.StartedMicroseconds) / 1_000_000;
        return new RuntimeReport(
            uptime, kernel.EventsReceived, kernel.EventsFiltered, kernel.EventsUnknownType,
            kernel.CatchEventFailed, kernel.DumpUnknownType, kernel.Overruns,
            kernel.FlushKernel, kernel.ResyncKernel, (ulong)kernel.BufferBytes)
        {
            ChildFailed = control.ReaderFailed,
            LocalReadFailed = control.LocalReadFailed,
            LocalUnknownRequest = control.LocalUnknownRequest,
        };
    }

    private void AppendQueues(TextBuffer text)
    {
        ResendRing ring = node.Engine.Ring;
        ulong waiting = node.Engine.Queue.Count + (ulong)node.Engine.PassingCount;
        Reports.AppendQueueNodes(text, waiting + (ulong)ring.Count);
        Reports.AppendQueue(text, "txqueue"u8, new QueueReport(waiting, int.MaxValue, 0));
        Reports.AppendQueue(text, "errorq"u8,
            new QueueReport(0, node.Options.Sync!.ErrorQueueLength, 0));
        if (node.IsReliable)
        {
            Reports.AppendQueue(text, "rsqueue"u8, new QueueReport(
                (ulong)ring.Count, (ulong)ring.SizeMax, node.Engine.Counters.GivenUp));
        }
        AppendOwnQueues(text);
    }

    // Those that the original does not have, behind the ones it has.
    private void AppendOwnQueues(TextBuffer text)
    {
        SyncEngine engine = node.Engine;
        Reports.AppendQueue(text, "controlq"u8, new QueueReport(
            (ulong)engine.ControlCount, SyncEngine.ControlsMax, engine.Counters.ControlDropped));
        if (node.IsBypassing)
        {
            Reports.AppendQueue(text, "passingq"u8, new QueueReport(
                (ulong)engine.PassingBytes, MessageBuffer.BytesMax,
                engine.Counters.PassedDropped));
        }
        if (node.Links.All.Count > 1)
        {
            Reports.AppendQueue(text, "strandedq"u8, new QueueReport(
                (ulong)node.Links.StrandedCount, Links.StrandedMax, node.Links.StrandedDropped));
        }
        if (node.Options.Sync!.RedundantLinks)
        {
            Reports.AppendQueue(text, "copyq"u8, new QueueReport(
                (ulong)node.Links.HeldCount, CopyFilter.HeldMax, node.Links.HeldInVain));
        }
        if (node.Injections is FlowWriter writer)
        {
            Reports.AppendQueue(text, "relatedq"u8, new QueueReport(
                (ulong)writer.WaitingCount, FlowWriter.WaitingMax, writer.WaitingDropped));
        }
        if (node.ExpectationInjections is ExpectationWriter expectations)
        {
            Reports.AppendQueue(text, "expectq"u8, new QueueReport(
                (ulong)expectations.WaitingCount, ExpectationWriter.WaitingMax,
                expectations.WaitingDropped));
        }
    }

    private void AppendResendQueue(TextBuffer text)
    {
        if (!node.IsReliable) { return; }
        ResendRing ring = node.Engine.Ring;
        Reports.AppendResendQueue(text, (ulong)ring.Count);
        for (uint at = ring.Oldest; at != ring.Next; at++)
        {
            ref ResendRing.Entry entry = ref ring.At(at);
            switch (entry.Kind)
            {
                case SentKind.None: break;
                case SentKind.Flow or SentKind.Expectation:
                    Reports.AppendResendFlow(text, at);
                    break;
                default: Reports.AppendResendControl(text, at, entry.Flags); break;
            }
        }
    }

    /// <summary>The counters of a cache.</summary>
    internal static CacheReport ReportOf(FlowTable table) => ReportOf(table.Counters);

    private static CacheReport ReportOf(CacheCounters counters) => new(
        counters.Active, counters.Objects, counters.Created, counters.CreateFailedMemory,
        counters.CreateFailedSpace, counters.Updated, counters.UpdateNotFound,
        counters.Destroyed, counters.DestroyNotFound);

    private BypassReport BypassReport()
    {
        SyncCounters counters = node.Engine.Counters;
        return new BypassReport(
            counters.PassedNew, counters.PassedUpdate, counters.PassedDestroy);
    }

    private InjectReport InjectReport()
    {
        FlowWriter writer = node.Injections!;
        return new InjectReport(
            writer.Created, writer.CreateFailed, writer.Updated, writer.UpdateFailed,
            writer.Destroyed, writer.DestroyFailed);
    }

    private LinkReport ReportOf(Links.Link link)
    {
        ChannelCounters counters = link.Counters;
        NetworkInterface state = node.Links.StateOf(link);
        LinkStatus status = !state.IsUp ? LinkStatus.Down
            : state.IsRunning ? LinkStatus.Running : LinkStatus.NoCarrier;
        LinkKind kind = link.Options.Kind switch
        {
            Config.LinkKind.Multicast => LinkKind.Multicast,
            Config.LinkKind.Tcp => LinkKind.Tcp,
            _ => LinkKind.Udp,
        };
        return new LinkReport(
            kind,
            link.Options.InterfaceName, status, node.Links.IsSentOn(link),
            counters.BytesSent, counters.BytesReceived, counters.PacketsSent,
            counters.PacketsReceived, counters.ErrorsSent, counters.ErrorsReceived,
            link.Channel is { IsServerConnected: true },
            link.Channel is { IsClientConnected: true },
            node.Options.Sync!.RedundantLinks ? counters.Duplicates : null);
    }
}
