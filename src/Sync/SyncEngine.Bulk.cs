using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

// The whole internal cache to the peers, as fast as they take it, and the same from them.
//
// A bulk walks the table behind the live queue: what changes meanwhile overtakes it. Its datagrams
// carry its number in the body of an ALIVE message, which the original steps over. When all of it
// is acknowledged an end mark with the number leaves; then a receiver that stamped what came with
// that number removes what it holds of this node without the stamp: flows whose end it missed.
//
//   idle --request--> walking --circle closed--> draining --all acknowledged--> idle, end mark sent
//             ^          |                          |
//             +----------+---- another request: a new number, another circle
internal sealed partial class SyncEngine
{
    /// <summary>Where the bulk stands; drawn above.</summary>
    private enum BulkState : byte
    {
        Idle,
        Walking,
        Draining,
    }

    private BulkState _bulk;
    private uint _bulkNumber;
    private uint _bulkAt;
    private uint _bulkFlows;            // of the walk, so far
    private uint _bulkFrom;             // sequence at its begin
    private bool _bulkAgain;            // another is wanted behind the one under way
    private uint _bulkDrainTo;          // queue position up to which repairs must have left
    private bool _bulkQueueDrained;
    private uint _bulkEndAfter;         // sequence up to which all must be acknowledged
    private uint _bulkChecked;          // up to here they are

    /// <summary>True while a bulk is being sent or waits for its acknowledgements.</summary>
    internal bool IsBulkRunning => _bulk != BulkState.Idle;

    /// <summary>
    /// Sends every flow of the internal cache. Asked for while one is under way, another follows:
    /// who lost a request asks again, and a circle that began anew each time would never close.
    /// Nothing in ALARM, where all is repeated anyway.
    /// </summary>
    internal void RequestBulk()
    {
        if (IsAlarm) { return; }
        if (_settings.Bypass)
        {
            _kernelBulkWanted = true;
            return;
        }
        _bulkAgain = _bulk == BulkState.Walking;
        if (_bulkAgain) { return; }
        _bulk = BulkState.Walking;
        _bulkAt = 0;
        _bulkFlows = 0;
        _bulkFrom = _ring.Next;
        _bulkExpectationAt = 0;
        _bulkNumber++;
    }

