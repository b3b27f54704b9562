using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>Peers that fall silent, count differently, or say half.</summary>
public sealed class SyncEnginePeerTests
{
    // More than the widest window, so that the engine must wait.
    private const int Flows = 9000;

    [Fact]
    public void Ends_of_flows_are_told_to_a_peer_that_stood_still_for_ten_seconds()
    {
        using var desk = new EngineDesk(resendQueue: 100_000);
        desk.Greet();
        Announce(desk, FlowEventKind.New);
        for (int turn = 0; turn < 10; turn++)
        {
            desk.Take();
            desk.Acknowledge();
        }
        Assert.Equal(0, desk.Engine.Ring.Count);
        uint first = desk.Engine.Ring.Next;
        Announce(desk, FlowEventKind.Destroy);
        desk.Take();
        desk.Pass(10 * SyncEngine.Second);
        Assert.Equal((uint)Flows, desk.Internal.Count);

        // It goes on: it saw a gap and asks for what it missed.
        desk.Hear(SyncFlags.Alive, desk.PeerNext++);
        desk.Pass(SyncEngine.Second / 10);
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, first, desk.Engine.Ring.Next - 1);
        int ends = 0;
        for (int turn = 0; turn < 10; turn++)
        {
            ends += desk.Take().Count(m => m.Type == SyncType.FlowDestroy);
            desk.Acknowledge();
        }
        Assert.Equal(Flows, ends);
        Assert.Equal(0ul, desk.Engine.Counters.GivenUp);
    }

    [Fact]
    public void A_wide_acknowledgement_window_is_not_cut_by_an_acknowledgement()
    {
        const int Wide = 10_000;
        using var desk = new EngineDesk(ackWindow: Wide, resendQueue: 100_000);
        desk.Greet();
        Announce(desk, FlowEventKind.New);
        desk.Take();
        desk.Acknowledge();
        Peer peer = Assert.Single(desk.Engine.Peers.ToArray(), p => p is not null)!;
        Assert.True(peer.Window >= 2 * Wide, $"window is {peer.Window}");
    }

    [Fact]
    public void A_flow_that_went_unseen_is_swept_after_any_number_of_broken_dumps()
    {
        for (int broken = 0; broken < 40; broken++)
        {
            using var desk = new EngineDesk();
            Flow flow = FlowTableTests.MakeFlow(1, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: false, desk.Now);
            for (int dump = 0; dump <= broken; dump++)
            {
                desk.Engine.BeginDump(announce: true, announceSweep: false);
                desk.Engine.OnDumpEnd(complete: dump == broken);
                while (desk.Engine.Step()) { }
            }
            Assert.True(desk.Internal.Count == 0, $"still there after {broken} broken dumps");
        }
    }

    [Fact]
    public void An_update_without_translation_ends_the_translation_of_an_earlier_flow()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        flow.Reply.Target = new Address(0, 0x0A62_0001);
        flow.Reply.L4Target = 4242;
        flow.Status = FlowStatus.Confirmed | FlowStatus.SrcNatDone;
        flow.DescribeNat();
        desk.HearFlow(SyncType.FlowNew, desk.PeerNext++, in flow);
        Flow held = default;
        uint handle = desk.External.Find(in flow);
        desk.External.Load(handle, ref held);
        Assert.True(held.Has(FlowAttributes.Snat | FlowAttributes.Spat));

        // Ended, begun anew and changed before the peer's turn: it says only the last.
        Assert.True(flow.Orig.TryInvert(flow.Protocol, out flow.Reply));
        flow.DescribeNat();
        desk.HearFlow(SyncType.FlowUpdate, desk.PeerNext++, in flow);
        desk.External.Load(handle, ref held);
        Assert.False(held.IsTranslated);
    }

    [Fact]
    public void A_peer_that_comes_back_empty_takes_nothing_away_during_a_commit()
    {
        using var desk = EngineDesk.OfOwnKind();
        desk.Greet();
        desk.HearFlow(SyncType.FlowNew, desk.PeerNext++, FlowTableTests.MakeFlow(1, 0));
        Span<byte> mark = stackalloc byte[AliveBody.EndSize];
        desk.HearBody(mark[..AliveBody.WriteBegin(mark, 1)]);
        desk.HearBody(mark[..AliveBody.WriteEnd(mark, 1, 0)]);
        desk.Engine.HoldSweeps = true;
        while (desk.Engine.Step()) { }
        Assert.Equal(1u, desk.External.Count);
        desk.Engine.HoldSweeps = false;
        while (desk.Engine.Step()) { }
        Assert.Equal(0u, desk.External.Count);
    }

    private static void Announce(EngineDesk desk, FlowEventKind kind)
    {
        for (int key = 0; key < Flows; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(kind, ref flow, announce: true, desk.Now);
        }
    }
}
