using Conntrackd.Cache;

namespace Conntrackd.Sync;

// What was sent and is not acknowledged: who is waited for, how much, and what is given up or said
// again.
internal sealed partial class SyncEngine
{
    // Bits of the peers that will have to acknowledge a message sent now; counts it as in flight.
    private byte WaitedFor()
    {
        byte peers = 0;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || peer.Mute) { continue; }
            if (peer.InFlight == 0) { peer.LastProgress = _transmitAt; }
            peers |= peer.Bit;
            peer.InFlight++;
        }
        return peers;
    }

    // True if one more flow can wait. Dead peers lose their claim on the oldest, live ones do not.
    private bool MakeRoom()
    {
        if (_ring.HasRoom) { return true; }
        byte alive = AliveBits();
        while (!_ring.HasRoom)
        {
            if ((_ring.At(_ring.Oldest).Peers & alive) != 0) { return false; }
            GiveUpOldest();
        }
        return true;
    }

    private byte WaitedBits()
    {
        byte waited = 0;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is { Alive: true, Mute: false }) { waited |= peer.Bit; }
        }
        return waited;
    }

    private byte AliveBits()
    {
        byte alive = 0;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is { Alive: true }) { alive |= peer.Bit; }
        }
        return alive;
    }

    private void GiveUpOldest()
    {
        uint sequence = _ring.Oldest;
        ResendRing.Entry entry = _ring.At(sequence);
        if (entry.Kind == SentKind.None) { return; }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || (entry.Peers & peer.Bit) == 0) { continue; }
            peer.InFlight--;
            peer.MissedSome = true;
        }
        Counters.GivenUp++;
        _resyncUnheard |= entry.IsResync;
        Acknowledged(sequence, in entry);
    }

    // Nothing is waited for from this peer any more.
    private void GiveUp(Peer peer)
    {
        for (uint sequence = _ring.Oldest; peer.InFlight > 0 && sequence != _ring.Next; sequence++)
        {
            ref ResendRing.Entry entry = ref _ring.At(sequence);
            if (entry.Kind == SentKind.None || (entry.Peers & peer.Bit) == 0) { continue; }
            entry.Peers &= (byte)~peer.Bit;
            peer.InFlight--;
            peer.MissedSome = true;
            Counters.GivenUp++;
            _resyncUnheard |= entry.IsResync;
            if (entry.Peers == 0) { Acknowledged(sequence, in entry); }
        }
        peer.InFlight = 0;
    }

    // All peers have the message, or nobody will.
    private void Acknowledged(uint sequence, in ResendRing.Entry entry)
    {
        SentKind kind = entry.Kind;
        uint handle = entry.Item;
        _ring.Release(sequence);
        if (kind == SentKind.Expectation) { OnExpectationAcknowledged(handle); }
        if (kind != SentKind.Flow) { return; }
        _internal.Head(handle).Life &= ~(SlotLife.InFlight | SlotLife.Renewed);
        FreeIfForgotten(handle);
    }

    // Takes a message out of the ring because its content goes out again; peers' claims end.
    private void ReleaseInFlight(uint sequence)
    {
        byte peers = _ring.At(sequence).Peers;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not null && (peers & peer.Bit) != 0) { peer.InFlight--; }
        }
        _ring.Release(sequence);
    }

    // A message was lost: what it said is said again, in its latest state, under a new number.
    private void Repair(uint sequence, in ResendRing.Entry entry)
    {
        ResendRing.Entry lost = entry;
        if (lost.Kind == SentKind.Flow)
        {
            Announce(lost.Item);
            return;
        }
        if (lost.Kind == SentKind.Expectation)
        {
            AnnounceExpectation(lost.Item);
            return;
        }
        ReleaseInFlight(sequence);
        if (lost.Kind != SentKind.Control) { OnBulkEndLost(lost.Item); }
        else if (lost.IsNack) { AskAgain(in lost); }
        else { QueueControl(in lost); }
    }

    private void AskAgain(in ResendRing.Entry nack)
    {
        if (_peers.All[(int)nack.Item] is Peer { IsOwnKind: false } peer)
        {
            peer.Missing.Add(nack.From, nack.To);
        }
    }

    // A peer that let us wait for its one-second timer counts to more than our window before it
    // acknowledges: the window must be larger, or there would be one window a second.
    private void GrowWindow(Peer peer, int acknowledged, long now)
    {
        bool slow = _stalled && peer.InFlight == 0 && now - peer.LastProgress > SlowAnswer;
        if (slow)
        {
            peer.WindowLimit = Math.Min(2 * peer.WindowLimit, Math.Max(
                _settings.ResendQueueSize / 2, WindowMax));
            peer.Window = peer.WindowLimit;
        }
        peer.Window = Math.Min(peer.WindowLimit, peer.Window + acknowledged);
    }

    private void CutWindow(Peer peer, uint lostTo)
    {
        if ((int)(lostTo - peer.WindowCutAt) < 0) { return; }
        peer.WindowCutAt = _ring.Next;
        int least = peer.IsOwnKind ? OwnWindowMin
            : Math.Max(WindowMin, 2 * _settings.AckWindowSize);
        peer.Window = Math.Max(least, peer.Window / 2);
    }
}
