using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>How a node stands to its peers, in a few words for the service manager.</summary>
internal static class SyncState
{
    /// <summary>
    /// One clause; changes when peers come, go or catch up, not with every flow.
    /// </summary>
    internal static string Describe(ReadOnlySpan<Peer?> peers)
    {
        int alive = 0;
        int ready = 0;
        foreach (Peer? peer in peers)
        {
            if (peer is not { Alive: true }) { continue; }
            alive++;
            bool catchesUp = peer.IsGreeting || peer.NeedsBulk || peer.MissedSome || peer.BulkOpen;
            if (!catchesUp) { ready++; }
        }
        return alive == 0 ? "no peer is heard"
            : ready == alive ? $"in sync with {alive} {(alive == 1 ? "peer" : "peers")}"
            : $"in sync with {ready} of {alive} peers";
    }
}
