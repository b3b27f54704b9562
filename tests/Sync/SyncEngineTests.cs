using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class SyncEngineTests
{
    [Fact]
    public void A_node_alone_says_hello_at_once_and_every_second()
    {
        using var desk = new EngineDesk();
        EngineDesk.Sent first = Assert.Single(desk.Take());
        Assert.Equal(SyncFlags.Alive | SyncFlags.Hello, first.Flags);
        Assert.Equal(EngineDesk.FirstSequence, first.Sequence);
        Assert.Equal(3, desk.Pass(3 * SyncEngine.Second).Count);
    }

    [Fact]
    public void A_hello_is_answered_at_once_and_ours_ends_with_the_peers_answer()
    {
        using var desk = new EngineDesk();
        desk.Take();
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 99);
        desk.Now += 1000;
        EngineDesk.Sent answer = Assert.Single(desk.Take());
        Assert.Equal(SyncFlags.Ack | SyncFlags.Hello | SyncFlags.HelloBack, answer.Flags);
        Assert.Equal((99u, 99u), (answer.From, answer.To));
        desk.Hear(SyncFlags.Ack | SyncFlags.HelloBack, 100, answer.Sequence, answer.Sequence);
        Assert.All(desk.Pass(2 * SyncEngine.Second),
            sent => Assert.Equal(SyncFlags.None, sent.Flags & SyncFlags.Hello));
    }

    [Fact]
    public void A_flood_of_hellos_is_answered_once_a_millisecond_at_most()
    {
        using var desk = new EngineDesk();
        desk.Take();
        int sent = 0;
        for (uint i = 0; i < 10_000; i++)
        {
            desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 100 + i);
            desk.Now += 100;
            sent += desk.Take().Count;
        }
        Assert.InRange(sent, 5, 1001);
    }

    [Fact]
    [Trait("Defect", "6")]
    public void A_gap_is_acknowledged_up_to_and_asked_for()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        desk.HearFlow(SyncType.FlowNew, 102, FlowTableTests.MakeFlow(1, 0));
        desk.HearFlow(SyncType.FlowNew, 105, FlowTableTests.MakeFlow(2, 0));
        desk.Now += 2000;
        var sent = desk.Take();
        EngineDesk.Sent nack = Assert.Single(sent, m => (m.Flags & SyncFlags.Nack) != 0);
        Assert.Equal((103u, 104u), (nack.From, nack.To));
        Assert.Contains(sent, m => (m.Flags & SyncFlags.Ack) != 0 && m.To == 102);
        Assert.Equal(2ul, desk.Engine.Counters.Lost);
        Assert.Equal(2u, desk.External.Count);
    }

    /// <remarks>In the original the count down to an acknowledgement wraps.</remarks>
    [Fact]
    [Trait("Defect", "7")]
    public void With_a_window_of_one_every_flow_is_acknowledged_even_after_a_gap()
    {
        using var desk = new EngineDesk(ackWindow: 1);
        desk.Greet();
        for (uint sequence = 105; sequence < 110; sequence++)
        {
            Flow flow = FlowTableTests.MakeFlow((int)sequence, 0);
            desk.HearFlow(SyncType.FlowNew, sequence, in flow);
            desk.Now += 5000;          // longer than what a NACK holds back
            Assert.Contains(
                desk.Take(), m => (m.Flags & SyncFlags.Ack) != 0 && m.To == sequence);
        }
    }

    /// <remarks>A stale HELLO makes the peer of the original forget what it waits for.</remarks>
    [Fact]
    [Trait("Defect", "8")]
    public void A_control_message_that_is_said_again_greets_only_if_that_is_due_now()
    {
        using var desk = new EngineDesk();
        desk.Take();
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 99);
        desk.Now += 1000;
        EngineDesk.Sent answer = Assert.Single(desk.Take());
        Assert.Equal(SyncFlags.Ack | SyncFlags.Hello | SyncFlags.HelloBack, answer.Flags);
        desk.Hear(SyncFlags.Nack | SyncFlags.HelloBack, 100, answer.Sequence, answer.Sequence);
        var again = desk.Pass(SyncEngine.Second / 5);
        Assert.Contains(again, m => (m.Flags & SyncFlags.Ack) != 0);
        Assert.All(again, m => Assert.Equal(
            SyncFlags.None, m.Flags & (SyncFlags.Hello | SyncFlags.HelloBack)));
    }

    [Fact]
    public void A_message_that_comes_late_changes_nothing()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 5);
        desk.HearFlow(SyncType.FlowNew, 103, in flow);
        flow.Mark = 4;
        desk.HearFlow(SyncType.FlowUpdate, 102, in flow);
        Assert.Equal(1ul, desk.Engine.Counters.Before);
        Flow held = default;
        desk.External.Load(desk.External.Find(in flow), ref held);
        Assert.Equal(5u, held.Mark);
    }

    [Fact]
    public void A_lost_flow_is_sent_again_in_its_latest_state_with_a_new_number()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 5);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        EngineDesk.Sent first = Assert.Single(desk.Take());
        Assert.Equal(SyncType.FlowNew, first.Type);
        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, announce: true, desk.Now);
        EngineDesk.Sent second = Assert.Single(desk.Take());
        Assert.Equal(SyncType.FlowDestroy, second.Type);
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, first.Sequence, second.Sequence);
        EngineDesk.Sent again = Assert.Single(desk.Take(), m => m.Type != SyncType.Control);
        Assert.Equal(SyncType.FlowDestroy, again.Type);
        Assert.True(again.Sequence > second.Sequence);
        Assert.Equal(1u, desk.Internal.Count);
        desk.Acknowledge();
        Assert.Equal(0u, desk.Internal.Count);
    }

    [Fact]
    public void Five_changes_before_the_turn_are_one_message()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        for (byte state = 1; state < 5; state++)
        {
            flow.ProtocolState = state;
            desk.Engine.OnEvent(FlowEventKind.Update, ref flow, announce: true, desk.Now);
        }
        Assert.Equal(SyncType.FlowUpdate, Assert.Single(desk.Take()).Type);
    }

    [Fact]
    public void Acknowledgements_of_what_was_never_sent_are_counted_and_do_nothing()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        desk.Take();
        int waiting = desk.Engine.Ring.Count;
        uint next = desk.Engine.Ring.Next;
        desk.Hear(SyncFlags.Ack, desk.PeerNext++, next - 1, next + 100_000);
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, next, uint.MaxValue / 2);
        desk.Hear(SyncFlags.Ack, desk.PeerNext++, next + 70_000, next + 70_000);
        // From behind the last number all around the circle to before the first.
        desk.Hear(SyncFlags.Ack, desk.PeerNext++, next + 0x4000_0000, next + 0xA000_0000);
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, next + 0x7FFF_0000, next + 0xC000_0000);
        Assert.Equal(5ul, desk.Engine.Counters.StrangeAcks);
        Assert.Equal(waiting, desk.Engine.Ring.Count);
        desk.Hear(SyncFlags.Ack, desk.PeerNext, next, next - 5);
        Assert.Equal(1ul, desk.Engine.Received.BadHeader);
    }

    [Fact]
    public void No_more_is_in_flight_than_the_window_and_an_acknowledgement_frees_it()
    {
        using var desk = new EngineDesk(resendQueue: 100_000);
        desk.Greet();
        for (int key = 0; key < 5000; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        }
        int first = desk.Take().Count;
        Assert.InRange(first, 512, 2048);
        Assert.Empty(desk.Take());
        desk.Acknowledge();
        Assert.InRange(desk.Take().Count, first, 2 * first + 10);
        Assert.Equal(1ul, desk.Engine.Counters.WindowStalls - 1);
    }

    [Fact]
    public void What_waits_never_exceeds_the_resend_queue_even_with_nobody_listening()
    {
        using var desk = new EngineDesk(resendQueue: 64);
        desk.Greet();
        desk.Pass(10 * SyncEngine.Second);
        for (int key = 0; key < 3000; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
            desk.Take();
            Assert.True(desk.Engine.Ring.Count <= 64);
        }
        // Heard again, without a new start: what was given up is made good by a bulk.
        desk.Hear(SyncFlags.Alive, desk.PeerNext++);
        int sent = 0;
        for (int turn = 0; turn < 200; turn++)
        {
            sent += desk.Take().Count(m => m.Type <= SyncType.FlowUpdate);
            desk.Acknowledge();
        }
        Assert.True(sent >= 3000, $"only {sent} flows came again");
    }

    [Fact]
    public void A_peer_that_starts_anew_is_told_everything()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        for (int key = 0; key < 40; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        }
        desk.Take();
        desk.Acknowledge();
        var reborn = EngineDesk.Peer with { Port = 50000 };
        Span<byte> hello = stackalloc byte[8];
        ControlMessage.WriteAlive(hello, SyncFlags.Alive | SyncFlags.Hello, 7, default);
        desk.Engine.OnDatagram(in reborn, hello, desk.Now);
        desk.Now += 200_000;
        Assert.DoesNotContain(desk.Take(), m => m.Type <= SyncType.FlowUpdate);
        ControlMessage.WriteAlive(hello, SyncFlags.Alive, 8, default);
        desk.Engine.OnDatagram(in reborn, hello, desk.Now);
        Assert.Equal(40, desk.Take().Count(m => m.Type <= SyncType.FlowUpdate));
        Assert.Equal(1ul, desk.Engine.Counters.PeerRestarts);
    }

    [Fact]
    public void Ten_strangers_are_eight_peers_and_a_counter()
    {
        using var desk = new EngineDesk();
        Span<byte> alive = stackalloc byte[8];
        ControlMessage.WriteAlive(alive, SyncFlags.Alive, 1, default);
        for (uint i = 0; i < 10; i++)
        {
            var from = new PeerAddress(AddressFamily.Ipv4, new Address(0, 0x0A00_0000 + i), 1);
            desk.Engine.OnDatagram(in from, alive, desk.Now);
        }
        Assert.Equal(2ul, desk.Engine.Counters.TooManyPeers);
    }

    [Fact]
    public void A_dump_record_older_than_a_destroy_does_not_bring_the_flow_back()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        desk.Engine.BeginDump(announce: true, announceSweep: true);
        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, announce: true, desk.Now);
        desk.Take();
        desk.Acknowledge();
        desk.Engine.OnDumpRecord(ref flow, desk.Now);
        desk.Engine.OnDumpEnd(complete: true);
        while (desk.Engine.Step()) { }
        Assert.Equal(0u, desk.Internal.Count);
    }

    [Fact]
    public void A_reconciliation_tells_only_the_differences()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        for (int key = 0; key < 10; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        }
        desk.Take();
        desk.Acknowledge();
        desk.Engine.BeginDump(announce: true, announceSweep: true);
        for (int key = 1; key < 11; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, key == 5 ? 9u : 0);
            flow.TimeoutSeconds = 17;
            desk.Engine.OnDumpRecord(ref flow, desk.Now);
        }
        desk.Engine.OnDumpEnd(complete: true);
        while (desk.Engine.Step()) { }
        var types = desk.Take().Select(m => m.Type).Where(t => t != SyncType.Control).Order();
        Assert.Equal(
            [SyncType.FlowNew, SyncType.FlowUpdate, SyncType.FlowDestroy], types.ToArray());
    }
}
