using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>All that is known of one other node; nothing about a peer is kept elsewhere.</summary>
/// <remarks>
/// Hello handshake, seen from here (sync.md 7.5):
/// <code>
///   unknown --any message--> greeting --its HELLO_BACK--> greeted --new source port--> greeted,
///      all we send says HELLO   |                            |      told everything by a bulk
///      data is held back        +-- 3 s without answer ------+
/// </code>
/// A node of our own kind says its incarnation in the body of its ALIVE messages, and is greeted
/// once its report names ours (<see cref="AliveReport"/>): what it may do wrong with HELLO, with
/// acknowledgements that do not say whom they mean, or with ports, is then of no account.
/// </remarks>
internal sealed class Peer(int number, PeerAddress address)
{
    private const int OwnerBits = 8;

    /// <summary>Index in the table and bit in <see cref="ResendRing.Entry.Peers"/>.</summary>
    internal readonly int Number = number;

    internal PeerAddress Address = address;

    // Liveness, microseconds of the engine's clock.
    internal bool Alive;
    internal long LastHeard;

    // Who it is: 0 for the original, else the incarnation; and what may still arrive late of the
    // one before it.
    internal ulong Incarnation;
    internal ulong FormerIncarnation;
    internal ushort FormerPort;
    internal long FormerUntil;

    // What it sent: the last sequence accepted, and the range that it must be told about.
    internal bool SequenceKnown;
    internal uint LastReceived;
    internal bool AckPending;
    internal uint AckFrom;
    internal int SinceAck;
    internal bool AckNow;           // to our own kind: report now
    internal long AckSince;
    internal uint FirstReceived;
    internal readonly MissingRanges Missing = new();
    internal bool SawGap;
    internal uint FarSequence;      // a number too far off to be believed alone
    internal uint TheirClock;       // AliveNode.SentMicroseconds, last heard
    internal long TheirClockAt;

    // Handshake.
    internal bool Greeted;          // it answered our HELLO
    internal bool SaysHello;        // its last message had HELLO
    internal bool OweHelloBack;
    internal long HelloHeard;       // its last HELLO that counted
    internal long HelloAnswered;
    internal long GreetingSince;

    // What we sent: messages it has not acknowledged, and how many there may be.
    internal int InFlight;
    internal int Window;
    internal int WindowLimit;
    internal uint WindowCutAt;      // losses before this sequence belong to a cut already made
    internal long LastProgress;
    internal long ProbedAt;
    internal bool Mute;             // alive, but acknowledges nothing: not waited for
    internal bool MissedSome;       // messages to it were given up; it needs a bulk
    internal bool NeedsBulk;
    internal uint ReportedThrough;  // greeted, own kind: all up to here is settled
    internal long RoundTrip;        // microseconds, 0 = not known
    internal uint BulkKept;         // number of our last bulk that it has whole
    internal uint BulkRefused;
    internal uint BulkTold;         // number of the last whose end was told (BulkResult)

    // Bulk it is sending us.
    internal uint Generation;
    internal uint BulkNumber;
    internal bool BulkOpen;
    internal bool Sweeping;         // removing what the bulk did not have
    internal uint SweepAt;
    internal long SweepNotBefore;   // it started anew: see SyncSettings.RestartGraceSeconds
    internal uint RefusedFlows;     // of the bulk that is open, no place here
    internal uint DoneBulk;         // the last that came whole, and what was refused of it
    internal uint DoneRefused;

    // Not of our own kind: what became of flows that it speaks no more of.
    internal SyncEngine.StaleQuestion Stale;

    // Not of our own kind: what it may not have said again.
    internal SyncEngine.SharedGap Lacking;

    internal ulong Lost;
    internal ulong Before;

    /// <summary>True if it says its incarnation, so that it is told by reports.</summary>
    internal bool IsOwnKind => Incarnation != 0;

    /// <summary>
    /// True until each has heard the other's HELLO_BACK (our own kind: until it reports): before,
    /// a loss may go unnoticed.
    /// </summary>
    internal bool IsGreeting => !Greeted || (SaysHello && !IsOwnKind);

    /// <summary>
    /// What an external flow bears that this peer sent since its last bulk began.
    /// </summary>
    internal uint Stamp => (Generation << OwnerBits) | (uint)Number;

    /// <summary>True if a flow bears an older stamp of this peer.</summary>
    internal bool IsStale(uint stamp) => stamp != Stamp && Owns(stamp);

    /// <summary>True if a flow bears any stamp of this peer.</summary>
    internal bool Owns(uint stamp) => (stamp & ((1u << OwnerBits) - 1)) == (uint)Number;

    /// <summary>The number of the peer that wrote a stamp.</summary>
    internal static int OwnerOf(uint stamp) =>
        (int)(stamp & ((1u << OwnerBits) - 1)) % PeerTable.CountMax;

    /// <summary>The bit of this peer.</summary>
    internal byte Bit => (byte)(1 << Number);
}
