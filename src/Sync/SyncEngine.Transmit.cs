using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

// What leaves, in which order, and how much of it before the peers have acknowledged.
internal sealed partial class SyncEngine
{
    /// <summary>
    /// A node that has sent nothing for so long says that it is alive (sync.md 7.3).
    /// </summary>
    private const long AliveInterval = Second;

    /// <summary>
    /// Data waits so long for a new peer's answer to HELLO; see <see cref="Peer"/>.
    /// </summary>
    private const long GreetingMax = 3 * Second;

    /// <summary>A peer that talks and acknowledges nothing for so long is not waited for.</summary>
    private const long MuteAfter = 4 * Second;

    /// <summary>
    /// Every node talks once a second. One that does not is about to be given up as dead, and until
    /// then everything is kept for it: it may only stand still, and would miss the ends of flows.
    /// </summary>
    private const long TalksWithin = 2 * Second;

    /// <summary>Twice the second within which every node acknowledges, and some.</summary>
    private const long OverdueInterval = 3 * Second;
    private const int OverdueMax = 4096;

    /// <summary>
    /// Between two requests for everything that nobody but we ourselves asked for.
    /// </summary>
    private const long ResyncPause = 5 * Second;

    /// <summary>
    /// Datagrams without flows are sent no closer than this, and after one that asks for repairs
    /// later still. Answers are themselves numbered, lost and overtaken: on a link that reorders,
    /// nodes would answer each other's answers without end.
    /// </summary>
    private const long ControlInterval = Second / 1000;
    private const long NackInterval = 4 * ControlInterval;

    // Control messages that may wait; of a flood of gaps the rest is counted.
    private const int ControlsMax = 512;

    // Messages in flight to one peer. The least is two of its acknowledgement windows, else it
    // would
    // acknowledge by its one-second timer only. The first fits, in full datagrams, into the
    // smallest
    // default receive buffer (212,992 bytes hold some 90). The most keeps the queue in the peer's
    // socket below the megabyte that configurations give it.
    private const int WindowMin = 512;
    private const long SlowAnswer = Second * 2 / 5;
    private const int WindowMax = 8192;

    private readonly ResendRing _ring;
    private readonly Queue<ResendRing.Entry> _controls = new();
    private long _resyncNotBefore;
    private bool _resyncUnheard;        // nobody was there to take a request: repeat it
    private long _lastTransmit;
    private long _transmitAt;
    private long _controlsAt;
    private bool _nacked;
    private bool _aliveDue = true;
    private bool _stalled;
    private bool _mayData;
    private long _overdueAt;
    private uint _overdueTo;

    private int FirstWindow => Math.Max(2 * _settings.AckWindowSize, 2 * WindowMin);

    /// <summary>
    /// Fills one datagram. False if there is nothing to send now. The target's length is the
    /// largest
    /// payload of the link; a message longer than that is sent alone if it fits the scratch limit.
    /// </summary>
    internal bool TryTakeDatagram(Span<byte> target, long now, out int length)
    {
        length = 0;
        _transmitAt = now;
        StartDueBulk(now);
        AdvanceBulk();
        QueueAcknowledgements(now);
        bool flows = CanSendData(now) && HasFlows(now);
        if (!flows && now < _controlsAt) { return false; }
        TakeControls(target, ref length);
        if (flows)
        {
            TakeBulkMark(target, ref length);
            TakePassing(target, ref length);
            TakeFlows(target, ref length, now);
            if (_queue.Count == 0 && MayWalk(now)) { TakeBulk(target, ref length, now); }
        }
        if (length == 0 && _aliveDue)
        {
            length = ControlMessage.WriteAlive(
                target, SyncFlags.Alive | TakeFlags(), _ring.Skip(), default);
        }
        if (length == 0) { return false; }
        if (!flows) { _controlsAt = now + (_nacked ? NackInterval : ControlInterval); }
        _nacked = false;
        _aliveDue = false;
        _lastTransmit = now;
        return true;
    }

    /// <summary>
    /// True if sending can go on without anything from outside: flows wait, or a walk is under way.
    /// </summary>
    internal bool WantsTurn =>
        _mayData && (_queue.Count != 0 || MayWalk(_transmitAt) ||
            (_kernelBulkRunning && _paceAt <= _transmitAt));

    private bool HasFlows(long now) =>
        _queue.Count != 0 || _passing.Count != 0 || MayWalk(now);

