using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class BypassTests
{
    private static readonly SyncSettings s_settings =
        new(SyncMode.NoTrack, 1000, 10, true, true, EngineDesk.FirstSequence) { Bypass = true };

    /// <summary>Defect 12: with the original this takes up to a second.</summary>
    [Fact]
    [Trait("Defect", "12")]
    public void Events_leave_at_once_in_their_order_and_nothing_is_kept()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, true, desk.Now);
        desk.Engine.OnEvent(FlowEventKind.Update, ref flow, true, desk.Now);
        desk.Engine.OnEvent(FlowEventKind.Update, ref flow, true, desk.Now);
        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, true, desk.Now);
        List<EngineDesk.Sent> sent = desk.Take();
        Assert.Equal(
            [SyncType.FlowNew, SyncType.FlowUpdate, SyncType.FlowUpdate, SyncType.FlowDestroy],
            sent.Select(message => message.Type));
        Assert.Equal([5001u, 5002u, 5003u, 5004u], sent.Select(message => message.Sequence));
        Assert.Equal(0u, desk.Internal.Count);
        SyncCounters counters = desk.Engine.Counters;
        Assert.Equal((1ul, 2ul, 1ul),
            (counters.PassedNew, counters.PassedUpdate, counters.PassedDestroy));
    }

    [Fact]
    public void What_this_daemon_did_itself_is_not_sent()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, false, desk.Now);
        Assert.Empty(desk.Take());
        Assert.Equal(0ul, desk.Engine.Counters.PassedNew);
    }

    /// <summary>Defect 14: the original crashes on the window scale that is not there.</summary>
    [Fact]
    [Trait("Defect", "14")]
    public void The_end_of_a_tcp_flow_without_window_scale_is_sent_with_window_tracking()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        flow.Protocol = L4Protocol.Tcp;
        flow.Present = (flow.Present | FlowAttributes.ProtocolState) & ~FlowAttributes.TcpWscale;
        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, true, desk.Now);
        Assert.Equal(SyncType.FlowDestroy, Assert.Single(desk.Take()).Type);
    }

    [Fact]
    public void A_request_of_the_peer_asks_for_one_read_of_the_kernels_table_at_a_time()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        Assert.False(desk.Engine.TryBeginKernelBulk());
        desk.Hear(SyncFlags.Resync, 100);
        Assert.True(desk.Engine.TryBeginKernelBulk());
        desk.Hear(SyncFlags.Resync, 101);
        Assert.False(desk.Engine.TryBeginKernelBulk());
        desk.Engine.EndKernelBulk();
        Assert.True(desk.Engine.TryBeginKernelBulk());
    }

    [Fact]
    public void A_bulk_sends_what_is_read_as_new_and_at_a_pace()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        desk.Engine.RequestBulk();
        Assert.True(desk.Engine.TryBeginKernelBulk());
        int parts = 0;
        int sent = 0;
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        for (int turn = 0; turn < 1000; turn++)
        {
            while (desk.Engine.TryTakePart(desk.Now))
            {
                parts++;
                for (int i = 0; i < 100; i++) { desk.Engine.OnKernelBulkRecord(in flow); }
            }
            List<EngineDesk.Sent> messages = desk.Take();
            sent += messages.Count(message => message.Type == SyncType.FlowNew);
            Assert.InRange(desk.Engine.NextDeadline(desk.Now) - desk.Now, 1, 2000);
            desk.Now += 100;
        }
        // A tenth of a second at a part of ten datagrams each 1.25 ms.
        Assert.InRange(parts, 70, 90);
        Assert.Equal(100 * parts, sent);
        Assert.Equal(0ul, desk.Engine.Counters.PassedDropped);
    }

    [Fact]
    public void A_link_that_stands_still_costs_messages_and_no_memory_without_end()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Take();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        int events = 2 * MessageBuffer.BytesMax / 50;
        for (int i = 0; i < events; i++)
        {
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, true, desk.Now);
        }
        ulong dropped = desk.Engine.Counters.PassedDropped;
        Assert.NotEqual(0ul, dropped);
        Assert.Equal(events, desk.Take().Count + (int)dropped);
    }
}
