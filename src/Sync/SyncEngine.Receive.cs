using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

// What a peer's messages do here.
internal sealed partial class SyncEngine
{
    private const long PeerSilenceMax = 5 * Second;

    private const long HelloAnswerInterval = Second / 10;

    // A HELLO this far below the last sequence is a new start, not a late message.
    private const int LateMax = 1 << 16;

    /// <summary>
    /// Who was greeted does not say HELLO again unless it starts anew, and who is not says it once
    /// a second: a HELLO after so long without one is a new start, whatever its number.
    /// </summary>
    private const long HelloSilence = 2 * Second;

    /// <summary>What is heard so long after a new start may be of the incarnation before.</summary>
    private const long FormerTime = 2 * Second;

    private const int StampShift = 8;

    private readonly PeerTable _peers = new();
    private long _renumberNotBefore;

    // Flows of the datagram at hand that are not yet in the external cache.
    private readonly FlowRing _arrived = new();

    /// <summary>One datagram of the sync link; its content is never trusted.</summary>
    /// <param name="from">Sender; its port changes when the peer's daemon starts anew.</param>
    /// <param name="datagram">Messages back to back.</param>
    /// <param name="now">Time.</param>
    internal void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram, long now)
    {
        Peer? peer = null;
        var reader = new SyncMessageReader(datagram, Received);
        while (reader.TryNext(out SyncMessage message))
        {
            // Only well-formed messages make a peer: noise must not fill the table.
            peer ??= FindPeer(in from, now);
            if (peer is null)
            {
                Counters.TooManyPeers++;
                return;
            }
            if (!IsCurrent(peer, in from, in message, now)) { continue; }
            // What waited for a dead or silent peer begins to be waited for now.
            bool silent = !peer.Alive || now - peer.LastHeard >= TalksWithin;
            if (silent) { peer.LastProgress = now; }
            peer.Alive = true;
            peer.LastHeard = now;
            OnMessage(peer, in message, now);
        }
        ApplyArrived(now);
    }

    private Peer? FindPeer(in PeerAddress from, long now)
    {
        Peer? peer = _peers.Find(in from, out bool stranger, out Peer? evicted);
        if (evicted is not null) { GiveUp(evicted); }
        if (peer is null || !stranger) { return peer; }
        peer.GreetingSince = now;
        peer.LastProgress = now;
        peer.Window = FirstWindow;
        peer.WindowLimit = Math.Max(WindowMax, 4 * _settings.AckWindowSize);
        peer.NeedsBulk = Reliable;
        Introduce();
        return peer;
    }

    // False for what an earlier incarnation of the peer sent, and for what cannot be told yet. A
    // message that can only come from a new one makes it begin.
    private bool IsCurrent(Peer peer, in PeerAddress from, in SyncMessage message, long now)
    {
        bool samePort = peer.Address.Port == from.Port;
        bool late = now < peer.FormerUntil;
        if (TryReadNode(in message, out AliveNode node))
        {
            bool own = node.Incarnation == _settings.Incarnation;
            if (own || (late && node.Incarnation == peer.FormerIncarnation)) { return false; }
            if (node.Incarnation != peer.Incarnation)
            {
                BeginIncarnation(peer, in from, node.Incarnation, now);
            }
            peer.Address = from;
            return true;
        }
        if (samePort) { return true; }
        // Without repair nothing is told twice, and which port is the newer may be mistaken.
        if (late && from.Port == peer.FormerPort) { return !Reliable; }
        if (Reliable && peer.IsOwnKind)
        {
            // Flows before its name: it has not heard our report and will send them again. But
            // the original may have taken its place.
            SyncClass what = message.Header.Class;
            bool original = what is SyncClass.Ack or SyncClass.Nack ||
                (what == SyncClass.Alive && message.Body.IsEmpty);
            if (!original) { return false; }
        }
        // A connection that was made anew brings another port and the numbers go on.
        int gap = (int)(message.Header.Sequence - peer.LastReceived - 1);
        bool goesOn = Reliable && !peer.IsOwnKind && gap is >= 0 and <= LateMax &&
            (message.Header.Flags & SyncFlags.Hello) == 0;
        if (goesOn) { peer.Address = from; }
        else { BeginIncarnation(peer, in from, 0, now); }
        return true;
    }

    // The peer started anew, or says for the first time which of its starts this is.
    private void BeginIncarnation(
        Peer peer, in PeerAddress from, ulong incarnation, long now)
    {
        bool introduced = !peer.IsOwnKind && peer.Address.Port == from.Port && incarnation != 0;
        if (!introduced)
        {
            Counters.PeerRestarts++;
            peer.SweepNotBefore = now + (_settings.RestartGraceSeconds * Second);
        }
        if (peer.Address.Port != from.Port || peer.IsOwnKind)
        {
            peer.FormerUntil = now + FormerTime;
            peer.FormerPort = peer.Address.Port;
            peer.FormerIncarnation = peer.Incarnation;
        }
        Introduce();
        GiveUp(peer);
        ForgetAnswersTo(peer);
        peer.Address = from;
        peer.Incarnation = incarnation;
        peer.Greeted &= incarnation == 0;
        peer.GreetingSince = now;
        peer.SaysHello = true;
        // Who only says its name goes on with its numbers; what came before it counts as missing.
        peer.SequenceKnown &= introduced;
        peer.FirstReceived = peer.LastReceived + 1;
        peer.AckPending = false;
        peer.AckNow = peer.IsOwnKind;
        peer.SawGap = false;
        peer.SinceAck = 0;
        peer.Missing.Clear();
        peer.Window = FirstWindow;
        peer.LastProgress = now;
        peer.NeedsBulk = Reliable;
        peer.BulkOpen = false;
        peer.Stale.Forget();
        peer.Lacking = default;
        peer.BulkNumber = 0;
        peer.DoneBulk = 0;
        peer.BulkKept = 0;
        peer.Mute = false;
    }

    private void OnMessage(Peer peer, in SyncMessage message, long now)
    {
        if (IsAlarm)
        {
            OnAlarmMessage(peer, in message, now);
            return;
        }
        SyncClass what = message.Header.Class;
        bool range = what is SyncClass.Ack or SyncClass.Nack;
        bool backwards = range && (int)(message.To - message.From) < 0;
        if (what == SyncClass.Bad || backwards || (range && !Reliable))
        {
            Received.BadHeader++;
            return;
        }
        bool accepted = !Reliable ? Track(peer, in message)
            : peer.IsOwnKind ? AcceptOwn(peer, in message) : Accept(peer, in message, now);
        if (!accepted)
        {
            if (what == SyncClass.Alive && peer.IsOwnKind) { OnLateAlive(message.Body); }
            return;
        }
        // Between our own kind reports take the place of ranges, which do not say whom they mean.
        if (range && peer.IsOwnKind) { return; }
        if (what != SyncClass.Data) { ApplyArrived(now); }
        switch (what)
        {
            case SyncClass.Data: OnData(peer, in message, now); break;
            case SyncClass.Ack: OnAck(peer, message.From, message.To, now); break;
            case SyncClass.Nack: OnNack(peer, message.From, message.To, now); break;
            case SyncClass.Resync:
                Counters.ResyncsHeard++;
                RequestBulk();
                break;
            case SyncClass.Alive: OnAliveBody(peer, message.Body, now); break;
        }
        if (peer.SawGap) { AnswerGap(peer, what); }
    }

    // Nodes in ALARM send bare flows only. What bears a flag comes from another mode and is passed
    // over, as in the original, but it was numbered too.
    private void OnAlarmMessage(Peer peer, in SyncMessage message, long now)
    {
        Track(peer, in message);
        if (message.Header.Flags != SyncFlags.None) { return; }
        if (message.Header.Class == SyncClass.Data) { OnData(peer, in message, now); }
        else { Received.BadType++; }
    }

    // Best effort: sequences are looked at for the counters only.
    private bool Track(Peer peer, in SyncMessage message)
    {
        int gap = (int)(message.Header.Sequence - peer.LastReceived - 1);
        if (peer.SequenceKnown && gap > 0) { CountLost(peer, (uint)gap); }
        if (peer.SequenceKnown && gap < 0)
        {
            CountBefore(peer);
            // A late one is behind us already; far behind, the peer has begun anew.
            if (gap >= -LateMax) { return true; }
        }
        peer.SequenceKnown = true;
        peer.LastReceived = message.Header.Sequence;
        return true;
    }

    // Reliable: false for what came late or twice. Decides what is to be acknowledged or asked for.
    private bool Accept(Peer peer, in SyncMessage message, long now)
    {
        uint sequence = message.Header.Sequence;
        bool hello = (message.Header.Flags & SyncFlags.Hello) != 0;
        if ((message.Header.Flags & SyncFlags.HelloBack) != 0) { peer.Greeted = true; }
        int gap = (int)(sequence - peer.LastReceived - 1);
        bool anew = hello && peer.SequenceKnown &&
            (gap is < -LateMax or > LateMax || now - peer.HelloHeard > HelloSilence);
        if (anew) { BeginIncarnation(peer, peer.Address, 0, now); }
        if (!peer.SequenceKnown)
        {
            peer.SequenceKnown = true;
            gap = 0;
        }
        if (gap < 0)
        {
            CountBefore(peer);
            return false;
        }
        peer.SaysHello = hello;
        if (hello)
        {
            peer.OweHelloBack = true;
            peer.HelloHeard = now;
        }
        if (gap > 0)
        {
            CountLost(peer, (uint)gap);
            peer.Lacking.OnGap(now);
            if (peer.AckPending)
            {
                QueueAck(peer);
            }
            peer.Missing.Add(peer.LastReceived + 1, sequence - 1);
            peer.AckPending = false;
        }
        if (!peer.AckPending)
        {
            peer.AckPending = true;
            peer.AckFrom = sequence;
            peer.AckSince = now;
            peer.SinceAck = 0;
        }
        peer.LastReceived = sequence;
        // Only flows hurry: acknowledgements of acknowledgements would never end.
        bool data = message.Header.Type != SyncType.Control;
        if (data && ++peer.SinceAck >= _settings.AckWindowSize) { peer.AckNow = true; }
        return true;
    }

    private void CountLost(Peer peer, uint count)
    {
        peer.Lost += count;
        Counters.Lost += count;
    }

    private void CountBefore(Peer peer)
    {
        peer.Before++;
        Counters.Before++;
    }

    private void OnData(Peer peer, in SyncMessage message, long now)
    {
        SyncType type = message.Header.Type;
        if (type is SyncType.ExpectNew or SyncType.ExpectUpdate or SyncType.ExpectDestroy)
        {
            ApplyArrived(now);
            OnExpectationData(peer, in message, now);
            return;
        }
        if (_arrived.IsFull) { ApplyOldest(now); }
        ref FlowRing.Entry entry = ref _arrived.Next;
        if (!FlowMessage.TryDecode(message.Body, ref entry.Flow, out int unknown))
        {
            Received.BadPayload++;
            return;
        }
        Received.UnknownAttributes += (ulong)unknown;
        if (_injector is not null)
        {
            _injector.Inject(type, ref entry.Flow);
            return;
        }
        entry.Tag = (byte)type | ((ulong)peer.Stamp << StampShift);
        _external!.Expect(in entry.Flow);
        _arrived.Push();
    }

    private void ApplyArrived(long now)
    {
        while (!_arrived.IsEmpty) { ApplyOldest(now); }
    }

    private void ApplyOldest(long now)
    {
        ref FlowRing.Entry entry = ref _arrived.Pop();
        ref Flow flow = ref entry.Flow;
        var type = (SyncType)(byte)entry.Tag;
        uint handle = _external!.Find(in flow);
        if (type == SyncType.FlowDestroy)
        {
            if (handle == 0) { _external.Counters.DestroyNotFound++; }
            else
            {
                _external.Kill(handle);
                _external.Remove(handle);
            }
            return;
        }
        if (handle == 0) { handle = _external.Add(in flow, Seconds(now)); }
        else if (type == SyncType.FlowNew) { _external.Replace(handle, in flow, Seconds(now)); }
        else { _external.Merge(handle, in flow); }
        uint stamp = (uint)(entry.Tag >> StampShift);
        if (handle == 0)
        {
            if (_peers.All[Peer.OwnerOf(stamp)] is Peer peer) { peer.RefusedFlows++; }
            return;
        }
        ref SlotHead head = ref _external.Head(handle);
        head.IdOrTouched = Seconds(now);
        head.Sequence = stamp;
    }

    private void OnAck(Peer peer, uint from, uint to, long now)
    {
        peer.Lacking.OnAck(_resyncAt, from, to);
        if (!ClampToSent(peer, ref from, ref to, now)) { return; }
        int before = peer.InFlight;
        for (uint sequence = from; sequence != to + 1; sequence++)
        {
            if (!_ring.Covers(sequence)) { continue; }
            ref ResendRing.Entry entry = ref _ring.At(sequence);
            if (entry.Kind == SentKind.None || (entry.Peers & peer.Bit) == 0) { continue; }
            entry.Peers &= (byte)~peer.Bit;
            peer.InFlight--;
            if (entry.IsResync) { peer.Stale.HeardAt = now; }
            if (entry.Peers == 0) { Acknowledged(sequence, in entry); }
        }
        int freed = before - peer.InFlight;
        if (freed == 0) { return; }
        GrowWindow(peer, freed, now);
        peer.LastProgress = now;
    }

    private void OnNack(Peer peer, uint from, uint to, long now)
    {
        // Numbers further back than that are another node's.
        bool gone = (int)(from - _ring.Oldest) is < 0 and >= -LateMax;
        if (gone && peer.MissedSome) { peer.NeedsBulk = true; }
        if (!ClampToSent(peer, ref from, ref to, now)) { return; }
        peer.LastProgress = now;
        CutWindow(peer, to);
        for (uint sequence = from; sequence != to + 1; sequence++)
        {
            if (!_ring.Covers(sequence)) { continue; }
            ResendRing.Entry entry = _ring.At(sequence);
            if (entry.Kind == SentKind.None || (entry.Peers & peer.Bit) == 0) { continue; }
            Counters.Resent++;
            Repair(sequence, in entry);
        }
        OnRepair();
    }

    // Cuts a range to what may still wait. False, and counted, if it names what was never sent.
    private bool ClampToSent(Peer peer, ref uint from, ref uint to, long now)
    {
        // Numbers are a circle: a range of more than half of it can begin behind the last number
        // sent and end before the first, and walking it takes seconds.
        bool isStrange = (int)(to - _ring.Next) >= 0 || (int)(from - _ring.Next) >= 0
            || (int)(to - from) < 0;
        if (isStrange)
        {
            Counters.StrangeAcks++;
            FollowStrange(to, now);
            return false;
        }
        peer.Mute = false;
        if ((int)(from - _ring.Oldest) < 0) { from = _ring.Oldest; }
        return (int)(to - from) >= 0;
    }

    // We began anew on the port we had, and something late of the run before came behind our HELLO:
    // the peer waits for numbers that we have not come to, and takes nothing below them. Only where
    // no other node can be meant, and so seldom that lies cost little.
    private void FollowStrange(uint to, long now)
    {
        bool meantForUs = _peers.Count == 1 && to - _ring.Next < LateMax;
        if (!meantForUs || now < _renumberNotBefore) { return; }
        _renumberNotBefore = now + Second;
        Renumber(to + 1);
    }
}
