using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>What only a peer that speaks as the original does: HELLO, ranges, windows.</summary>
public sealed class OriginalPeerTests
{
    [Theory]
    [InlineData(-60_000)]
    [InlineData(-1)]
    [InlineData(3)]
    public void A_new_start_on_the_same_port_is_known_by_its_hello(int ahead)
    {
        using var desk = new EngineDesk();
        desk.PeerNext = 100_000;
        desk.Take();
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello | SyncFlags.HelloBack, desk.PeerNext++);
        desk.Hear(SyncFlags.Alive, desk.PeerNext++);
        desk.Pass(3 * SyncEngine.Second);
        desk.Hear(SyncFlags.Alive, desk.PeerNext++);
        uint first = (uint)(desk.PeerNext - 1 + ahead);
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, first);
        Assert.Equal(1ul, desk.Engine.Counters.PeerRestarts);
        desk.HearFlow(
            SyncType.FlowNew, first + 1, FlowTableTests.MakeFlow(1, 0), SyncFlags.Hello);
        Assert.Equal(1u, desk.External.Count);
    }

    [Fact]
    public void A_hello_that_comes_late_is_no_new_start()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 98);
        Assert.Equal(0ul, desk.Engine.Counters.PeerRestarts);
        Assert.Equal(1ul, desk.Engine.Counters.Before);
    }

    [Fact]
    public void A_connection_made_anew_brings_another_port_and_what_was_lost_is_asked_for()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Span<byte> alive = stackalloc byte[8];
        ControlMessage.WriteAlive(alive, SyncFlags.Alive, desk.PeerNext + 500, default);
        PeerAddress again = EngineDesk.Peer with { Port = 41000 };
        desk.Engine.OnDatagram(in again, alive, desk.Now);
        desk.Now += 5000;
        Assert.Equal(0ul, desk.Engine.Counters.PeerRestarts);
        Assert.Contains(desk.Take(), m => (m.Flags & SyncFlags.Nack) != 0 &&
            m.From == desk.PeerNext && m.To == desk.PeerNext + 499);
    }

    /// <remarks>It may have forgotten what is missing, because another had it.</remarks>
    [Fact]
    public void Among_several_it_is_asked_for_everything_after_a_gap_until_it_has_heard_that()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        desk.Hear(SyncFlags.Alive, desk.PeerNext += 5);
        Assert.Empty(RequestsIn(desk.Pass(9 * SyncEngine.Second)));

        HearAnother(desk, 7000);
        desk.Hear(SyncFlags.Alive, desk.PeerNext += 5);
        EngineDesk.Sent asked = Assert.Single(RequestsIn(desk.Pass(2 * SyncEngine.Second)));
        Assert.Equal(SyncFlags.Hello, asked.Flags & SyncFlags.Hello);
        HearAnother(desk, 7001);
        desk.Hear(SyncFlags.Alive, desk.PeerNext += 1);
        asked = RequestsIn(desk.Pass(4 * SyncEngine.Second))[^1];
        desk.Hear(SyncFlags.Ack, desk.PeerNext += 1, asked.Sequence, asked.Sequence);
        HearAnother(desk, 7002);
        Assert.Empty(RequestsIn(desk.Pass(9 * SyncEngine.Second)));
    }

    private static EngineDesk.Sent[] RequestsIn(List<EngineDesk.Sent> sent) =>
        [.. sent.Where(message => (message.Flags & SyncFlags.Resync) != 0)];

    private static void HearAnother(EngineDesk desk, uint sequence)
    {
        Span<byte> alive = stackalloc byte[SyncHeader.Size];
        ControlMessage.WriteAlive(
            alive, SyncFlags.Alive | SyncFlags.HelloBack, sequence, default);
        PeerAddress another = EngineDesk.Peer with { Address = new Address(0, 0xC0A8_0003) };
        desk.Engine.OnDatagram(in another, alive, desk.Now);
    }

    [Fact]
    public void Of_a_flood_of_gaps_every_missing_number_is_asked_for()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        for (uint gap = 0; gap < 1000; gap++)
        {
            desk.Hear(SyncFlags.Alive, desk.PeerNext + 1 + (2 * gap));
        }
        var asked = new HashSet<uint>();
        foreach (EngineDesk.Sent sent in desk.Pass(SyncEngine.Second / 2))
        {
            if ((sent.Flags & SyncFlags.Nack) == 0) { continue; }
            for (uint at = sent.From; at != sent.To + 1; at++) { asked.Add(at); }
        }
        for (uint gap = 0; gap < 1000; gap++)
        {
            Assert.Contains(desk.PeerNext + (2 * gap), asked);
        }
    }

    [Fact]
    public void A_peer_with_a_wider_window_than_ours_is_made_to_acknowledge_by_a_gap()
    {
        using var desk = new EngineDesk(resendQueue: 100_000);
        desk.Greet();
        for (int key = 0; key < 9000; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        }
        uint last = desk.Take()[^1].Sequence;
        var sent = new List<EngineDesk.Sent>();
        for (int i = 0; i < 8 && sent.Count == 0; i++)
        {
            // It talks all the time, so its own timer never acknowledges.
            desk.Hear(SyncFlags.Alive, desk.PeerNext++);
            sent = desk.Pass(SyncEngine.Second / 10);
        }
        Assert.Equal(last + 2, sent.First(m => m.Type == SyncType.Control).Sequence);
        Assert.Equal(1ul, desk.Engine.Counters.Probes);
        desk.Acknowledge();
        Assert.Contains(desk.Take(), m => m.Type == SyncType.FlowNew);
        Assert.Equal(0ul, desk.Engine.Counters.GivenUp);
    }

    [Fact]
    public void A_peer_that_was_cut_off_is_not_mute_at_its_first_word()
    {
        using var desk = new EngineDesk(resendQueue: 100_000);
        desk.Greet();
        for (int key = 0; key < 9000; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        }
        desk.Take();
        // Longer than a peer may be mute, shorter than until it is dead.
        desk.Pass(9 * SyncEngine.Second / 2);
        desk.Hear(SyncFlags.Alive, desk.PeerNext++);
        desk.Pass(SyncEngine.Second / 10);
        Assert.Equal(0ul, desk.Engine.Counters.GivenUp);
        desk.Acknowledge();
        Assert.Contains(desk.Take(), m => m.Type == SyncType.FlowNew);
    }

    [Fact]
    public void A_peer_that_waits_for_numbers_of_our_run_before_is_met_there()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
        uint next = Assert.Single(desk.Take()).Sequence + 1;
        desk.Hear(SyncFlags.Ack, desk.PeerNext++, next + 100, next + 1000);
        Assert.Equal(next + 1001, Assert.Single(desk.Take()).Sequence);
        Assert.Equal(1ul, desk.Engine.Counters.StrangeAcks);
        // Once a second: a liar gets no flood of repetitions.
        desk.Hear(SyncFlags.Ack, desk.PeerNext++, next + 3000, next + 3000);
        Assert.Empty(desk.Take());
    }

    [Fact]
    public void A_gap_of_another_nodes_numbers_calls_for_no_bulk()
    {
        using var desk = new EngineDesk(resendQueue: 64);
        desk.Greet();
        ulong bulks = desk.Engine.Counters.BulksSent;
        desk.Engine.Peers[0]!.MissedSome = true;
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, 3_000_000_000, 3_000_000_100);
        Assert.False(desk.Engine.Peers[0]!.NeedsBulk);
        Assert.Equal(bulks, desk.Engine.Counters.BulksSent);
    }
}
