using System.Text;

namespace Conntrackd.Sync;

/// <summary>Where a group stands, as the daemon has understood it.</summary>
internal enum VrrpState : byte
{
    /// <summary>Nothing was said yet: everything is left as it is.</summary>
    Unknown,

    Backup,
    Master,
    Fault,

    /// <summary>keepalived was stopped, or the group was removed.</summary>
    Stop,

    /// <summary>keepalived vanished; addresses it had are still here.</summary>
    Gone,
}

/// <summary>How far the work is that came with a state; drawn at VrrpMachine.</summary>
internal enum VrrpPhase : byte
{
    /// <summary>Nothing is to be done, or all is done.</summary>
    Idle,

    /// <summary>BACKUP: what the peer knows is on its way here.</summary>
    Syncing,

    /// <summary>MASTER: another group's sequence, or a client's commit, comes first.</summary>
    Queued,

    Committing,
    Resyncing,
    Bulking,
}

/// <summary>Why a node counts as in sync.</summary>
internal enum VrrpSynced : byte
{
    /// <summary>It does not.</summary>
    No,

    /// <summary>The peer said that it has sent everything.</summary>
    BulkEnd,

    /// <summary>The number of flows known stood still.</summary>
    Quiet,

    /// <summary>There is nobody to learn from.</summary>
    NoPeer,

    /// <summary>HoldOffTimeout passed.</summary>
    TimedOut,
}

/// <summary>One sequence: what was done and how long each step took, in microseconds.</summary>
internal record struct VrrpSequence
{
    internal VrrpState State;
    internal long StartedAt;
    internal long StepAt;               // when the running step began
    internal long CommitTook;           // -1: there was nothing to commit
    internal long ResyncTook;
    internal long BulkTook;
    internal long SyncTook;             // BACKUP: until in sync
    internal ulong Created;
    internal ulong Replaced;
    internal ulong Failed;
    internal VrrpSynced Synced;
    internal bool IsLate;               // a second commit, of what came after the first
    internal bool IsAborted;
    internal bool IsDone;
}

/// <summary>What is known of one group or instance of keepalived.</summary>
/// <param name="name">As keepalived spells it.</param>
/// <param name="isGroup">False: an instance.</param>
internal sealed class VrrpGroup(string name, bool isGroup)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    internal string Name { get; } = name;

    internal bool IsGroup { get; } = isGroup;

    /// <summary>What is acted upon.</summary>
    internal VrrpState State { get; set; }

    /// <summary>What keepalived said last.</summary>
    internal VrrpState Newest { get; set; }

    internal VrrpPhase Phase { get; set; }

    /// <summary>When <see cref="State"/> began, microseconds of the engine's clock.</summary>
    internal long Since { get; set; }

    /// <summary>False: the cache holds nothing that this node should know (see machine).</summary>
    internal bool WantsCommit { get; set; }

    /// <summary>MASTER before in sync: commit once more when it is.</summary>
    internal bool WantsLateCommit { get; set; }

    /// <summary>Another master was heard, and nothing was done about it yet.</summary>
    internal bool IsDoubled { get; set; }

    /// <summary>Until then another master is no news.</summary>
    internal long MergeNotBefore { get; set; }

    /// <summary>
    /// There were two masters: what the other one had is added, and nothing is replaced.
    /// </summary>
    internal bool KeepsLiving { get; set; }

    /// <summary>When its flows are to be purged, with claims; long.MaxValue: never.</summary>
    internal long PurgeAt { get; set; } = long.MaxValue;

    /// <summary>The sequence under way, or the last one that was complete.</summary>
    internal VrrpSequence Sequence;

    /// <summary>The last one that ended, completely or not.</summary>
    internal VrrpSequence Last;

    internal ulong Transitions { get; set; }

    internal ulong DoubleMasters { get; set; }

    /// <summary>True if the line is about this one.</summary>
    internal bool IsMeant(in VrrpLine line) =>
        line.IsGroup == IsGroup && line.Name.SequenceEqual(_name);
}
