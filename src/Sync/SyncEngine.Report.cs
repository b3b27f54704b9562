using Conntrackd.Wire;

namespace Conntrackd.Sync;

// Between our own kind: reports in the bodies of ALIVE messages instead of acknowledgements.
//
// The original's acknowledgements do not say whom they mean, are numbered and repaired themselves,
// and so beget each other: three nodes on a link that overtakes never came to rest. A report says
// the state of what was received of one node, named by its incarnation. Nobody need have it: the
// next one says all of it again. It leaves
//
//   when so many flows were received as ACKWindowSize says, at once when flows are missing,
//   when the other asks (it polls while flows wait and nothing is heard), and every second.
internal sealed partial class SyncEngine
{
    /// <summary>Between two polls while flows wait for a report.</summary>
    private const long PollInterval = Second / 10;

    /// <summary>The same while the window is full, so that nothing goes on without one.</summary>
    private const long StalledPollInterval = Second / 100;

    /// <summary>
    /// The least window of our own kind, some five datagrams: on a link where of all that is under
    /// way together only the first few arrive in order, less in flight brings more through.
    /// </summary>
    private const int OwnWindowMin = 64;

    /// <summary>Of a datagram, for ranges of one report; more would follow in the next.</summary>
    private const int RangesMax = 32;

    /// <summary>
    /// A peer that speaks as the original is told for so long, once a second, who we are; then as
    /// rarely. It may be of our own kind, and what was said before may have got lost.
    /// </summary>
    private const long IntroductionTime = 10 * Second;

    /// <summary>Numbers further off than that are not taken for true at once.</summary>
    private const int FarMin = 1 << 24;

    private long _polledAt;
    private long _reportedAt;

    private bool TryReadNode(in SyncMessage message, out AliveNode node)
    {
        node = default;
        return Reliable && _settings.Incarnation != 0 &&
            message.Header.Class == SyncClass.Alive &&
            AliveNode.TryReadFirst(message.Body, out node);
    }

    // Numbers of our own kind: what is missing is remembered until the peer has settled it.
    private bool AcceptOwn(Peer peer, in SyncMessage message)
    {
        uint sequence = message.Header.Sequence;
        int gap = (int)(sequence - peer.LastReceived - 1);
        if (!peer.SequenceKnown)
        {
            peer.SequenceKnown = true;
            peer.FirstReceived = sequence;
            gap = 0;
        }
        bool far = gap is < -FarMin or > FarMin;
        if (far && IsAgreed(peer, sequence)) { gap = 0; }
        if (gap is < 0 or > FarMin)
        {
            CountBefore(peer);
            return false;
        }
        if (gap > 0)
        {
            CountLost(peer, (uint)gap);
            peer.Missing.Add(peer.LastReceived + 1, sequence - 1);
            peer.SawGap = true;
        }
        peer.LastReceived = sequence;
        bool data = message.Header.Type != SyncType.Control;
        if (data && ++peer.SinceAck >= _settings.AckWindowSize) { peer.AckNow = true; }
        return true;
    }

    // One number far off is a bit that was turned over on the way; two that agree are where the
    // peer is by now.
    private static bool IsAgreed(Peer peer, uint sequence)
    {
        bool agrees = sequence - peer.FarSequence <= LateMax;
        peer.FarSequence = sequence;
        if (!agrees) { return false; }
        peer.FirstReceived = sequence;
        peer.Missing.Clear();
        return true;
    }

    // Missing numbers are reported at once only if flows may be among them: else reports that get
    // lost would call for reports.
    private static void AnswerGap(Peer peer, SyncClass by)
    {
        peer.SawGap = false;
        peer.AckNow |= by != SyncClass.Alive || peer.Missing.Count != 0;
    }

