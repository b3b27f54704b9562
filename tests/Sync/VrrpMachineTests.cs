using System.Linq;
using Conntrackd.Sync;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class VrrpMachineTests
{
    [Fact]
    public void A_backup_stands_back_arms_the_purge_and_asks_until_the_end_mark_comes()
    {
        var desk = new VrrpDesk();
        desk.Machine.Start(0);
        Assert.Equal(["ArmPurge", "RequestResync", "Gate 1"], desk.Say("FW BACKUP"));
        Assert.Equal(VrrpGateReason.NotSynced, desk.Machine.GateReason);
        Assert.True(desk.Machine.IsCatchingUp);
        desk.View = desk.View with { IsReceivingBulk = true, Received = 10, KnownCount = 10 };
        Assert.Empty(desk.After(3));
        desk.View = desk.View with { IsReceivingBulk = false, BulksReceived = 1 };
        Assert.Equal(["Gate 0"], desk.Turn());
        Assert.Equal(VrrpSynced.BulkEnd, desk.Reports.Single().Synced);
        Assert.Equal(3 * SyncEngine.Second, desk.Reports.Single().SyncTook);
        Assert.Equal(long.MaxValue, desk.Machine.NextDeadline(desk.Now));
    }

    [Fact]
    public void A_request_is_repeated_every_two_seconds_until_something_comes()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        Assert.Empty(desk.After(1.9));
        Assert.Equal(["RequestResync"], desk.After(0.1));
        desk.View = desk.View with { Received = 1, IsReceivingBulk = true };
        Assert.Empty(desk.After(2));
        Assert.Empty(desk.After(2));
        Assert.Equal(2ul, desk.Machine.Counters.Requests);
    }

    [Fact]
    public void A_peer_without_end_mark_has_sent_all_when_the_cache_grows_no_faster_than_traffic()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        for (int i = 1; i <= 5; i++)
        {
            desk.View = desk.View with { Received = (ulong)i, KnownCount = i * 10_000 };
            Assert.Empty(desk.After(0.9));
        }
        // Less than a hundredth more, and messages never stop.
        desk.View = desk.View with { Received = 9_000, KnownCount = 50_400 };
        Assert.Empty(desk.After(0.9));
        Assert.Equal(["Gate 0"], desk.After(0.2));
        Assert.Equal(VrrpSynced.Quiet, desk.Reports.Single().Synced);
    }

    [Fact]
    public void A_peer_that_has_nothing_is_believed_after_three_requests()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        desk.After(2);
        desk.After(2);
        Assert.Equal(3ul, desk.Machine.Counters.Requests);
        Assert.Equal(["Gate 0"], desk.After(1));
    }

    [Fact]
    public void Without_any_peer_there_is_nothing_to_wait_for()
    {
        var desk = new VrrpDesk();
        desk.View = desk.View with { IsPeerAlive = false };
        desk.Machine.Start(1);
        Assert.Equal(["ArmPurge", "Gate 0"], desk.Say("FW BACKUP"));
        Assert.Equal(VrrpSynced.NoPeer, desk.Reports.Single().Synced);
    }

    [Fact]
    public void A_daemon_that_has_just_started_gives_peers_five_seconds_to_be_heard()
    {
        var desk = new VrrpDesk { Now = SyncEngine.Second };
        desk.View = desk.View with { IsPeerAlive = false };
        desk.Machine.Start(null);
        Assert.Equal(["Gate 1"], desk.Take());
        Assert.Equal(["ArmPurge", "RequestResync"], desk.Say("FW BACKUP"));
        Assert.DoesNotContain("Gate 0", desk.After(3.9));
        Assert.Equal(["Gate 0"], desk.After(0.2));
    }

    [Fact]
    public void A_peer_that_dies_meanwhile_is_not_waited_for()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        desk.View = desk.View with { IsPeerAlive = false };
        Assert.Equal(["Gate 0"], desk.After(1));
    }

    [Fact]
    public void Standing_back_ends_with_the_hold_off_timeout()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        desk.View = desk.View with { IsReceivingBulk = true, Received = 1 };
        Assert.Empty(desk.After(59));
        Assert.Equal(["Gate 0"], desk.After(1));
        Assert.Equal(VrrpSynced.TimedOut, desk.Reports.Single().Synced);
    }

    [Fact]
    public void A_hold_off_of_zero_never_ends()
    {
        var desk = new VrrpDesk(holdOffSeconds: 0);
        desk.Say("FW BACKUP");
        desk.View = desk.View with { IsReceivingBulk = true, Received = 1 };
        Assert.Empty(desk.After(100_000));
    }

    [Fact]
    public void A_master_commits_flushes_resyncs_bulks_and_opens_the_gate()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        Assert.Equal(["CancelPurge", "Commit"], desk.Say("FW MASTER"));
        Assert.True(desk.Machine.IsTakingOver);
        Assert.Empty(desk.After(0.5));
        desk.View = desk.View with { Created = 117, Replaced = 6, Failed = 1 };
        Assert.Equal(["FlushExternal", "Resync"], desk.StepEnds());
        Assert.Empty(desk.After(0.25));
        Assert.Equal(["Bulk"], desk.StepEnds());
        Assert.Empty(desk.After(0.125));
        Assert.Empty(desk.StepEnds());
        Assert.Equal(0, desk.Machine.Gate);
        Assert.False(desk.Machine.IsTakingOver);

        VrrpSequence done = desk.Reports[^1];
        Assert.True(done is { IsDone: true, IsAborted: false, State: VrrpState.Master });
        Assert.Equal((117ul, 6ul, 1ul), (done.Created, done.Replaced, done.Failed));
        Assert.Equal(
            (500_000, 250_000, 125_000), (done.CommitTook, done.ResyncTook, done.BulkTook));
    }

    [Fact]
    public void With_direct_injection_a_master_only_resyncs_and_bulks()
    {
        var desk = new VrrpDesk(external: false);
        Assert.Equal(["RequestResync", "Gate 1"], desk.Say("FW BACKUP"));
        desk.View = desk.View with { BulksReceived = 1 };
        Assert.Empty(desk.After(0.9));
        Assert.Equal(["Gate 0"], desk.After(0.1));
        Assert.Equal(["CancelPurge", "Resync"], desk.Say("FW MASTER"));
        Assert.Equal(["Bulk"], desk.StepEnds());
        Assert.Empty(desk.StepEnds());
        Assert.Equal(-1, desk.Reports[^1].CommitTook);
    }

    [Fact]
    public void A_bulk_that_nobody_acknowledges_is_left_after_ten_seconds()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.Say("FW MASTER");
        desk.StepEnds();
        desk.StepEnds();
        desk.After(9.9);
        Assert.True(desk.Machine.IsTakingOver);
        desk.After(0.2);
        Assert.False(desk.Machine.IsTakingOver);
    }

    [Fact]
    public void A_newer_state_ends_a_commit_at_once()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.Say("FW MASTER");
        Assert.Equal(
            ["AbortCommit", "ArmPurge", "RequestResync", "Gate 1"], desk.Say("FW BACKUP"));
        Assert.True(desk.Reports[^1].IsAborted);
        Assert.Equal(1ul, desk.Machine.Counters.Aborted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_newer_state_ends_later_steps_too(int steps)
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.Say("FW MASTER");
        for (int i = 0; i < steps; i++) { desk.StepEnds(); }
        Assert.Equal(["ArmPurge", "RequestResync", "Gate 1"], desk.Say("FW BACKUP"));
        Assert.Empty(desk.StepEnds());
    }

    [Fact]
    public void Only_the_newest_line_counts()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        ulong before = desk.Machine.Counters.Sequences;
        string storm = string.Join(", ", Enumerable.Repeat("FW BACKUP, FW MASTER", 5_000));
        Assert.Empty(desk.Say(storm));
        Assert.Equal(before, desk.Machine.Counters.Sequences);
        Assert.Equal(10_002ul, desk.Machine.Counters.Lines);
    }

    [Fact]
    public void A_storm_that_ends_as_master_is_one_sequence()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        string storm = string.Join(", ", Enumerable.Repeat("FW MASTER, FW BACKUP", 50));
        Assert.Equal(["CancelPurge", "Commit"], desk.Say(storm + ", FW MASTER"));
    }

    [Theory]
    [InlineData("FAULT")]
    [InlineData("STOP")]
    [InlineData("DELETED")]
    public void Fault_and_stop_stand_back_and_arm_the_purge(string word)
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        Assert.Equal(["ArmPurge", "Gate 1"], desk.Say($"FW {word}"));
    }

    [Fact]
    public void On_fault_the_table_may_be_kept()
    {
        VrrpDesk desk = new VrrpDesk(purgeOnFault: false).Steady();
        Assert.Equal(["Gate 1"], desk.Say("FW FAULT"));
    }

    [Fact]
    public void From_fault_to_master_what_is_there_is_committed()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.Say("FW FAULT");
        Assert.Equal(["CancelPurge", "Commit"], desk.Say("FW MASTER"));
        Assert.False(desk.Machine.IsCatchingUp);
    }

    [Fact]
    public void A_vanished_keepalived_leaves_a_master_forwarding_with_the_gate_shut()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        desk.Machine.OnProcess(runs: false);
        Assert.Equal(["Gate 1"], desk.Turn());
        Assert.Equal(VrrpState.Gone, desk.Group().State);
        desk.Machine.OnProcess(runs: true);
        Assert.Empty(desk.Turn());
        Assert.Equal(["ArmPurge", "RequestResync"], desk.Say("FW BACKUP"));
    }

    [Fact]
    public void A_take_over_goes_on_when_keepalived_vanishes()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.Say("FW MASTER");
        desk.Machine.OnProcess(runs: false);
        Assert.DoesNotContain("AbortCommit", desk.Turn());
        Assert.Equal(["FlushExternal", "Resync"], desk.StepEnds());
    }

    [Fact]
    public void A_process_never_seen_cannot_vanish()
    {
        var desk = new VrrpDesk();
        desk.Machine.Start(0);
        desk.Machine.OnProcess(runs: false);
        Assert.Empty(desk.Turn());
        desk.Say("FW MASTER");
        desk.Machine.OnProcess(runs: false);
        desk.Turn();
        Assert.Equal(VrrpState.Master, desk.Group().State);
    }

    [Fact]
    public void A_stopped_keepalived_is_stopped_not_gone()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        desk.Say("FW STOP");
        desk.Machine.OnProcess(runs: false);
        Assert.Empty(desk.Turn());
        Assert.Equal(VrrpState.Stop, desk.Group().State);
    }

    [Fact]
    public void After_a_double_master_what_the_other_had_is_added_and_nothing_replaced()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        // A hand-over overlaps; and keepalived tells it of instances.
        desk.After(0.9);
        desk.Machine.OnLine("INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 150"u8);
        Assert.Empty(desk.Turn());
        desk.After(0.1);
        desk.Machine.OnLine("INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 150"u8);
        Assert.Equal(["TellDoubleMaster", "RequestResync"], desk.Turn());
        Assert.Empty(desk.Say("FW MASTER_RX_LOWER_PRI"));
        Assert.Equal(0ul, desk.Machine.Counters.LinesOther);
        Assert.Equal(VrrpState.Master, desk.Group().State);
        Assert.Equal(3ul, desk.Group().DoubleMasters);
        desk.View = desk.View with { BulksReceived = desk.View.BulksReceived + 1 };
        desk.After(1);
        Assert.Equal(["Commit, keeping"], desk.Turn());
        for (int i = 0; i < 3; i++) { desk.StepEnds(); }
        Assert.True(desk.Reports[^1].IsLate);
        Assert.False(desk.Group().KeepsLiving);
        Assert.Equal(0, desk.Machine.Gate);
    }

    [Fact]
    public void With_direct_injection_a_double_master_is_only_told()
    {
        VrrpDesk desk = new VrrpDesk(external: false).Steady();
        desk.After(1);
        Assert.Equal(["TellDoubleMaster"], desk.Say("FW MASTER_RX_LOWER_PRI"));
    }

    [Fact]
    public void A_daemon_that_starts_on_a_master_commits_nothing_and_never_says_stand_back()
    {
        var desk = new VrrpDesk();
        desk.Machine.Start(0);
        Assert.Equal(["CancelPurge", "Resync"], desk.Say("FW MASTER"));
        Assert.Equal(["Bulk"], desk.StepEnds());
        Assert.Empty(desk.StepEnds());
        Assert.Equal(0, desk.Machine.Gate);
    }

    [Fact]
    public void What_keepalived_answers_at_start_counts_unless_a_line_said_more()
    {
        var desk = new VrrpDesk(["A", "B"]);
        desk.Machine.OnLine("GROUP \"A\" FAULT 0"u8);
        VrrpMachine.OnAnswer(desk.Group(0), VrrpState.Master);
        VrrpMachine.OnAnswer(desk.Group(1), VrrpState.Master);
        desk.Turn();
        Assert.Equal(VrrpState.Fault, desk.Group(0).State);
        Assert.Equal(VrrpState.Master, desk.Group(1).State);
    }

    [Fact]
    public void A_master_with_an_empty_table_asks_and_commits_what_comes_late()
    {
        var desk = new VrrpDesk();
        desk.View = desk.View with { InternalCount = 3 };
        Assert.Equal(["CancelPurge", "Commit", "RequestResync"], desk.Say("FW MASTER"));
        for (int i = 0; i < 3; i++) { desk.StepEnds(); }
        desk.View = desk.View with { BulksReceived = 1 };
        desk.After(1);
        Assert.Equal(["Commit"], desk.Turn());
        Assert.Equal(["FlushExternal", "Resync"], desk.StepEnds());
        desk.StepEnds();
        desk.StepEnds();
        Assert.True(desk.Reports[^1].IsLate);
        Assert.False(desk.Machine.IsCatchingUp);
    }

    [Fact]
    public void A_master_before_in_sync_commits_again_when_it_is()
    {
        var desk = new VrrpDesk();
        desk.Say("FW BACKUP");
        Assert.Equal(["CancelPurge", "Commit"], desk.Say("FW MASTER"));
        desk.View = desk.View with { BulksReceived = 1 };
        desk.Turn();
        for (int i = 0; i < 3; i++) { desk.StepEnds(); }
        Assert.True(desk.Machine.IsCatchingUp);
    }

    [Fact]
    public void A_purge_is_never_armed_while_another_group_is_master()
    {
        var desk = new VrrpDesk(["RED", "BLUE"]);
        desk.Machine.Start(1);
        desk.Say("RED MASTER, BLUE MASTER");
        for (int i = 0; i < 4; i++) { desk.StepEnds(); }
        string[] actions = desk.Say("BLUE BACKUP");
        Assert.DoesNotContain("ArmPurge", actions);
        Assert.DoesNotContain("Gate 1", actions);
        Assert.Equal(0, desk.Machine.Gate);
        Assert.Contains("ArmPurge", desk.Say("RED BACKUP"));
    }

    [Fact]
    public void A_group_with_a_claim_has_a_purge_of_its_own()
    {
        var desk = new VrrpDesk(["RED", "BLUE"], claims: true);
        desk.Machine.Start(1);
        desk.Say("RED MASTER, BLUE MASTER");
        for (int i = 0; i < 4; i++) { desk.StepEnds(); }
        Assert.Contains("ArmPurge", desk.Say("BLUE BACKUP"));
        Assert.Equal(0, desk.Machine.Gate);
        desk.After(30);
        Assert.Contains("ArmPurge", desk.Say("RED BACKUP"));
        Assert.DoesNotContain("Purge BLUE", desk.After(29.9));
        Assert.Contains("Purge BLUE", desk.After(0.2));
        Assert.Equal(0u, desk.Machine.Holders);
        Assert.Contains("Purge RED", desk.After(30));
        Assert.Equal(long.MaxValue, desk.Machine.NextDeadline(desk.Now));
    }

    [Fact]
    public void A_group_that_comes_back_is_not_purged_and_the_other_still_is()
    {
        var desk = new VrrpDesk(["RED", "BLUE"], claims: true);
        desk.Machine.Start(1);
        desk.Say("RED MASTER, BLUE MASTER");
        for (int i = 0; i < 4; i++) { desk.StepEnds(); }
        desk.Say("RED BACKUP, BLUE BACKUP");
        desk.After(1);
        Assert.Contains("CancelPurge", desk.Say("RED MASTER"));
        Assert.Equal(1u, desk.Machine.Holders);
        string[] later = desk.After(60);
        Assert.Contains("Purge BLUE", later);
        Assert.DoesNotContain("Purge RED", later);
    }

    [Theory]
    [InlineData("RED BACKUP", false)]
    [InlineData("RED BACKUP, BLUE FAULT", true)]
    [InlineData("RED STOP, BLUE MASTER", false)]
    public void A_node_is_standby_when_all_groups_are_known_to_be_elsewhere(
        string lines, bool isStandby)
    {
        var desk = new VrrpDesk(["RED", "BLUE"]);
        desk.Say(lines);
        Assert.Equal(isStandby, desk.Machine.IsStandby);
    }

    [Fact]
    public void Two_groups_take_over_one_after_the_other()
    {
        var desk = new VrrpDesk(["RED", "BLUE"]);
        desk.Say("RED MASTER, BLUE MASTER");
        Assert.Equal(VrrpPhase.Resyncing, desk.Group(0).Phase);
        Assert.Equal(VrrpPhase.Queued, desk.Group(1).Phase);
        Assert.Equal(["Bulk"], desk.StepEnds());
        desk.StepEnds();
        Assert.Equal(["Resync"], desk.Turn());
        Assert.Equal(VrrpPhase.Resyncing, desk.Group(1).Phase);
    }

    [Fact]
    public void A_commit_of_a_client_is_waited_for()
    {
        VrrpDesk desk = new VrrpDesk().Synced();
        desk.View = desk.View with { IsCommitting = true };
        Assert.Equal(["CancelPurge"], desk.Say("FW MASTER"));
        Assert.Equal(["Commit"], desk.StepEnds());
    }

    [Fact]
    public void Before_the_end_a_master_is_handed_over()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        Assert.True(desk.Machine.BeginLeave(desk.View, canHandOver: true, desk.Now));
        Assert.Equal(["Gate 1"], desk.Take());
        desk.After(0.3);
        Assert.False(desk.Machine.IsLeft);
        Assert.Empty(desk.Say("FW BACKUP"));
        Assert.True(desk.Machine.IsLeft);
    }

    [Fact]
    public void The_hand_over_is_waited_for_two_seconds_and_not_without_a_peer()
    {
        VrrpDesk desk = new VrrpDesk().Steady();
        Assert.True(desk.Machine.BeginLeave(desk.View, canHandOver: true, desk.Now));
        desk.After(2);
        Assert.True(desk.Machine.IsLeft);

        desk = new VrrpDesk().Steady();
        desk.View = desk.View with { IsPeerAlive = false };
        Assert.False(desk.Machine.BeginLeave(desk.View, canHandOver: true, desk.Now));
        Assert.Equal(["Gate 1"], desk.Take());
    }

    [Fact]
    public void Lines_that_are_not_understood_or_of_others_are_counted()
    {
        var desk = new VrrpDesk();
        desk.Say("FW DANCING, OTHER MASTER, FW BACKUP");
        VrrpCounters counters = desk.Machine.Counters;
        Assert.Equal(
            (3ul, 1ul, 1ul), (counters.Lines, counters.LinesUnknown, counters.LinesOther));
    }
}
