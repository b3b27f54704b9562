namespace Conntrackd.Sync;

/// <summary>What the VRRP machine is told by the configuration.</summary>
/// <param name="QuietMicroseconds">So long without growth means that a bulk is over.</param>
/// <param name="HoldOffMicroseconds">Longest time to stand back; 0: for ever.</param>
/// <param name="PurgeOnFault">FAULT and STOP arm the purge.</param>
/// <param name="HasExternalCache">
/// False: peers' flows are in the kernel already. Then there is nothing to commit, and a purge
/// would remove what the peer is writing, so none is armed.
/// </param>
/// <param name="HasClaims">
/// Groups say which flows are theirs: each has a purge of its own, also while another is master.
/// </param>
internal sealed record VrrpSettings(
    long QuietMicroseconds, long HoldOffMicroseconds, bool PurgeOnFault, bool HasExternalCache,
    bool HasClaims = false);

/// <summary>What the VRRP machine needs to see of the rest of the daemon, once a turn.</summary>
internal readonly record struct VrrpView
{
    /// <summary>Flows of the own kernel.</summary>
    internal long InternalCount { get; init; }

    /// <summary>Flows known from peers: external cache, or written into the kernel.</summary>
    internal long KnownCount { get; init; }

    /// <summary>Messages about flows that peers sent; only grows.</summary>
    internal ulong Received { get; init; }

    /// <summary>Bulks received up to their end mark; only grows.</summary>
    internal ulong BulksReceived { get; init; }

    /// <summary>A peer that sends end marks is in the middle of a bulk.</summary>
    internal bool IsReceivingBulk { get; init; }

    internal bool IsPeerAlive { get; init; }

    internal bool IsCommitting { get; init; }

    internal bool IsResyncing { get; init; }

    internal bool IsBulkRunning { get; init; }

    /// <summary>PurgeTimeout.</summary>
    internal long PurgeMicroseconds { get; init; }

    // Of commits, since start.
    internal ulong Created { get; init; }

    internal ulong Replaced { get; init; }

    internal ulong Failed { get; init; }
}

/// <summary>What the owner of the VRRP machine is to do.</summary>
internal enum VrrpActionKind : byte
{
    CancelPurge,

    /// <summary>Without claims the owner counts the time, with them the machine does.</summary>
    ArmPurge,

    /// <summary>A group's time is over: remove its flows.</summary>
    Purge,
    Commit,
    AbortCommit,
    FlushExternal,
    Resync,
    Bulk,
    RequestResync,

    /// <summary>Write the gate's value for keepalived: 0 in sync, 1 stand back.</summary>
    Gate,

    /// <summary>A sequence ended or was given up: say so.</summary>
    Report,

    /// <summary>Two masters: say so.</summary>
    TellDoubleMaster,
}

/// <summary>One action; the group is null where it makes no difference.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Group">For whom.</param>
/// <param name="Gate">Its value.</param>
/// <param name="Sequence">What is to be reported.</param>
internal readonly record struct VrrpAction(
    VrrpActionKind Kind, VrrpGroup? Group = null, int Gate = 0, VrrpSequence Sequence = default);

/// <summary>Why the gate is as it is.</summary>
internal enum VrrpGateReason : byte
{
    NothingKnown,
    Inherited,                          // as it was before this daemon started
    Master,
    Synced,
    NotSynced,
    Fault,
    Stopped,
    Gone,                               // keepalived vanished, or does not run
    Leaving,                            // this daemon ends
}

/// <summary>What the VRRP machine saw; only grows.</summary>
internal sealed class VrrpCounters
{
    internal ulong Lines;
    internal ulong LinesUnknown;        // not understood: another kind of line, an unknown word
    internal ulong LinesOther;          // about instances and groups that are not configured
    internal ulong Requests;            // for the peer's flows
    internal ulong Sequences;
    internal ulong Aborted;
}
