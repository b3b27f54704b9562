namespace Conntrackd.Wire;

/// <summary>Frames sealed with a key that all nodes of a link share.</summary>
/// <remarks>
/// Who has the key is a node; who has not can neither read, write nor change a frame. What he can
/// do is send again what he recorded. Against that stand, for frames of the same run of a node, its
/// counter (<see cref="ReplayWindow"/>), and for runs that are over a proof of presence:
/// <code>
///        unknown --its beacon, without a proof--> echoed in our beacons, nothing else is read
///           |                                        |
///           '--------- its beacon echoes a number of ours of the last 5 s
///                                                    v
///        proven: its frames are read; the proof lasts 5 s from the sending of what was echoed
/// </code>A beacon leaves by the clock and never because of what came, except that a proof, which
/// cannot be a replay, is answered at once. Nothing is kept over a restart: the numbers of a run
/// before name another incarnation. Time is an argument. The reasons are in docs/security.md.
/// </remarks>
internal sealed class SealedFraming : IFraming
{
    /// <summary>Twice as many as the engine takes, so that a former run is no hindrance.</summary>
    internal const int PeersMax = 16;

    /// <summary>Slots of the cipher: ours, one for each peer, one to try strangers in.</summary>
    internal const int Slots = PeersMax + 2;

    private const long Millisecond = 1000, Second = 1000 * Millisecond;

    /// <summary>A new peer is known after two of them at most.</summary>
    internal const long BeaconInterval = 500 * Millisecond;

    /// <summary>Right after a start there is somebody to be known to.</summary>
    internal const long HurriedInterval = 100 * Millisecond;

    /// <summary>Ten beacons may get lost.</summary>
    internal const long LeaseTime = 5 * Second;

    /// <summary>How long messages are held back for a peer that has not answered yet.</summary>
    internal const long HoldTime = 2 * Second;

    /// <summary>A frame is read at most twice this after it was sent.</summary>
    internal const long DelayMax = 5 * Second;

    private const long HurryTime = 3 * Second, StrangerTime = 3 * Second;
    private const int TrialSlot = PeersMax + 1;
    private const int FrameMax = 16 * 1024;

    // More than were sent in a lease, at the hurried interval.
    private const int NumbersKept = 64;

    private readonly IFrameCipher _cipher;
    private readonly Incarnation _self;
    private readonly SealPeer[] _peers = new SealPeer[PeersMax];
    private readonly Stranger[] _strangers = new Stranger[Beacon.HeardMax];
    private readonly long[] _sentAt = new long[NumbersKept];
    private readonly byte[] _text = new byte[FrameMax];
    private ulong _counter;
    private uint _number;
    private uint _spent;            // beacons up to this one prove nothing any more
    private long _beaconAt;
    private long _hurryUntil;
    private long _heldUntil;
    private uint _releasedBy;
    private ulong _draw;

    /// <param name="cipher">With the keys.</param>
    /// <param name="self">Drawn anew for every start.</param>
    /// <param name="now">Time.</param>
    /// <param name="links">That carry the same frames; 1 if no two do.</param>
    internal SealedFraming(IFrameCipher cipher, in Incarnation self, long now, int links = 1)
    {
        _cipher = cipher;
        _self = self;
        _draw = self.High;
        for (int i = 0; i < PeersMax; i++) { _peers[i] = new SealPeer(i + 1, links); }
        Hold(now);
    }

    public int HeadBytes => SealHeader.Size;

    public int OverheadBytes => SealHeader.Size + SealHeader.TagSize;

    public FrameCounters Counters { get; } = new();

    /// <summary>Index of the link that brings the next frames, if several carry the same.</summary>
    internal int Link { get; set; }

    /// <summary>Times that a node number appeared with another incarnation.</summary>
    internal ulong Restarts { get; private set; }

    /// <summary>The node that did so last.</summary>
    internal ushort RestartedNode { get; private set; }

    /// <summary>Times that another node was heard with our own number.</summary>
    internal ulong SameNumber { get; private set; }

    /// <summary>When the next beacon is due.</summary>
    internal long NextBeacon => _beaconAt;

    /// <summary>Nodes whose proof holds.</summary>
    internal int CountProven(long now)
    {
        int count = 0;
        foreach (SealPeer peer in _peers) { count += IsProven(peer, now) ? 1 : 0; }
        return count;
    }

    /// <summary>
    /// True while messages should wait: a peer that has just been reached would not read them yet.
    /// </summary>
    internal bool IsHeld(long now) => now < _heldUntil;

