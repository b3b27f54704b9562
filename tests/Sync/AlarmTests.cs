using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class AlarmTests
{
    private const uint Refresh = 5, CacheTimeout = 20;

    private static readonly SyncSettings s_settings =
        new(SyncMode.Alarm, 1000, 10, true, false, EngineDesk.FirstSequence)
        {
            RefreshSeconds = Refresh,
            CacheTimeoutSeconds = CacheTimeout,
        };

    [Fact]
    public void A_node_without_flows_is_silent_and_sleeps()
    {
        using var desk = new EngineDesk(s_settings);
        Assert.Empty(desk.Pass(10 * SyncEngine.Second));
        Assert.Equal(long.MaxValue, desk.Engine.NextDeadline(desk.Now));
    }

    [Fact]
    public void A_flow_is_repeated_as_new_until_it_changes_and_ends_with_one_message()
    {
        using var desk = new EngineDesk(s_settings);
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref flow, true, desk.Now);
        List<EngineDesk.Sent> first = desk.Pass(30 * SyncEngine.Second);
        Assert.InRange(first.Count, 30 / ((int)Refresh + 1), 31);
        Assert.All(first, sent => Assert.Equal(SyncType.FlowNew, sent.Type));
        Assert.Equal(
            Enumerable.Range((int)EngineDesk.FirstSequence, first.Count).Select(s => (uint)s),
            first.Select(sent => sent.Sequence));

        desk.Engine.OnEvent(FlowEventKind.Update, ref flow, true, desk.Now);
        Assert.All(
            desk.Pass(10 * SyncEngine.Second),
            sent => Assert.Equal(SyncType.FlowUpdate, sent.Type));

        desk.Engine.OnEvent(FlowEventKind.Destroy, ref flow, true, desk.Now);
        Assert.Equal(
            SyncType.FlowDestroy, Assert.Single(desk.Pass(10 * SyncEngine.Second)).Type);
    }

    [Fact]
    public void Every_flow_of_many_is_repeated_between_one_and_refresh_plus_one_seconds()
    {
        const int Flows = 3000;
        using var desk = new EngineDesk(s_settings);
        for (int i = 0; i < Flows; i++)
        {
            // As the first read of the kernel's table: nobody is told at once.
            Flow flow = FlowTableTests.MakeFlow(i, 0);
            desk.Engine.OnEvent(FlowEventKind.New, ref flow, false, desk.Now);
        }
        Assert.Empty(desk.Pass(SyncEngine.Second * 9 / 10));
        var perSecond = new List<int>();
        for (int second = 1; second <= Refresh + 1; second++)
        {
            perSecond.Add(desk.Pass(SyncEngine.Second).Count);
        }
        Assert.InRange(perSecond.Sum(), Flows, 2 * Flows);
        // Spread over time, no bursts: a fifth of the flows a second, and some.
        Assert.InRange(perSecond.Max(), 1, Flows / 2);
    }

    [Fact]
    public void A_flow_that_changes_all_the_time_is_not_repeated_besides()
    {
        using var desk = new EngineDesk(s_settings);
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        for (int i = 0; i < 100; i++)
        {
            desk.Engine.OnEvent(FlowEventKind.Update, ref flow, true, desk.Now);
            Assert.Single(desk.Pass(SyncEngine.Second / 2));
        }
        Assert.Equal(0ul, desk.Engine.Counters.Refreshed);
    }

    [Fact]
    public void An_external_flow_expires_a_cache_timeout_after_its_last_message()
    {
        using var desk = new EngineDesk(s_settings);
        Flow one = FlowTableTests.MakeFlow(1, 0);
        Flow two = FlowTableTests.MakeFlow(2, 0);
        desk.HearFlow(SyncType.FlowNew, 100, in one);
        desk.HearFlow(SyncType.FlowNew, 101, in two);
        desk.Pass((CacheTimeout - 1) * SyncEngine.Second);
        desk.HearFlow(SyncType.FlowUpdate, 102, in two);
        desk.Pass(4 * SyncEngine.Second);
        Assert.Equal(0u, desk.External.Find(in one));
        Assert.NotEqual(0u, desk.External.Find(in two));
        desk.Pass((CacheTimeout - 4) * SyncEngine.Second);
        Assert.Equal(1u, desk.External.Count);
        desk.Pass(4 * SyncEngine.Second);
        Assert.Equal(0u, desk.External.Count);
        Assert.Equal(2ul, desk.Engine.Counters.Expired);
        Assert.Equal(long.MaxValue, desk.Engine.NextDeadline(desk.Now));
    }

    [Fact]
    public void Messages_with_flags_are_numbered_but_passed_over()
    {
        using var desk = new EngineDesk(s_settings);
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.HearFlow(SyncType.FlowNew, 100, in flow, SyncFlags.Hello);
        desk.Hear(SyncFlags.Alive | SyncFlags.Hello, 101);
        desk.Hear(SyncFlags.Resync, 102);
        Assert.Equal(0u, desk.External.Count);
        Assert.Equal(0ul, desk.Engine.Received.Malformed);
        desk.HearFlow(SyncType.FlowNew, 103, in flow);
        Assert.Equal(1u, desk.External.Count);
        Assert.Equal((0ul, 0ul), (desk.Engine.Counters.Lost, desk.Engine.Counters.Before));
        Assert.Empty(desk.Pass(3 * SyncEngine.Second));
    }

    [Fact]
    public void A_message_of_no_known_type_counts_as_such()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Hear(SyncFlags.None, 100);
        Assert.Equal(1ul, desk.Engine.Received.BadType);
    }

    /// <summary>Defect 9: the original never looks at the numbers in this mode.</summary>
    [Fact]
    [Trait("Defect", "9")]
    public void Lost_and_late_messages_are_counted()
    {
        using var desk = new EngineDesk(s_settings);
        Flow flow = FlowTableTests.MakeFlow(1, 0);
        desk.HearFlow(SyncType.FlowNew, 100, in flow);
        desk.HearFlow(SyncType.FlowNew, 104, in flow);
        desk.HearFlow(SyncType.FlowNew, 103, in flow);
        desk.HearFlow(SyncType.FlowNew, 105, in flow);
        Assert.Equal((3ul, 1ul), (desk.Engine.Counters.Lost, desk.Engine.Counters.Before));
    }

    [Fact]
    public void Bulk_and_request_do_nothing()
    {
        using var desk = new EngineDesk(s_settings);
        desk.Engine.RequestBulk();
        desk.Engine.RequestResync();
        Assert.Empty(desk.Pass(3 * SyncEngine.Second));
    }
}