    // A peer that is new, came back after losses, or started anew gets everything once it is
    // greeted.
    private void StartDueBulk(long now)
    {
        bool due = false;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || !peer.Alive || peer.Mute) { continue; }
            bool ready = !peer.IsGreeting || now - peer.GreetingSince >= GreetingMax;
            if (!ready || !(peer.NeedsBulk || peer.MissedSome)) { continue; }
            peer.NeedsBulk = false;
            peer.MissedSome = false;
            due = true;
        }
        if (due) { RequestBulk(); }
        if (_resyncUnheard && WaitedBits() != 0 && now >= _resyncNotBefore)
        {
            _resyncUnheard = false;
            _resyncNotBefore = now + ResyncPause;
            RequestResync();
        }
    }

    // Nobody acknowledges a bulk without FTFW, and what the peer's socket cannot hold is lost for
    // good: a datagram of it leaves every 125 us (some 150,000 flows a second), 64 at once at most.
    private const long BulkInterval = Second / 8000;
    private const long BulkBurst = 64 * BulkInterval;

    private long _paceAt;

    private bool MayWalk(long now) =>
        _bulk == BulkState.Walking && (Reliable || _paceAt <= now);

    private void Pace(long now, long interval) =>
        _paceAt = Math.Max(_paceAt, now - BulkBurst) + interval;

    private void TakeBulk(Span<byte> target, ref int length, long now)
    {
        if (!Reliable) { Pace(now, BulkInterval); }
        int budget = 4096;
        while (_bulk == BulkState.Walking && budget > 0)
        {
            uint next = _internal.Next(_bulkAt, ref budget);
            if (next == 0)
            {
                if (TakeBulkExpectations(target, ref length, now)) { EndWalk(); }
                return;
            }
            bool alive = _internal.IsInUse(next) && !IsDead(next);
            if (!alive || IsUnderWay(next))
            {
                _bulkFlows += alive ? 1u : 0;
                _bulkAt = next;
                continue;
            }
            Withdraw(next);
            if (!TakeFlow(next, target, ref length)) { return; }
            _bulkFlows++;
            _bulkAt = next;
            if (!CanSendData(now)) { return; }
        }
    }

    // About to be sent, or sent since the bulk began and so under its mark.
    private bool IsUnderWay(uint handle)
    {
        ref SlotHead head = ref _internal.Head(handle);
        return (head.Life & SlotLife.Queued) != 0 || ((head.Life & SlotLife.InFlight) != 0 &&
            (int)(head.Sequence - _bulkFrom) >= 0);
    }

    private void EndWalk()
    {
        Counters.BulksSent++;
        _bulk = Reliable ? BulkState.Draining : BulkState.Idle;
        OnRepair();
        if (_bulkAgain) { RequestBulk(); }
    }

    // Repairs are in the queue: the bulk is complete only behind them.
    private void OnRepair()
    {
        _bulkDrainTo = _queue.Pushed;
        _bulkQueueDrained = false;
    }

    // Looked at once per turn.
    private void AdvanceBulk()
    {
        if (_bulk != BulkState.Draining) { return; }
        if (!_bulkQueueDrained)
        {
            if ((int)(_queue.Popped - _bulkDrainTo) < 0) { return; }
            _bulkQueueDrained = true;
            _bulkEndAfter = _ring.Next;
            _bulkChecked = _ring.Oldest;
        }
        if (AliveBits() == 0 || !IsAcknowledgedThrough()) { return; }
        _bulk = BulkState.Idle;
        foreach (Peer? peer in _peers.All)
        {
            // It is alive again and was not sent all: the mark would be a lie to it.
            if (peer is not { Alive: true } || !(peer.MissedSome || peer.NeedsBulk)) { continue; }
            return;
        }
        if (_settings.Incarnation == 0) { return; }
        QueueControl(new ResendRing.Entry
        {
            Kind = SentKind.BulkEnd,
            Item = _bulkNumber,
            From = _bulkFlows,
            Flags = (byte)SyncFlags.Alive,
        });
    }

    /// <summary>
    /// True, once per bulk and peer of our own kind, when the peer has said that it has it whole.
    /// </summary>
    internal bool TryTakeBulkResult(out BulkResult result)
    {
        foreach (Peer? peer in _peers.All)
        {
            bool done = peer is { IsOwnKind: true } && peer.BulkKept == _bulkNumber &&
                peer.BulkTold != _bulkNumber && _bulk == BulkState.Idle;
            if (!done) { continue; }
            peer!.BulkTold = _bulkNumber;
            result = new BulkResult(peer, _bulkFlows, peer.BulkRefused);
            return true;
        }
        result = default;
        return false;
    }

    // Whoever lost the end mark may have lost what came before it: again, behind the repairs.
    private void OnBulkEndLost(uint number)
    {
        if (_bulk != BulkState.Idle || number != _bulkNumber) { return; }
        _bulk = BulkState.Draining;
        OnRepair();
    }

    // True if no live peer owes an acknowledgement of what was sent before _bulkEndAfter.
    private bool IsAcknowledgedThrough()
    {
        byte alive = AliveBits();
        if ((int)(_bulkChecked - _ring.Oldest) < 0) { _bulkChecked = _ring.Oldest; }
        while (_ring.Count != 0 && (int)(_bulkChecked - _bulkEndAfter) < 0)
        {
            ref ResendRing.Entry entry = ref _ring.At(_bulkChecked);
            if (entry.Kind != SentKind.None && (entry.Peers & alive) != 0) { return false; }
            _bulkChecked++;
        }
        return true;
    }

    // Every datagram with flows of a bulk begins with its number, so that a receiver that gets any
    // of them stamps what follows, whatever was lost or overtaken before. Nobody need acknowledge
    // it.
    private void TakeBulkMark(Span<byte> target, ref int length)
    {
        if (_bulk == BulkState.Idle || !Reliable || _settings.Incarnation == 0) { return; }
        if (target.Length - length < SyncHeader.Size + AliveBody.BeginSize) { return; }
        Span<byte> body = stackalloc byte[AliveBody.BeginSize];
        AliveBody.WriteBegin(body, _bulkNumber);
        length += ControlMessage.WriteAlive(
            target[length..], TakeFlags() | SyncFlags.Alive, _ring.Skip(), body);
    }

    private static int WriteBulkEnd(
        Span<byte> target, SyncFlags flags, uint sequence, uint number, uint flows)
    {
        Span<byte> body = stackalloc byte[AliveBody.EndSize];
        AliveBody.WriteEnd(body, number, flows);
        return ControlMessage.WriteAlive(target, flags | SyncFlags.Alive, sequence, body);
    }

    // What a node of our own kind says beyond being alive. Unknown attributes are skipped.
    private void OnAliveBody(Peer peer, ReadOnlySpan<byte> body, long now)
    {
        if (_settings.Incarnation == 0) { return; }
        while (AliveBody.TryNext(ref body, out AliveAttribute attribute, out var value))
        {
            switch (attribute)
            {
                case AliveAttribute.Node:
                    if (AliveNode.TryRead(value, out AliveNode node)) { OnNode(peer, node, now); }
                    break;
                case AliveAttribute.Report:
                    if (AliveReport.TryRead(value, out AliveReport report, out var ranges))
                    {
                        OnReport(peer, in report, ranges, now);
                    }
                    break;
                case AliveAttribute.BulkBegin:
                    if (AliveBody.TryReadBegin(value, out uint begun)) { OnBulkBegin(peer, begun); }
                    break;
                case AliveAttribute.BulkEnd:
                    if (AliveBody.TryReadEnd(value, out uint ended, out _))
                    {
                        OnBulkEnd(peer, ended);
                    }
                    break;
            }
        }
    }

    // Also after its end: repairs behind it carry the number once more.
    private static void OnBulkBegin(Peer peer, uint number)
    {
        if (peer.BulkNumber == number) { return; }
        peer.Generation++;
        peer.BulkNumber = number;
        peer.BulkOpen = true;
        peer.RefusedFlows = 0;
    }

    private void OnBulkEnd(Peer peer, uint number)
    {
        if (!peer.BulkOpen || peer.BulkNumber != number) { return; }
        peer.BulkOpen = false;
        peer.DoneBulk = number;
        peer.DoneRefused = peer.RefusedFlows;
        Counters.BulksReceived++;
        if (_external is null) { return; }
        peer.Sweeping = true;
        peer.SweepAt = 0;
    }

    // Removes what this peer owns and its last bulk did not have; a bounded piece. True if more is
    // left.
    private bool SweepExternal(Peer owner)
    {
        // A new bulk of this peer has begun: its own end will sweep.
        owner.Sweeping &= !owner.BulkOpen;
        int budget = 2048;
        while (owner.Sweeping && budget > 0)
        {
            uint next = _external!.Next(owner.SweepAt, ref budget);
            if (next == 0)
            {
                SweepExternalExpectations(owner);
                owner.Sweeping = false;
                break;
            }
            owner.SweepAt = next;
            ref SlotHead head = ref _external.Head(next);
            bool stale = head.Present != FlowAttributes.None && owner.IsStale(head.Sequence);
            if (!stale) { continue; }
            Counters.Swept++;
            _external.Kill(next);
            _external.Remove(next);
        }
        return owner.Sweeping;
    }
}
