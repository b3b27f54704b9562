using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>Peers by source address, eight at most.</summary>
internal sealed class PeerTable
{
    internal const int CountMax = 8;

    private readonly Peer?[] _peers = new Peer?[CountMax];

    /// <summary>Peers known, alive or not, in order of number.</summary>
    internal ReadOnlySpan<Peer?> All => _peers;

    /// <summary>Peers known, alive or not.</summary>
    internal int Count { get; private set; }

    /// <summary>
    /// The peer that sends from an address, whatever its port. A stranger gets a free place, or
    /// that of the peer that has been dead for longest; null if all eight are alive.
    /// </summary>
    internal Peer? Find(in PeerAddress address, out bool stranger, out Peer? evicted)
    {
        stranger = false;
        evicted = null;
        int place = -1;
        for (int i = 0; i < CountMax; i++)
        {
            Peer? peer = _peers[i];
            if (peer is null)
            {
                if (place < 0 || _peers[place] is not null) { place = i; }
                continue;
            }
            if (peer.Address.Address == address.Address && peer.Address.Family == address.Family)
            {
                return peer;
            }
            bool older = place < 0 ||
                (_peers[place] is Peer other && peer.LastHeard < other.LastHeard);
            if (!peer.Alive && older) { place = i; }
        }
        if (place < 0) { return null; }
        stranger = true;
        evicted = _peers[place];
        if (evicted is null) { Count++; }
        // What the one before has left bears its stamps; they must not look like new ones.
        uint generation = evicted is null ? 0 : evicted.Generation + 1;
        return _peers[place] = new Peer(place, address) { Generation = generation };
    }
}