    /// <summary>When messages wait no longer, whether or not a peer was heard.</summary>
    internal long HeldUntil => _heldUntil;

    /// <summary>Holds messages back until a peer has answered a beacon from now on.</summary>
    internal void Hold(long now)
    {
        _heldUntil = now + HoldTime;
        _hurryUntil = now + HurryTime;
        _releasedBy = _number + 1;
        _beaconAt = now;
    }

    /// <summary>
    /// Begins the next beacon; <see cref="WriteBeacon"/> then writes it, once for every link.
    /// </summary>
    internal void BeginBeacon(long now)
    {
        _number++;
        _sentAt[_number % NumbersKept] = now;
        _beaconAt = now + (now < _hurryUntil ? HurriedInterval : BeaconInterval);
    }

    /// <summary>
    /// Writes the beacon as a frame; returns its length, 298 bytes at most.
    /// </summary>
    internal int WriteBeacon(Span<byte> frame, long now)
    {
        Span<byte> text = frame[SealHeader.Size..];
        int bytes = Beacon.Begin(text, _number), count = 0;
        foreach (SealPeer peer in _peers)
        {
            // Proven or not: after a pause both sides must begin somehow.
            if (!peer.IsUsed || now - peer.HeardAt > StrangerTime) { continue; }
            bytes += Beacon.Add(text[bytes..], peer.Id, peer.Number);
            count++;
        }
        foreach (Stranger stranger in _strangers)
        {
            if (count == Beacon.HeardMax) { break; }
            if (stranger.Number == 0 || now - stranger.HeardAt > StrangerTime) { continue; }
            bytes += Beacon.Add(text[bytes..], stranger.Id, stranger.Number);
            count++;
        }
        return Seal(FrameKind.Beacon, frame, bytes);
    }

    public int Wrap(Span<byte> frame, int messageBytes) =>
        Seal(FrameKind.Sealed, frame, messageBytes);

    public FrameVerdict Unwrap(
        ReadOnlySpan<byte> frame, long now, ref PeerAddress from,
        out ReadOnlySpan<byte> messages)
    {
        FrameVerdict verdict = Open(frame, now, ref from, out messages);
        Counters.Count(verdict);
        return verdict;
    }

    // What costs nothing is asked first. Strangers are deciphered only if they send a beacon.
    private FrameVerdict Open(
        ReadOnlySpan<byte> frame, long now, ref PeerAddress from,
        out ReadOnlySpan<byte> messages)
    {
        messages = default;
        if (!FrameHeader.IsFrame(frame)) { return FrameVerdict.Plain; }
        if (!SealHeader.TryRead(frame, out SealHeader header) || frame.Length > FrameMax)
        {
            return frame.Length >= FrameHeader.Size && (frame[0] & 0xf) == (int)FrameKind.Checked
                ? FrameVerdict.Plain : FrameVerdict.Malformed;
        }
        if (!_cipher.Has(header.KeyNumber)) { return FrameVerdict.UnknownKey; }
        if (header.Sender == _self) { return FrameVerdict.Reflected; }
        SealPeer? peer = Find(header.Sender);
        if (header.Kind == FrameKind.Beacon)
        {
            return OpenBeacon(peer, frame, in header, in from, now);
        }
        if (peer is null || !IsProven(peer, now)) { return FrameVerdict.Unproven; }
        FrameVerdict verdict = peer.Look(header.Counter, Link);
        if (verdict != FrameVerdict.Messages) { return verdict; }
        if (!_cipher.TryOpen(peer.Slot, frame, _text)) { return FrameVerdict.Forged; }
        peer.Mark(header.Counter, Link);
        from = peer.Name;
        messages = _text.AsSpan(0, frame.Length - OverheadBytes);
        return verdict;
    }

    private FrameVerdict OpenBeacon(
        SealPeer? peer, ReadOnlySpan<byte> frame, in SealHeader header, in PeerAddress from,
        long now)
    {
        FrameVerdict verdict = peer?.Look(header.Counter, Link) ?? FrameVerdict.Messages;
        if (verdict != FrameVerdict.Messages) { return verdict; }
        if (peer is null) { _cipher.Forget(TrialSlot); }
        if (!_cipher.TryOpen(peer?.Slot ?? TrialSlot, frame, _text)) { return FrameVerdict.Forged; }
        ReadOnlySpan<byte> text = _text.AsSpan(0, frame.Length - OverheadBytes);
        if (!Beacon.TryRead(text, in _self, out uint number, out uint echo))
        {
            return FrameVerdict.Malformed;
        }
        bool proves = TryProve(echo, now, out long provenAt);
        if (peer is null)
        {
            if (!proves)
            {
                Remember(header.Sender, number, now);
                return FrameVerdict.Unproven;
            }
            peer = Admit(in header, in from, now);
            if (peer is null) { return FrameVerdict.Crowded; }
        }
        peer.Mark(header.Counter, Link);
        peer.OnBeacon(number, header.Counter, now, DelayMax);
        if (proves) { Renew(peer, provenAt, echo, now); }
        return FrameVerdict.Beacon;
    }

