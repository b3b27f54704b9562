using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

// What is told of a sequence: one log line, and to the program of the operator.
internal sealed partial class VrrpSide
{
    /// <summary>
    /// True for what a client asks while the same is under way here: a script that keepalived
    /// started besides. It is answered with success and does nothing.
    /// </summary>
    internal bool Absorbs(ControlRequest request) => request switch
    {
        ControlRequest.Commit or ControlRequest.CommitFlows or ControlRequest.CommitExpectations
            or ControlRequest.FlushCaches or ControlRequest.FlushFlowCaches
            or ControlRequest.FlushInternal or ControlRequest.FlushExternal
            or ControlRequest.Resync or ControlRequest.ResyncFlows
            or ControlRequest.ResyncExpectations or ControlRequest.SendBulk =>
            _machine.IsTakingOver,
        // The living must not be purged, whoever asks.
        ControlRequest.ResetTimers => _machine.IsCatchingUp || _machine.HasMaster,
        ControlRequest.RequestResync => _machine.IsCatchingUp,
        _ => false,
    };

    /// <summary>Appends the topic -s vrrp.</summary>
    internal void Append(TextBuffer text)
    {
        long now = Clock.MonotonicMicroseconds() - _node.StartedMicroseconds;
        VrrpCounters counters = _machine.Counters;
        Reports.AppendVrrp(text, new VrrpReport(
            _track is null ? "not used" : GateText(), Describe(_machine.GateReason),
            counters.Lines, counters.LinesUnknown, counters.LinesOther, LinesTooLong, Reopened,
            counters.Sequences, counters.Aborted, counters.Requests));
        foreach (VrrpGroup group in _machine.Groups)
        {
            Reports.AppendVrrpGroup(text, new VrrpGroupReport(
                NameOf(group), WordOf(group.State), group.Phase.ToString().ToLowerInvariant(),
                (now - group.Since) / SyncEngine.Second, group.Transitions, group.DoubleMasters));
            AppendLast(text, in group.Last, now);
        }
    }

    private static void AppendLast(TextBuffer text, in VrrpSequence last, long now)
    {
        if (last.State == VrrpState.Unknown) { return; }
        string outcome = last.IsAborted ? "given up" : TextOf(in last);
        text.Append($"last sequence: {WordOf(last.State)}, begun " +
            $"{(now - last.StartedAt) / SyncEngine.Second}s ago: {outcome}\n\n");
    }

    private string GateText() => _machine.Gate switch
    {
        0 => "0 (may take over)",
        1 => "1 (stand back)",
        _ => "not set",
    };

    private static string Describe(VrrpGateReason reason) => reason switch
    {
        VrrpGateReason.Inherited => "as it was before this daemon started",
        VrrpGateReason.Master => "master here",
        VrrpGateReason.Synced => "in sync",
        VrrpGateReason.NotSynced => "not in sync yet",
        VrrpGateReason.Fault => "fault",
        VrrpGateReason.Stopped => "keepalived was stopped",
        VrrpGateReason.Gone => "keepalived does not run",
        VrrpGateReason.Leaving => "the daemon ends",
        _ => "nothing known of keepalived",
    };

    private static string NameOf(VrrpGroup group) =>
        $"{(group.IsGroup ? "group" : "instance")} {group.Name}";

    private static string WordOf(VrrpState state) => state.ToString().ToUpperInvariant();

    private void Tell(VrrpGroup group, in VrrpSequence sequence)
    {
        string head = $"{NameOf(group)} {WordOf(sequence.State)}";
        if (sequence.IsAborted)
        {
            _log.Notice($"{head}: given up, now {WordOf(group.State)}");
            return;
        }
        string text = TextOf(in sequence);
        if (sequence.Failed != 0) { _log.Warning($"{head}: {text}"); }
        else { _log.Notice($"{head}: {text}"); }
        _hook?.Run(group.IsGroup, group.Name, WordOf(sequence.State), sequence.Failed == 0);
    }

    private static string TextOf(in VrrpSequence sequence) => sequence.State switch
    {
        VrrpState.Master => MasterText(in sequence),
        VrrpState.Backup =>
            $"in sync after {Seconds(sequence.SyncTook)} ({Describe(sequence.Synced)})",
        VrrpState.Gone => "keepalived vanished, its addresses may still be here",
        _ => "standing back",
    };

    private static string MasterText(in VrrpSequence sequence)
    {
        string commit = sequence.CommitTook < 0
            ? "nothing to commit"
            : $"committed {sequence.Created} ({sequence.Replaced} replaced, "
                + $"{sequence.Failed} failed) in {Seconds(sequence.CommitTook)}";
        string late = sequence.IsLate ? "late: " : "";
        return $"{late}{commit}, resync {Seconds(sequence.ResyncTook)}, "
            + $"bulk {Seconds(sequence.BulkTook)}";
    }

    private static string Describe(VrrpSynced synced) => synced switch
    {
        VrrpSynced.BulkEnd => "the peer has sent everything",
        VrrpSynced.Quiet => "nothing new came",
        VrrpSynced.NoPeer => "there is no peer",
        VrrpSynced.TimedOut => "HoldOffTimeout",
        _ => "not in sync",
    };

    private static string Seconds(long microseconds) =>
        $"{(microseconds + 500) / 1_000_000}.{(microseconds + 500) / 1000 % 1000:D3} s";
}