    /// <summary>
    /// Microsecond at which <see cref="OnDeadline"/> wants to be called, after now.
    /// </summary>
    internal long NextDeadline(long now)
    {
        long next = IsAlarm ? AlarmDeadline() : _lastTransmit + AliveInterval;
        // With FTFW it is the peers' answers that a bulk waits for.
        bool paced = _kernelBulkRunning || (_bulk == BulkState.Walking && !Reliable);
        if (paced) { next = Math.Min(next, _paceAt); }
        if (_ring.Count != 0) { next = Math.Min(next, _overdueAt); }
        if (HasExpectations) { next = Math.Min(next, _expireAt); }
        if (_controls.Count != 0 || _aliveDue) { next = Math.Min(next, _controlsAt); }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || !peer.Alive) { continue; }
            next = Math.Min(next, peer.LastHeard + PeerSilenceMax);
            if (peer.AckPending) { next = Math.Min(next, peer.AckSince + AliveInterval); }
            if (peer.AckNow) { next = Math.Min(next, _controlsAt); }
            if (IsWaitedForInVain(peer, now))
            {
                next = Math.Min(next, peer.LastProgress + MuteAfter);
            }
            long greeted = peer.GreetingSince + GreetingMax;
            if (peer.IsGreeting && greeted > now) { next = Math.Min(next, greeted); }
        }
        return Math.Max(next, now + 1);
    }

    /// <summary>Timers: silence, mute peers, dead peers.</summary>
    internal void OnDeadline(long now)
    {
        if (IsAlarm) { OnAlarmDeadline(now); }
        else if (now - _lastTransmit >= AliveInterval) { _aliveDue = true; }
        if (now >= _overdueAt) { RepairOverdue(now); }
        if (HasExpectations) { ExpireExpectations(now); }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || !peer.Alive) { continue; }
            if (peer.AckPending && now - peer.AckSince >= AliveInterval) { peer.AckNow = true; }
            if (now - peer.LastHeard >= PeerSilenceMax) { peer.Alive = false; }
            else if (IsWaitedForInVain(peer, now) && now - peer.LastProgress >= MuteAfter)
            {
                GiveUp(peer);
                peer.Mute = true;
            }
        }
    }

    // What has been in flight for a whole interval got lost in a way that nobody noticed, for
    // example
    // before the peer knew our sequence. It is sent again.
    private void RepairOverdue(long now)
    {
        byte waited = WaitedBits();
        int budget = OverdueMax;
        for (uint at = _ring.Oldest; (int)(at - _overdueTo) < 0 && _ring.Count != 0; at++)
        {
            if (!_ring.Covers(at)) { continue; }
            ResendRing.Entry entry = _ring.At(at);
            if (entry.Kind == SentKind.None || (entry.Peers & waited) == 0) { continue; }
            Counters.Overdue++;
            Repair(at, in entry);
            if (--budget == 0) { break; }
        }
        _overdueTo = _ring.Next;
        _overdueAt = now + OverdueInterval;
        OnRepair();
    }

    private bool IsWaitedForInVain(Peer peer, long now) =>
        _stalled && !peer.Mute && peer.InFlight > 0 && now - peer.LastHeard < TalksWithin;

    // Decides, and notes for WantsTurn and the deadlines, whether flows may leave now.
    private bool CanSendData(long now)
    {
        bool greeting = false;
        bool greeted = false;
        bool stalled = false;
        bool anyAlive = false;
        foreach (Peer? peer in _peers.All)
        {
            if (!Reliable || peer is null || !peer.Alive) { continue; }
            anyAlive = true;
            // A peer that is being greeted takes our sequence as it comes: it would miss a loss.
            // It gets a bulk afterwards, so others do not wait for it.
            greeting |= peer.IsGreeting && now - peer.GreetingSince < GreetingMax;
            greeted |= !peer.IsGreeting;
            stalled |= !peer.Mute && peer.InFlight >= peer.Window;
        }
        // With nobody listening the oldest make room; with somebody, the new must wait.
        stalled |= anyAlive && !MakeRoom();
        if (stalled && !_stalled) { Counters.WindowStalls++; }
        _stalled = stalled;
        _mayData = (greeted || !greeting) && !stalled;
        return _mayData;
    }

    private void TakeFlows(Span<byte> target, ref int length, long now)
    {
        while (_queue.Count != 0)
        {
            uint handle = _queue.Peek();
            if (TakeQueuedExpectation(handle, target, ref length, out bool blocked))
            {
                if (blocked) { return; }
                _queue.Pop();
                if (!CanSendData(now)) { return; }
                continue;
            }
            if ((_internal.Head(handle).Life & SlotLife.Queued) == 0)
            {
                _queue.Pop();
                continue;
            }
            if (!TakeFlow(handle, target, ref length)) { return; }
            _queue.Pop();
            if (!CanSendData(now)) { return; }
        }
    }

    // One flow message with the latest state. False if it does not fit any more.
    private bool TakeFlow(uint handle, Span<byte> target, ref int length)
    {
        if (Reliable && !MakeRoom()) { return false; }
        ref SlotHead head = ref _internal.Head(handle);
        bool dead = (head.Life & SlotLife.Dead) != 0;
        SyncType type = dead ? SyncType.FlowDestroy
            : (head.Life & (SlotLife.Updated | SlotLife.Renewed)) == SlotLife.Updated
                ? SyncType.FlowUpdate : SyncType.FlowNew;
        _internal.Load(handle, ref _flow);
        SyncFlags flags = PeekFlags();
        int bytes = FlowMessage.Encode(
            target[length..], in _flow, type, flags, _ring.Next, _messageOptions);
        if (bytes == 0) { return false; }
        length += bytes;
        ForgetHelloBack(flags);
        head.Life &= ~SlotLife.Queued;
        byte peers = Reliable ? WaitedFor() : (byte)0;
        if (peers == 0)
        {
            _ring.Skip();
            Schedule(handle, _transmitAt);
            FreeIfForgotten(handle);
            return true;
        }
        head.Life |= SlotLife.InFlight;
        head.Sequence = _ring.Add(new ResendRing.Entry
        {
            Kind = SentKind.Flow,
            Item = handle,
            Peers = peers,
        });
        return true;
    }

    private void TakeControls(Span<byte> target, ref int length)
    {
        while (_controls.TryPeek(out ResendRing.Entry control))
        {
            if (target.Length - length < ControlMessage.RangeSize + 8) { return; }
            // Controls may use twice the span; behind that the oldest is said once more, at the
            // end.
            if (_ring.Next - _ring.Oldest >= 2 * _ring.SpanMax)
            {
                Repair(_ring.Oldest, in _ring.At(_ring.Oldest));
            }
            SyncFlags flags = (SyncFlags)control.Flags | TakeFlags();
            _nacked |= (flags & SyncFlags.Nack) != 0;
            control.Peers = Reliable ? WaitedFor() : (byte)0;
            _resyncUnheard |= Reliable && control.Peers == 0 && control.IsResync;
            uint sequence = control.Peers == 0 ? _ring.Skip() : _ring.Add(in control);
            Span<byte> rest = target[length..];
            length += control.Kind == SentKind.Control
                ? ControlMessage.WriteRange(rest, flags, sequence, control.From, control.To)
                : WriteMark(rest, flags, sequence, AliveAttribute.BulkEnd, control.Item);
            _controls.Dequeue();
        }
    }

    private void QueueAcknowledgements(long now)
    {
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || !peer.Alive) { continue; }
            bool greet = peer.OweHelloBack && now - peer.HelloAnswered >= HelloAnswerInterval;
            if (greet) { peer.HelloAnswered = now; }
            if (peer.AckPending && (peer.AckNow || greet))
            {
                QueueRange(SyncFlags.Ack, peer, peer.AckFrom, peer.LastReceived);
                peer.AckPending = false;
                peer.AckNow = false;
                peer.SinceAck = 0;
            }
            else if (greet) { _aliveDue = true; }
        }
    }

    private void QueueRange(SyncFlags kind, Peer peer, uint from, uint to) =>
        QueueControl(new ResendRing.Entry
        {
            Kind = SentKind.Control,
            Item = (uint)peer.Number,
            Flags = (byte)kind,
            From = from,
            To = to,
        });

    // Its new incarnation may use the numbers of the old one: a late answer to the old would be
    // taken
    // for one to what was not received.
    private void ForgetAnswersTo(Peer peer)
    {
        for (int left = _controls.Count; left > 0; left--)
        {
            ResendRing.Entry control = _controls.Dequeue();
            if (!control.IsAnswerTo(peer.Number)) { _controls.Enqueue(control); }
        }
        for (uint at = _ring.Oldest; at != _ring.Next; at++)
        {
            if (_ring.Covers(at) && _ring.At(at).IsAnswerTo(peer.Number)) { ReleaseInFlight(at); }
        }
    }

    private void QueueControl(in ResendRing.Entry control)
    {
        if (_controls.Count < ControlsMax)
        {
            _controls.Enqueue(control);
            return;
        }
        Counters.ControlDropped++;
        _resyncUnheard |= control.IsResync;
    }

    /// <summary>
    /// Asks the peers for all their flows. Nothing in ALARM: nodes of that mode ask for nothing.
    /// </summary>
    internal void RequestResync()
    {
        if (IsAlarm) { return; }
        QueueControl(new ResendRing.Entry
        {
            Kind = SentKind.Control,
            Flags = (byte)SyncFlags.Resync,
        });
    }

    private SyncFlags TakeFlags()
    {
        SyncFlags flags = PeekFlags();
        ForgetHelloBack(flags);
        return flags;
    }

    private SyncFlags PeekFlags()
    {
        if (!Reliable) { return SyncFlags.None; }
        bool known = false;
        bool hello = false;
        bool back = false;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null) { continue; }
            known = true;
            hello |= peer.Alive && !peer.Greeted;
            back |= peer.OweHelloBack;
        }
        return (hello || !known ? SyncFlags.Hello : 0) | (back ? SyncFlags.HelloBack : 0);
    }

    private void ForgetHelloBack(SyncFlags sent)
    {
        if ((sent & SyncFlags.HelloBack) == 0) { return; }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not null) { peer.OweHelloBack = false; }
        }
    }

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
        if (lost.Kind == SentKind.Control) { QueueControl(in lost); }
        else { OnBulkEndLost(lost.Item); }
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
        peer.Window = Math.Max(Math.Max(WindowMin, 2 * _settings.AckWindowSize), peer.Window / 2);
    }
}
