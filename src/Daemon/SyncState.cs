using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>How a node stands to its peers, in a few words for the service manager.</summary>
internal static class SyncState
{
    /// <summary>
    /// One clause; changes when peers come, go or catch up, not with every flow.
    /// </summary>
    internal static string Describe(ReadOnlySpan<Peer?> peers, bool reliable)
    {
        int alive = 0;
        int ready = 0;
        foreach (Peer? peer in peers)
        {
            if (peer is not { Alive: true }) { continue; }
            alive++;
            if (!CatchesUp(peer, reliable)) { ready++; }
        }
        return alive == 0 ? "no peer is heard"
            : ready == alive ? $"in sync with {alive} {(alive == 1 ? "peer" : "peers")}"
            : $"in sync with {ready} of {alive} peers";
    }

    /// <summary>Appends a block for every peer that was ever heard.</summary>
    internal static void Append(
        TextBuffer text, ReadOnlySpan<Peer?> peers, bool reliable, long now)
    {
        foreach (Peer? peer in peers)
        {
            if (peer is null) { continue; }
            Reports.AppendPeer(text, new PeerReport(
                peer.Address.Family, peer.Address.Address, peer.Alive,
                peer.Alive && !CatchesUp(peer, reliable), peer.InFlight, peer.Lost, peer.Before,
                (now - peer.LastHeard) / SyncEngine.Second, peer.RoundTrip,
                peer.InFlight == 0 ? 0 : Math.Max(now - peer.LastProgress, 0), peer.BulkRefused));
        }
    }

    // Only FT-FW greets.
    private static bool CatchesUp(Peer peer, bool reliable) =>
        (reliable && peer.IsGreeting) || peer.NeedsBulk || peer.MissedSome || peer.BulkOpen;
}
