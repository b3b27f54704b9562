using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

// Flows of a peer that gives no marks at its bulks (the original) and whose end was not heard: its
// daemon was not running when they ended, or had to forget what was not acknowledged. Nothing the
// original sends says so, and no clock may decide it: an established connection makes no event for
// days, so its timeout as last told runs out while it lives. So the peer is asked.
//
//   a flow is overdue: its timeout has run out by a minute
//   one of a live peer without marks is --> ask that peer for everything, under a new stamp
//   the peer has acknowledged the request, a minute has passed, and no message was lost meanwhile
//                                       --> it has told all it has: what is overdue and was not
//                                           told again is gone there, and is removed here
//   otherwise                           --> nothing is removed; asked again after twice the time
//
// What the peer tells is its internal cache, which has every flow that lives there, unless it was
// emptied by hand (-f internal, which is followed by -R in every script). Only FTFW tells whether
// the request arrived and whether all of the answer did; in NOTRACK nothing is removed, in ALARM
// CacheTimeout does it.
internal sealed partial class SyncEngine
{
    /// <summary>Between two looks at the external cache, in microseconds.</summary>
    internal const long StaleInterval = 60 * Second;

    /// <summary>The original sends all it has within seconds of being asked.</summary>
    internal const long StaleAnswerMax = 60 * Second;

    private const long StalePauseMin = 10 * 60 * Second;
    private const long StalePauseMax = 24 * 60 * 60 * Second;
    private const uint StaleGraceSeconds = 60;
    private const int StaleSlotsPerStep = 2048;

    private long _staleDue = StaleInterval;
    private uint _staleAt;
    private bool _staleWalking;
    private byte _staleAsk;             // peers of whom this walk has met an overdue flow

    // One walk looks for overdue flows and removes those whose peer has answered.
    private bool StepStale()
    {
        if (!Reliable || _external is null) { return false; }
        long now = _transmitAt;
        if (!_staleWalking)
        {
            if (now < _staleDue) { return false; }
            _staleDue = now + StaleInterval;
            _staleWalking = true;
            _staleAt = 0;
            _staleAsk = 0;
            foreach (Peer? peer in _peers.All) { peer?.Stale.Judge(peer, now); }
        }
        int budget = StaleSlotsPerStep;
        while (budget > 0)
        {
            uint next = _external.Next(_staleAt, ref budget);
            if (next == 0)
            {
                _staleWalking = false;
                EndStaleWalk(now);
                return false;
            }
            _staleAt = next;
            if (_external.IsInUse(next)) { LookAtStale(next, Seconds(now)); }
        }
        return true;
    }

    private void LookAtStale(uint handle, uint nowSeconds)
    {
        ref SlotHead head = ref _external!.Head(handle);
        bool told = (head.Present & FlowAttributes.Timeout) != 0;
        uint life = told ? head.TimeoutSeconds : 0;
        uint elapsed = nowSeconds - head.IdOrTouched;
        bool overdue = elapsed > StaleGraceSeconds && elapsed - StaleGraceSeconds > life;
        if (!overdue || OwnerOf(head.Sequence) is not Peer owner || owner.IsOwnKind) { return; }
        if (owner.Stale.HasAnswered && owner.IsStale(head.Sequence))
        {
            Counters.Outlived++;
            _external.Kill(handle);
            _external.Remove(handle);
        }
        else if (owner is { Alive: true, Mute: false, IsGreeting: false })
        {
            _staleAsk |= owner.Bit;
        }
    }

    private Peer? OwnerOf(uint stamp)
    {
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not null && peer.Owns(stamp)) { return peer; }
        }
        return null;
    }

    private void EndStaleWalk(long now)
    {
        bool asks = false;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null) { continue; }
            bool removed = peer.Stale.HasAnswered;
            peer.Stale.HasAnswered = false;
            if ((_staleAsk & peer.Bit) == 0 || removed) { continue; }
            asks |= peer.Stale.TryAsk(peer, now);
        }
        if (asks) { RequestResync(); }
    }

    /// <summary>The question that is put to a peer without marks; drawn in the engine.</summary>
    internal struct StaleQuestion
    {
        private long _pause;
        private long _notBefore;
        private long _askedAt;
        private ulong _lostBefore;

        /// <summary>When the peer acknowledged a request for everything.</summary>
        internal long HeardAt { get; set; }

        /// <summary>For one walk: what is overdue and bears an older stamp is gone.</summary>
        internal bool HasAnswered { get; set; }

        internal bool TryAsk(Peer peer, long now)
        {
            if (_askedAt != 0 || now < _notBefore) { return false; }
            _pause = Math.Clamp(2 * _pause, StalePauseMin, StalePauseMax);
            _notBefore = now + _pause;
            _askedAt = now;
            _lostBefore = peer.Lost;
            HeardAt = 0;
            peer.Generation++;
            return true;
        }

        internal void Judge(Peer peer, long now)
        {
            if (_askedAt == 0) { return; }
            bool complete = peer.Alive && HeardAt >= _askedAt && peer.Lost == _lostBefore;
            if (complete && now - HeardAt < StaleAnswerMax) { return; }
            HasAnswered = complete;
            if (complete || now - _askedAt >= 2 * StaleAnswerMax) { _askedAt = 0; }
        }

        /// <summary>The peer started anew: what it was asked is forgotten.</summary>
        internal void Forget() => _askedAt = 0;
    }
}
