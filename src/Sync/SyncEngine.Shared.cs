namespace Conntrackd.Sync;

// The original among more than one other node, in FTFW. It numbers all others as one: it forgets
// what any of them acknowledges, and passes over what comes from the one with the lower numbers. So
// a request to say something again may find nothing, or not be heard. Who lacked something of it
// asks for everything instead, with HELLO, which it takes whatever its number is (sync.md 7.4).
//
//   a gap in its numbers --a second without another, at most 5 s--> ask for everything
//   it has acknowledged that within 8 s --> done, until the next gap
//   otherwise                           --> asked again
//   asked again within a pause          --> the pause doubles, from 3 s up to a minute
internal sealed partial class SyncEngine
{
    private uint _resyncAt;             // sequence of the request for everything sent last

    // An original that takes us and another node for one.
    private bool IsShared(Peer peer) => Reliable && !peer.IsOwnKind && HasOtherThan(peer);

    private bool HasOtherThan(Peer peer)
    {
        foreach (Peer? other in _peers.All)
        {
            if (other is { Alive: true } && other != peer) { return true; }
        }
        return false;
    }

    // True if the original would pass over a request that does not greet.
    private bool GreetsInRequests()
    {
        foreach (Peer? peer in _peers.All)
        {
            if (peer is { Alive: true } && IsShared(peer)) { return true; }
        }
        return false;
    }

    private void OnSharedDeadline(Peer peer, long now)
    {
        if (now < peer.Lacking.AskAt) { return; }
        if (!IsShared(peer))
        {
            peer.Lacking = default;
            return;
        }
        peer.Lacking.OnQuestion(now);
        RequestResync();
    }

    /// <summary>What is missing of a peer that may not say it again; drawn in the engine.</summary>
    internal struct SharedGap
    {
        private const long SettleTime = Second, SettleMax = 5 * Second;
        private const long PauseMin = 3 * Second, PauseMax = 60 * Second;

        // What is in flight too long is said again by then, and acknowledged a second later.
        private const long AnswerMax = (2 * OverdueInterval) + (2 * Second);

        private long _firstAt;              // 0: no gap since the last question
        private long _lastAt;
        private long _askedAt;              // 0: nothing asked, or answered
        private long _notBefore;
        private long _pause;

        /// <summary>When the next question is due, or the wait for its answer over.</summary>
        internal readonly long AskAt => _firstAt != 0
            ? Math.Max(_notBefore, Math.Min(_lastAt + SettleTime, _firstAt + SettleMax))
            : _askedAt != 0 ? Math.Max(_notBefore, _askedAt + AnswerMax) : long.MaxValue;

        internal void OnGap(long now)
        {
            if (_firstAt == 0) { _firstAt = now; }
            _lastAt = now;
        }

        /// <summary>The request that was sent last may be among what is acknowledged.</summary>
        internal void OnAck(uint request, uint from, uint to)
        {
            if (request - from <= to - from) { _askedAt = 0; }
        }

        internal void OnQuestion(long now)
        {
            _firstAt = 0;
            bool again = now < _notBefore + _pause;
            _pause = again ? Math.Min(2 * _pause, PauseMax) : PauseMin;
            _notBefore = now + _pause;
            _askedAt = now;
        }
    }
}
