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

    // What it sent: the last sequence accepted, and the range that it must be told about.
    internal bool SequenceKnown;
    internal uint LastReceived;
    internal bool AckPending;
    internal uint AckFrom;
    internal int SinceAck;
    internal bool AckNow;
    internal long AckSince;

    // Handshake.
    internal bool Greeted;          // it answered our HELLO
    internal bool SaysHello;        // its last message had HELLO
    internal bool OweHelloBack;
    internal long HelloAnswered;
    internal long GreetingSince;

    // What we sent: messages it has not acknowledged, and how many there may be.
    internal int InFlight;
    internal int Window;
    internal int WindowLimit;
    internal uint WindowCutAt;      // losses before this sequence belong to a cut already made
    internal long LastProgress;
    internal bool Mute;             // alive, but acknowledges nothing: not waited for
    internal bool MissedSome;       // messages to it were given up; it needs a bulk
    internal bool NeedsBulk;

    // Bulk it is sending us.
    internal uint Generation;
    internal uint BulkNumber;
    internal bool BulkOpen;
    internal bool Sweeping;         // removing what the bulk did not have
    internal uint SweepAt;
    internal long SweepNotBefore;   // it started anew: see SyncEngine.RestartGrace

    internal ulong Lost;
    internal ulong Before;

    /// <summary>
    /// True until each has heard the other's HELLO_BACK: before, a loss may go unnoticed.
    /// </summary>
    internal bool IsGreeting => !Greeted || SaysHello;

    /// <summary>
    /// What an external flow bears that this peer sent since its last bulk began.
    /// </summary>
    internal uint Stamp => (Generation << OwnerBits) | (uint)Number;

    /// <summary>True if a flow bears an older stamp of this peer.</summary>
    internal bool IsStale(uint stamp) =>
        stamp != Stamp && (stamp & ((1u << OwnerBits) - 1)) == (uint)Number;

    /// <summary>The bit of this peer.</summary>
    internal byte Bit => (byte)(1 << Number);
}