    // Was it one of ours, of late, and since the last time that a peer was forgotten?
    private bool TryProve(uint echo, long now, out long sentAt)
    {
        sentAt = _sentAt[echo % NumbersKept];
        return _number - echo < NumbersKept && (int)(echo - _spent) > 0
            && now - sentAt < LeaseTime;
    }

    private void Renew(SealPeer peer, long provenAt, uint echo, long now)
    {
        bool wasProven = IsProven(peer, now);
        peer.LeaseUntil = Math.Max(peer.LeaseUntil, provenAt + LeaseTime);
        bool releases = IsHeld(now) && (int)(echo - _releasedBy) >= 0;
        if (releases) { _heldUntil = now; }
        // Its next beacon would find ours in time, but it waits to be read.
        if (releases || !wasProven) { _beaconAt = now; }
    }

    // A node that starts anew takes its own place. Whoever loses a place has to prove anew.
    private SealPeer? Admit(in SealHeader header, in PeerAddress from, long now)
    {
        Incarnation id = header.Sender;
        if (id.Node != 0 && id.Node == _self.Node) { SameNumber++; }
        SealPeer? place = null;
        PeerAddress name = from;
        foreach (SealPeer peer in _peers)
        {
            if (peer.IsUsed && id.Node != 0 && peer.Id.Node == id.Node)
            {
                Restarts++;
                RestartedNode = id.Node;
                name = peer.Name;
                place = peer;
                break;
            }
            if (IsProven(peer, now)) { continue; }
            bool better = place is null || (place.IsUsed
                && (!peer.IsUsed || peer.LeaseUntil < place.LeaseUntil));
            if (better) { place = peer; }
        }
        if (place is null) { return null; }
        if (place.IsUsed) { _spent = _number; }
        _cipher.Forget(place.Slot);
        place.Begin(in id, in name, header.Counter, now);
        foreach (ref Stranger stranger in _strangers.AsSpan())
        {
            if (stranger.Id == id) { stranger = default; }
        }
        return place;
    }

    private SealPeer? Find(in Incarnation id)
    {
        foreach (SealPeer peer in _peers)
        {
            if (peer.IsUsed && peer.Id == id) { return peer; }
        }
        return null;
    }

    private static bool IsProven(SealPeer peer, long now) => peer.IsUsed && now < peer.LeaseUntil;

    // Beacons of former runs can be sent again by anybody, so all places may be taken: then chance
    // decides who gives way, and the living come again every time.
    private void Remember(in Incarnation id, uint number, long now)
    {
        int place = -1;
        for (int i = 0; i < _strangers.Length; i++)
        {
            if (_strangers[i].Number != 0 && _strangers[i].Id == id)
            {
                if ((int)(number - _strangers[i].Number) <= 0) { return; }
                place = i;
                break;
            }
            bool free = _strangers[i].Number == 0 || now - _strangers[i].HeardAt > StrangerTime;
            if (place < 0 && free) { place = i; }
        }
        if (place < 0)
        {
            _draw = (_draw * 6364136223846793005) + 1442695040888963407; // Knuth, MMIX
            place = (int)(_draw >> 33) % _strangers.Length;
        }
        _strangers[place] = new Stranger(id, number, now);
    }

    private int Seal(FrameKind kind, Span<byte> frame, int textBytes)
    {
        int length = OverheadBytes + textBytes;
        if (_counter == SealHeader.CounterMax)
        {
            throw new InvalidOperationException("sealed link: no counter is left, start anew");
        }
        new SealHeader(kind, _cipher.ActiveKey, checked((ushort)length), _self, ++_counter)
            .Write(frame);
        _cipher.Seal(frame[..length]);
        return length;
    }

    /// <summary>A node that was heard and has proven nothing; Number 0: none.</summary>
    private readonly record struct Stranger(Incarnation Id, uint Number, long HeardAt);
}
