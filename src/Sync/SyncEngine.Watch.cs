namespace Conntrackd.Sync;

// What is seen from outside without changing anything: for the machine that follows keepalived.
internal sealed partial class SyncEngine
{
    /// <summary>True if any peer was heard within the last seconds.</summary>
    internal bool IsAnyPeerAlive => AliveBits() != 0;

    /// <summary>True while a peer that marks the ends of its bulks is sending one.</summary>
    internal bool IsReceivingBulk
    {
        get
        {
            foreach (Peer? peer in _peers.All)
            {
                if (peer is { Alive: true, BulkOpen: true }) { return true; }
            }
            return false;
        }
    }
}
