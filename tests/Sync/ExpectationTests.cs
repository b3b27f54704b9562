using System.Collections.Generic;
using System.Linq;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class ExpectationTests
{
    private const uint TimeoutSeconds = 20;

    private readonly ExpectationTable _own = new(100);
    private readonly ExpectationTable _external = new(100);

    private static Expectation Of(in Flow master, uint id = 1) => new()
    {
        Family = master.Family,
        Protocol = master.Protocol,
        MaskProtocol = master.Protocol,
        MasterProtocol = master.Protocol,
        Master = master.Orig,
        Tuple = master.Orig with { L4Source = 0, L4Target = 40_000 },
        Mask = new FlowTuple { L4Target = ushort.MaxValue },
        TimeoutSeconds = TimeoutSeconds,
        Id = id,
        Present = ExpectationAttributes.Tuple | ExpectationAttributes.Mask
            | ExpectationAttributes.Master | ExpectationAttributes.Timeout
            | ExpectationAttributes.Id,
    };

    private EngineDesk Desk()
    {
        var desk = new EngineDesk();
        desk.Engine.ReplicateExpectations(_own, _external, null);
        desk.Greet();
        return desk;
    }

    private static void Hear(EngineDesk desk, SyncType type, in Expectation expectation)
    {
        Span<byte> message = stackalloc byte[ExpectationMessage.SizeMax];
        int length = ExpectationMessage.Encode(message, in expectation, type, SyncFlags.None,
            desk.PeerNext++, new FlowMessageOptions(true, false));
        desk.Engine.OnDatagram(in EngineDesk.Peer, message[..length], desk.Now);
    }

    private static List<SyncType> Data(IEnumerable<EngineDesk.Sent> sent) =>
        [.. sent.Select(one => one.Type).Where(type => type != SyncType.Control)];

    [Fact]
    public void A_master_leaves_before_its_expectation_and_without_a_master_none_is_accepted()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        Expectation expectation = Of(in master);
        Assert.False(desk.Engine.OnExpectation(
            FlowEventKind.New, ref expectation, announce: true, desk.Now));
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        Assert.True(desk.Engine.OnExpectation(
            FlowEventKind.New, ref expectation, announce: true, desk.Now));
        Assert.Equal([SyncType.FlowNew, SyncType.ExpectNew], Data(desk.Take()));
    }

    [Fact]
    public void A_lost_one_is_said_again_in_its_latest_state_and_forgotten_when_acknowledged()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        Expectation expectation = Of(in master);
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        desk.Engine.OnExpectation(FlowEventKind.New, ref expectation, announce: true, desk.Now);
        uint sequence = desk.Take().Single(one => one.Type == SyncType.ExpectNew).Sequence;
        desk.Hear(SyncFlags.Nack, desk.PeerNext++, sequence, sequence);
        desk.Engine.OnExpectation(
            FlowEventKind.Destroy, ref expectation, announce: true, desk.Now);
        Assert.Equal([SyncType.ExpectDestroy], Data(desk.Take()));
        Assert.Equal(1u, _own.Count);
        desk.Acknowledge();
        Assert.Equal(0u, _own.Count);
    }

    [Fact]
    public void A_bulk_has_the_expectations_behind_the_flows()
    {
        using EngineDesk desk = Desk();
        for (int i = 0; i < 3; i++)
        {
            Flow master = FlowTableTests.MakeFlow(i, 0);
            Expectation expectation = Of(in master);
            desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: false, desk.Now);
            desk.Engine.OnExpectation(
                FlowEventKind.New, ref expectation, announce: false, desk.Now);
        }
        desk.Take();
        desk.Engine.RequestBulk();
        Assert.Equal(
            [
                SyncType.FlowNew, SyncType.FlowNew, SyncType.FlowNew,
                SyncType.ExpectNew, SyncType.ExpectNew, SyncType.ExpectNew,
            ],
            Data(desk.Take()));
    }

    [Fact]
    [Trait("Defect", "22")]
    public void A_peers_one_goes_on_its_word_or_when_its_time_is_over()
    {
        using EngineDesk desk = Desk();
        Expectation one = Of(FlowTableTests.MakeFlow(1, 0));
        Expectation two = Of(FlowTableTests.MakeFlow(2, 0));
        Hear(desk, SyncType.ExpectNew, in one);
        Hear(desk, SyncType.ExpectUpdate, in two);
        Assert.Equal(2u, _external.Count);
        Hear(desk, SyncType.ExpectDestroy, in one);
        Assert.NotEqual(0u, _external.Find(in two));
        desk.Pass((TimeoutSeconds - 2) * SyncEngine.Second);
        Assert.Equal(1u, _external.Count);
        desk.Pass(4 * SyncEngine.Second);
        Assert.Equal(0u, _external.Count);
        Assert.Equal(1ul, desk.Engine.Counters.ExpectationsExpired);
    }

    [Fact]
    public void An_own_one_past_its_time_is_asked_for_and_stays_if_it_was_prolonged()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        Expectation expectation = Of(in master);
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        desk.Engine.OnExpectation(FlowEventKind.New, ref expectation, announce: true, desk.Now);
        desk.Take();
        desk.Acknowledge();
        desk.Pass((TimeoutSeconds + 1) * SyncEngine.Second);
        Assert.False(desk.Engine.WantsExpectationDump);
        desk.Pass(4 * SyncEngine.Second);
        Assert.True(desk.Engine.WantsExpectationDump);
        desk.Engine.BeginExpectationDump(announce: true, announceSweep: true);
        desk.Engine.OnExpectationRecord(ref expectation, desk.Now);
        desk.Engine.OnExpectationDumpEnd(complete: true);
        Assert.False(desk.Engine.WantsExpectationDump);
        Assert.Equal([SyncType.ExpectUpdate], Data(desk.Take()));
    }

    // Defect 18: after an overrun the original leaves its expectations as they were.
    [Fact]
    [Trait("Defect", "18")]
    public void A_dump_finds_new_ones_ends_missing_ones_and_says_nothing_of_the_rest()
    {
        using EngineDesk desk = Desk();
        Expectation[] all = new Expectation[3];
        for (int i = 0; i < all.Length; i++)
        {
            Flow master = FlowTableTests.MakeFlow(i, 0);
            all[i] = Of(in master);
            desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        }
        desk.Engine.OnExpectation(FlowEventKind.New, ref all[0], announce: true, desk.Now);
        desk.Engine.OnExpectation(FlowEventKind.New, ref all[1], announce: true, desk.Now);
        desk.Take();
        desk.Acknowledge();
        desk.Engine.BeginExpectationDump(announce: true, announceSweep: true);
        desk.Engine.OnExpectationRecord(ref all[1], desk.Now);
        desk.Engine.OnExpectationRecord(ref all[2], desk.Now);
        desk.Engine.OnExpectationDumpEnd(complete: true);
        Assert.Equal([SyncType.ExpectNew, SyncType.ExpectDestroy], Data(desk.Take()));
    }

    [Fact]
    public void A_record_older_than_its_end_does_not_raise_it()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        Expectation expectation = Of(in master);
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        desk.Engine.OnExpectation(FlowEventKind.New, ref expectation, announce: true, desk.Now);
        desk.Engine.BeginExpectationDump(announce: true, announceSweep: true);
        desk.Engine.OnExpectation(
            FlowEventKind.Destroy, ref expectation, announce: true, desk.Now);
        desk.Take();
        desk.Acknowledge();
        desk.Engine.OnExpectationRecord(ref expectation, desk.Now);
        desk.Engine.OnExpectationDumpEnd(complete: true);
        Assert.Equal(0u, _own.Count);
        Assert.Empty(Data(desk.Take()));
    }

    [Fact]
    public void A_flush_of_the_flows_keeps_the_place_of_waiting_expectations()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        Expectation expectation = Of(in master);
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        desk.Engine.OnExpectation(FlowEventKind.New, ref expectation, announce: true, desk.Now);
        desk.Engine.FlushInternal();
        while (desk.Engine.Step()) { }
        Assert.Equal([SyncType.ExpectNew], Data(desk.Take()));
        desk.Engine.FlushInternalExpectations();
        Assert.Equal(0u, _own.Count);
    }

    [Fact]
    public void What_a_lookup_shows_is_announced_once()
    {
        using EngineDesk desk = Desk();
        Flow master = FlowTableTests.MakeFlow(1, 0);
        desk.Engine.OnEvent(FlowEventKind.New, ref master, announce: true, desk.Now);
        desk.Take();
        Assert.True(desk.Engine.LacksAdjustment(in master));
        Flow found = master;
        found.Status |= FlowStatus.SeqAdjust;
        found.SequenceAdjustOrig = new SequenceAdjustment(1000, 0, 4);
        found.Present |= FlowAttributes.SequenceAdjust;
        desk.Engine.OnLookup(ref found);
        Assert.Equal([SyncType.FlowUpdate], Data(desk.Take()));
        desk.Engine.OnLookup(ref found);
        Assert.Empty(Data(desk.Take()));
        Assert.False(desk.Engine.LacksAdjustment(in master));
    }

    [Fact]
    public void A_commit_takes_what_has_time_left()
    {
        using EngineDesk desk = Desk();
        Expectation one = Of(FlowTableTests.MakeFlow(1, 0));
        Expectation none = Of(FlowTableTests.MakeFlow(2, 0));
        none.Present &= ~ExpectationAttributes.Timeout;
        _external.Add(in one, 100);
        _external.Add(in none, 100);
        var timeouts = new List<uint>();
        foreach (uint now in new uint[] { 105, 100 + TimeoutSeconds })
        {
            using var flows = new FlowTable(10, 1);
            var commit = new ExpectationCommit(_external, 0, flows, isMeant: null);
            Expectation taken = default;
            while (commit.TryTake(ref taken, now, out uint timeout)) { timeouts.Add(timeout); }
            Assert.True(commit.IsDone);
        }
        Assert.Equal([TimeoutSeconds - 5, 60, 60], timeouts);
    }
}
