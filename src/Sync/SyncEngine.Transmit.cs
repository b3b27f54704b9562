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
    internal const int ControlsMax = 512;

    // Messages in flight to one peer. The least is two of its acknowledgement windows, else it
    // would acknowledge by its one-second timer only. The first fits, in full datagrams, into the
    // smallest default receive buffer (212,992 bytes hold some 90). The most keeps the queue in the
    // peer's socket below the megabyte that configurations give it.
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

    /// <summary>Control messages that wait to be sent; for reports.</summary>
    internal int ControlCount => _controls.Count;

    private int NodeMarkSize =>
        _settings.Node == 0 ? 0 : SyncHeader.Size + AliveBody.SenderSize;

    /// <summary>
    /// Fills one datagram. False if there is nothing to send now. The target's length is the
    /// largest payload of the link; a message longer than that is sent alone if it fits the scratch
    /// limit.
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
        bool report = IsReportDue(now, out bool poll);
        Span<byte> whole = target;
        target = target[..^NodeMarkSize];
        TakeControls(target, ref length);
        if (report) { length += TakeAlive(target[length..], poll); }
        if (flows)
        {
            TakeBulkMark(target, ref length);
            TakePassing(target, ref length);
            TakeFlows(target, ref length, now);
            if (_queue.Count == 0 && MayWalk(now)) { TakeBulk(target, ref length, now); }
            if (FillsUp && _mayData && HasFlows(now)) { FillUp(target, ref length); }
        }
        if (length == 0 && _aliveDue) { length = TakeAlive(target, poll: false); }
        if (length == 0) { return false; }
        // Last, so that no number is used up for a datagram that does not leave.
        if (NodeMarkSize != 0)
        {
            Span<byte> sender = stackalloc byte[AliveBody.SenderSize];
            AliveBody.WriteSender(sender, _settings.Node);
            length += ControlMessage.WriteAlive(
                whole[length..], SyncFlags.Alive | TakeFlags(), _ring.Skip(), sender);
        }
        if (!flows) { _controlsAt = now + (_nacked ? NackInterval : ControlInterval); }
        _nacked = false;
        _aliveDue = false;
        _lastTransmit = now;
        return true;
    }

    /// <summary>
    /// Datagrams that more follow are made equally long, for links that take several of one length
    /// for the price of one. FTFW only: in the other modes nobody steps over what fills them.
    /// </summary>
    internal bool FillsUp { get; set; }

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
        next = Math.Min(next, ReportDeadline(now));
        foreach (Peer? peer in _peers.All)
        {
            if (peer is null || !peer.Alive) { continue; }
            next = Math.Min(next, peer.LastHeard + PeerSilenceMax);
            if (peer.AckPending) { next = Math.Min(next, peer.AckSince + AliveInterval); }
            bool owes = peer.AckNow || (!peer.IsOwnKind && peer.Missing.Count != 0);
            if (owes) { next = Math.Min(next, _controlsAt); }
            if (IsWaitedForInVain(peer, now))
            {
                next = Math.Min(next, peer.LastProgress + MuteAfter);
            }
            next = Math.Min(next, Math.Min(ProbeAt(peer, now), peer.Lacking.AskAt));
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
            if (now >= ProbeAt(peer, now)) { Probe(peer, now); }
            OnSharedDeadline(peer, now);
            if (now - peer.LastHeard >= PeerSilenceMax) { peer.Alive = false; }
            else if (IsWaitedForInVain(peer, now) && now - peer.LastProgress >= MuteAfter)
            {
                GiveUp(peer);
                peer.Mute = true;
            }
        }
    }

    // What has been in flight for a whole interval got lost in a way that nobody noticed, for
    // example before the peer knew our sequence. It is sent again.
    private void RepairOverdue(long now)
    {
        byte waited = 0;
        foreach (Peer? peer in _peers.All)
        {
            // Our own kind says itself what it lacks.
            if (peer is { Alive: true, Mute: false, IsOwnKind: false }) { waited |= peer.Bit; }
        }
        int budget = waited == 0 ? 0 : OverdueMax;
        for (uint at = _ring.Oldest; (int)(at - _overdueTo) < 0 && _ring.Count != 0; at++)
        {
            if (budget == 0) { break; }
            if (!_ring.Covers(at)) { continue; }
            ResendRing.Entry entry = _ring.At(at);
            if (entry.Kind == SentKind.None || (entry.Peers & waited) == 0) { continue; }
            Counters.Overdue++;
            Repair(at, in entry);
            budget--;
        }
        _overdueTo = _ring.Next;
        _overdueAt = now + OverdueInterval;
        OnRepair();
    }

    private long ProbeAt(Peer peer, long now) =>
        peer.IsOwnKind || peer.InFlight < peer.Window || !IsWaitedForInVain(peer, now)
            ? long.MaxValue : Math.Max(peer.LastProgress, peer.ProbedAt) + SlowAnswer;

    // The original acknowledges when it has counted to its window, which may be larger than ours,
    // or when it has sent nothing for a second, which may never be. A number that is left out makes
    // it acknowledge at once all that came before.
    private void Probe(Peer peer, long now)
    {
        peer.ProbedAt = now;
        Counters.Probes++;
        _ring.Skip();
        _aliveDue = true;
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

    // Up to the last multiple of four, the unit of all lengths. With less room than a body needs
    // the datagram stays as it is, and leaves alone.
    private void FillUp(Span<byte> target, ref int length)
    {
        int room = (target.Length & ~3) - length;
        if (!Reliable || room < SyncHeader.Size + AliveBody.HeaderSize) { return; }
        KeepSpan();
        uint sequence = _ring.Skip();
        Span<byte> filler = target.Slice(length, room);
        new SyncHeader(SyncType.Control, SyncFlags.Alive | TakeFlags(), (ushort)room, sequence)
            .Write(filler);
        AliveBody.WriteFiller(filler[SyncHeader.Size..]);
        length += room;
    }

    private void TakeControls(Span<byte> target, ref int length)
    {
        while (_controls.TryPeek(out ResendRing.Entry control))
        {
            if (target.Length - length < ControlMessage.RangeSize + AliveBody.EndSize) { return; }
            KeepSpan();
            SyncFlags flags = (SyncFlags)control.Flags | TakeFlags();
            if (control.IsResync)
            {
                _resyncAt = _ring.Next;
                if (GreetsInRequests()) { flags |= SyncFlags.Hello; }
            }
            control.Peers = Reliable ? WaitedFor() : (byte)0;
            _resyncUnheard |= Reliable && control.Peers == 0 && control.IsResync;
            uint sequence = control.Peers == 0 ? _ring.Skip() : _ring.Add(in control);
            Span<byte> rest = target[length..];
            length += control.Kind == SentKind.Control
                ? ControlMessage.WriteRange(rest, flags, sequence, control.From, control.To)
                : WriteBulkEnd(rest, flags, sequence, control.Item, control.From);
            _controls.Dequeue();
        }
        foreach (Peer? peer in _peers.All)
        {
            if (peer is { Alive: true, IsOwnKind: false }) { TakeNacks(peer, target, ref length); }
        }
    }

    // Asks the original for what is missing; what finds no room here asks again.
    private void TakeNacks(Peer peer, Span<byte> target, ref int length)
    {
        while (peer.Missing.Count != 0 && target.Length - length >= ControlMessage.RangeSize)
        {
            KeepSpan();
            (uint from, uint to) = peer.Missing[0];
            peer.Missing.Remove(1);
            var nack = new ResendRing.Entry
            {
                Kind = SentKind.Control,
                Item = (uint)peer.Number,
                Flags = (byte)SyncFlags.Nack,
                From = from,
                To = to,
                Peers = WaitedFor(),
            };
            uint sequence = nack.Peers == 0 ? _ring.Skip() : _ring.Add(in nack);
            length += ControlMessage.WriteRange(
                target[length..], SyncFlags.Nack | TakeFlags(), sequence, from, to);
            _nacked = true;
        }
    }

    // Controls may use twice the span; behind that the oldest is said once more, at the end.
    private void KeepSpan()
    {
        if (_ring.Next - _ring.Oldest < 2 * _ring.SpanMax) { return; }
        Repair(_ring.Oldest, in _ring.At(_ring.Oldest));
    }

    private void QueueAcknowledgements(long now)
    {
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not { Alive: true, IsOwnKind: false }) { continue; }
            bool greet = peer.OweHelloBack && now - peer.HelloAnswered >= HelloAnswerInterval;
            if (greet) { peer.HelloAnswered = now; }
            if (peer.AckPending && (peer.AckNow || greet))
            {
                QueueAck(peer);
                peer.AckPending = false;
                peer.AckNow = false;
                peer.SinceAck = 0;
            }
            else if (greet) { _aliveDue = true; }
        }
    }

    private void QueueAck(Peer peer) =>
        QueueControl(new ResendRing.Entry
        {
            Kind = SentKind.Control,
            Item = (uint)peer.Number,
            Flags = (byte)SyncFlags.Ack,
            From = peer.AckFrom,
            To = peer.LastReceived,
        });

    // Its new incarnation may use the numbers of the old one: a late answer to the old would be
    // taken for one to what was not received.
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
            if (peer.IsOwnKind) { continue; }
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
}
