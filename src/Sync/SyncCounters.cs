namespace Conntrackd.Sync;

/// <summary>What the engine saw and did; only grows.</summary>
internal sealed class SyncCounters
{
    internal ulong Lost;                // messages missing in the peers' sequences
    internal ulong Before;              // messages that came late or twice, dropped
    internal ulong StrangeAcks;         // acknowledgements or nacks of what was never sent
    internal ulong TooManyPeers;
    internal ulong Resent;
    internal ulong Overdue;             // sent again because nobody answered for them
    internal ulong GivenUp;             // messages no longer waited for: peer gone or mute
    internal ulong WindowStalls;        // times the window held data back
    internal ulong Probes;              // numbers left out so that the original acknowledges
    internal ulong ResyncsHeard;        // requests of peers for everything
    internal ulong BulksSent;
    internal ulong BulksReceived;
    internal ulong Swept;               // external flows removed because a bulk did not have them
    internal ulong Outlived;            // external flows of the original that it knew no more
    internal ulong PeerRestarts;
    internal ulong ControlDropped;      // control messages not queued: a peer floods
    internal ulong Refreshed;           // ALARM: flows repeated
    internal ulong Expired;             // ALARM: external flows that no peer repeated
    internal ulong PassedNew;           // events sent past a switched-off internal cache
    internal ulong PassedUpdate;
    internal ulong PassedDestroy;
    internal ulong PassedDropped;       // not sent: the link takes too little
    internal ulong ExpectationsIgnored; // expectation messages without ExpectationSync here
    internal ulong ExpectationsExpired; // removed from the external cache, their time was over
}