    // True if our own kind is to hear from us now; poll if we want to hear from it.
    private bool IsReportDue(long now, out bool poll)
    {
        poll = false;
        if (_settings.Incarnation == 0 || !Reliable) { return false; }
        bool due = _aliveDue;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not { Alive: true }) { continue; }
            due |= now - _reportedAt >= ReportInterval(peer, now);
            if (!peer.IsOwnKind) { continue; }
            due |= peer.AckNow;
            poll |= now >= PollAt(peer);
        }
        return due || poll;
    }

    // Who may be of our own kind must learn of it: it tells itself when it has learned.
    private static long ReportInterval(Peer peer, long now) =>
        peer.IsOwnKind || now - peer.GreetingSince < IntroductionTime
            ? AliveInterval : IntroductionTime;

    // Somebody new is there: it is told at once who we are.
    private void Introduce() => _reportedAt = -IntroductionTime;

    private long PollAt(Peer peer) => peer.InFlight == 0 || peer.Mute ? long.MaxValue
        : Math.Max(_polledAt, peer.LastProgress) + (_stalled ? StalledPollInterval : PollInterval);

    // When the next report is due at the latest.
    private long ReportDeadline(long now)
    {
        if (_settings.Incarnation == 0 || !Reliable) { return long.MaxValue; }
        long next = long.MaxValue;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not { Alive: true }) { continue; }
            next = Math.Min(next, _reportedAt + ReportInterval(peer, now));
            if (peer.IsOwnKind) { next = Math.Min(next, PollAt(peer)); }
        }
        return next == long.MaxValue ? next : Math.Max(next, _controlsAt);
    }

    // An ALIVE that says who we are and what we have of whom. To the original it has no body.
    private int TakeAlive(Span<byte> target, bool poll)
    {
        if (_settings.Incarnation == 0 || !Reliable)
        {
            return ControlMessage.WriteAlive(
                target, SyncFlags.Alive | TakeFlags(), _ring.Skip(), default);
        }
        if (target.Length < SyncHeader.Size + AliveNode.Size) { return 0; }
        uint sequence = _ring.Skip();
        Span<byte> body = target[SyncHeader.Size..];
        int length = new AliveNode(
            _settings.Incarnation, (uint)_transmitAt, poll ? AliveNode.Poll : 0).Write(body);
        bool all = true;
        foreach (Peer? peer in _peers.All)
        {
            if (peer is not { Alive: true, IsOwnKind: true, SequenceKnown: true }) { continue; }
            int written = WriteReport(body[length..], peer);
            all &= written != 0;
            length += written;
        }
        if (all) { _reportedAt = _transmitAt; }
        if (poll) { _polledAt = _transmitAt; }
        new SyncHeader(SyncType.Control, SyncFlags.Alive | TakeFlags(),
            (ushort)(SyncHeader.Size + length), sequence).Write(target);
        return SyncHeader.Size + length;
    }

    // With more missing than there is room for, the report ends before the first it cannot name.
    private int WriteReport(Span<byte> target, Peer peer)
    {
        if (target.Length < AliveReport.SizeMin) { return 0; }
        int room = (target.Length - AliveReport.SizeMin) / AliveReport.RangeSize;
        int ranges = Math.Min(Math.Min(peer.Missing.Count, RangesMax), room);
        uint through = ranges == peer.Missing.Count
            ? peer.LastReceived : peer.Missing[ranges].From - 1;
        var report = new AliveReport(
            peer.Incarnation, peer.FirstReceived, through,
            SettledWith(peer),
            peer.TheirClock, (uint)(_transmitAt - peer.TheirClockAt),
            peer.DoneBulk, peer.DoneRefused);
        int length = report.Write(target, ranges);
        for (int i = 0; i < ranges; i++)
        {
            (uint from, uint to) = peer.Missing[i];
            length += AliveReport.WriteRange(target[length..], from, to);
        }
        peer.AckNow = false;
        peer.SinceAck = 0;
        return length;
    }

    // Up to here nothing waits for the peer: it has it, or it was said again. Of a peer that has
    // not reported yet that is what is not kept any more.
    private uint SettledWith(Peer peer) => peer.InFlight == 0 ? _ring.Next - 1
        : peer.Greeted ? peer.ReportedThrough : _ring.Oldest - 1;

    private static void OnNode(Peer peer, in AliveNode node, long now)
    {
        peer.TheirClock = node.SentMicroseconds;
        peer.TheirClockAt = now;
        peer.AckNow |= (node.Flags & AliveNode.Poll) != 0;
    }

    // What a peer has received of us: the rest is said again.
    private void OnReport(
        Peer peer, in AliveReport report, ReadOnlySpan<byte> ranges, long now)
    {
        if (report.Target != _settings.Incarnation) { return; }
        peer.Missing.ForgetThrough(report.Settled);
        uint wayAndBack = (uint)now - report.Echo - report.HeldMicroseconds;
        if (report.Echo != 0 && wayAndBack < PeerSilenceMax) { peer.RoundTrip = wayAndBack; }
        peer.BulkKept = report.Bulk;
        peer.BulkRefused = report.Refused;
        bool first = !peer.Greeted;
        peer.Greeted = true;
        if (IsAhead(in report)) { return; }
        if (!first && (int)(report.Through - peer.ReportedThrough) <= 0) { return; }
        Settle(peer, in report, ranges, first ? _ring.Oldest : peer.ReportedThrough + 1, now);
        peer.ReportedThrough = report.Through;
    }

    // What comes late is passed over, but for this: if each of two took a number of the other for
    // true that was damaged, all that each says comes late to the other.
    private void OnLateAlive(ReadOnlySpan<byte> body)
    {
        while (AliveBody.TryNext(ref body, out AliveAttribute attribute, out var value))
        {
            bool ahead = attribute == AliveAttribute.Report &&
                AliveReport.TryRead(value, out AliveReport report, out _) &&
                report.Target == _settings.Incarnation && IsAhead(in report);
            if (ahead) { return; }
        }
    }

    // A peer has taken a number for ours that we have not come to yet.
    private bool IsAhead(in AliveReport report)
    {
        uint ahead = report.Through - _ring.Next;
        if ((int)ahead < 0) { return false; }
        Counters.StrangeAcks++;
        if (ahead < 2 * FarMin) { Renumber(report.Through + 1); }
        return true;
    }

    private void Settle(
        Peer peer, in AliveReport report, ReadOnlySpan<byte> ranges, uint at, long now)
    {
        uint through = report.Through;
        if ((int)(at - _ring.Oldest) < 0) { at = _ring.Oldest; }
        int before = peer.InFlight;
        ulong repaired = Counters.Resent;
        uint lostTo = at;
        bool more = AliveReport.TryNextRange(ref ranges, out uint from, out uint to);
        for (; (int)(through - at) >= 0 && _ring.Count != 0; at++)
        {
            while (more && (int)(to - at) < 0)
            {
                more = AliveReport.TryNextRange(ref ranges, out from, out to);
            }
            if (!_ring.Covers(at)) { continue; }
            ResendRing.Entry entry = _ring.At(at);
            if (entry.Kind == SentKind.None || (entry.Peers & peer.Bit) == 0) { continue; }
            bool missing = (int)(at - report.First) < 0 || (more && (int)(at - from) >= 0);
            if (missing)
            {
                Counters.Resent++;
                lostTo = at;
                Repair(at, in entry);
                continue;
            }
            ReceivedBy(peer, at);
        }
        int freed = before - peer.InFlight;
        bool lost = Counters.Resent != repaired;
        if (lost)
        {
            CutWindow(peer, lostTo);
            OnRepair();
        }
        if (freed > 0 && !lost) { GrowWindow(peer, freed, now); }
        peer.Mute = false;
        peer.LastProgress = now;
    }

    private void ReceivedBy(Peer peer, uint sequence)
    {
        ref ResendRing.Entry entry = ref _ring.At(sequence);
        entry.Peers &= (byte)~peer.Bit;
        peer.InFlight--;
        if (entry.Peers == 0) { Acknowledged(sequence, entry); }
    }

    // The peer will take nothing below that number: one bit of a datagram was turned over on the
    // way. All that waits is said again behind it.
    private void Renumber(uint next)
    {
        for (uint at = _ring.Oldest; _ring.Count != 0 && at != _ring.Next; at++)
        {
            if (!_ring.Covers(at)) { continue; }
            ResendRing.Entry entry = _ring.At(at);
            if (entry.Kind != SentKind.None) { Repair(at, in entry); }
        }
        _ring.Jump(next);
        OnRepair();
    }
}
