using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class NoTrackTests
{
    [Fact]
    public void Alive_goes_out_every_second_without_hello()
    {
        using var desk = new EngineDesk(SyncMode.NoTrack);
        Assert.Single(desk.Take());
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 100);
        var sent = desk.Pass(5 * SyncEngine.Second);
        Assert.InRange(sent.Count, 4, 5);
        Assert.All(sent, message => Assert.Equal(SyncFlags.Alive, message.Flags));
    }

    [Fact]
    public void A_flow_is_sent_once_and_freed_with_its_end()
    {
        using var desk = new EngineDesk(SyncMode.NoTrack);
        desk.Take();
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, true, desk.Now);
        Assert.Equal(SyncType.FlowNew, Assert.Single(desk.Take()).Type);
        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, true, desk.Now);
        Assert.Equal(SyncType.FlowDestroy, Assert.Single(desk.Take()).Type);
        Assert.Equal(0u, desk.Internal.Count);
        Assert.Equal(0, desk.Engine.Ring.Count);
    }

    [Fact]
    public void Nothing_is_dropped_for_its_number_which_only_counts()
    {
        using var desk = new EngineDesk(SyncMode.NoTrack);
        desk.HearFlow(SyncType.FlowNew, 100, FlowTableTests.MakeFlow(1, 0));
        desk.HearFlow(SyncType.FlowNew, 104, FlowTableTests.MakeFlow(2, 0), SyncFlags.Hello);
        desk.HearFlow(SyncType.FlowNew, 102, FlowTableTests.MakeFlow(3, 0));
        desk.HearFlow(SyncType.FlowNew, 105, FlowTableTests.MakeFlow(4, 0));
        Assert.Equal(4u, desk.External.Count);
        Assert.Equal((3ul, 1ul), (desk.Engine.Counters.Lost, desk.Engine.Counters.Before));
    }

    [Fact]
    public void A_late_word_from_a_former_port_does_not_silence_the_port_that_is_used()
    {
        using var desk = new EngineDesk(SyncMode.NoTrack);
        desk.HearFlow(SyncType.FlowNew, 100, FlowTableTests.MakeFlow(1, 0));
        Span<byte> alive = stackalloc byte[8];
        ControlMessage.WriteAlive(alive, SyncFlags.Alive, 90, default);
        PeerAddress former = EngineDesk.Peer with { Port = 41000 };
        desk.Engine.OnDatagram(in former, alive, desk.Now);
        desk.HearFlow(SyncType.FlowNew, 101, FlowTableTests.MakeFlow(2, 0));
        Assert.Equal(2u, desk.External.Count);
    }

    [Fact]
    public void Acknowledgements_are_refused_as_bad_headers()
    {
        using var desk = new EngineDesk(SyncMode.NoTrack);
        desk.Hear(SyncFlags.Ack, 100, 1, 2);
        desk.Hear(SyncFlags.Nack, 101, 1, 2);
        Assert.Equal(2ul, desk.Engine.Received.BadHeader);
    }

    [Fact]
    public void A_bulk_on_request_sends_every_flow_once_and_no_faster_than_a_peer_takes_it()
    {
        const int Flows = 9000;
        using var desk = new EngineDesk(SyncMode.NoTrack);
        for (int i = 0; i < Flows; i++)
        {
            Flow flow = FlowTableTests.MakeFlow(i, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, false, desk.Now);
        }
        desk.Take();
        desk.Hear(SyncFlags.Resync, 100);
        int first = desk.Take().Count;
        Assert.InRange(first, 64, 64 * 25);
        int rest = desk.Pass(SyncEngine.Second / 2).Count(m => m.Type == SyncType.FlowNew);
        Assert.Equal(Flows, first + rest);
        Assert.False(desk.Engine.IsBulkRunning);
    }
}
