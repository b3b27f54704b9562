using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>The bound of the caches (HashLimit), and flushes that take several turns.</summary>
public sealed class FullTableTests
{
    [Fact]
    public void What_a_full_cache_refuses_is_counted()
    {
        using var table = new FlowTable(32, 1);
        using var external = new FlowTable(32, 1);
        var settings = new SyncSettings(SyncMode.NoTrack, 100, 10, true, false, 1);
        var engine = new SyncEngine(settings, table, external, null, SyncEngine.Second);
        for (int key = 0; key < 40; key++) { Tell(engine, FlowEventKind.New, key); }
        Assert.Equal(32u, table.Count);
        Assert.Equal(8ul, table.Counters.CreateFailedSpace);
    }

    [Fact]
    public void A_flush_takes_several_turns_and_spares_what_comes_meanwhile()
    {
        using var desk = new EngineDesk();
        desk.Greet();
        for (int key = 0; key < 6000; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, desk.Now);
            desk.HearFlow(SyncType.FlowNew, desk.PeerNext++, in flow);
        }
        desk.Engine.FlushExternal();
        desk.Engine.FlushInternal();
        Flow late = FlowTableTests.MakeFlow(5999, 1);
        desk.HearFlow(SyncType.FlowUpdate, desk.PeerNext++, in late);
        desk.Engine.OnEvent(FlowEventKind.Update, ref late, announce: true, desk.Now);
        int turns = 1;
        while (desk.Engine.Step()) { turns++; }
        Assert.InRange(turns, 3, 10);
        Assert.False(desk.Engine.IsFlushing);
        Assert.Equal(1u, desk.External.Count);
        Assert.Equal(1u, desk.Internal.Count);
        Assert.Equal(1ul, desk.External.Counters.Active);
    }

    private static void Tell(SyncEngine engine, FlowEventKind kind, int key)
    {
        Flow flow = FlowTableTests.MakeFlow(key, 0);
        engine.OnEvent(kind, ref flow, announce: true, SyncEngine.Second);
    }
}
