using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

// What stands around the messages on the links: nothing, a digest, or a seal. One framing serves
// all links, so that a frame sealed for one of them can leave on another.
internal sealed partial class Links
{
    /// <summary>
    /// A stream is cut where a frame ends; so long a frame, and two fit into a piece of it.
    /// </summary>
    private const int StreamFrameMax = StreamSender.ChunkBytes / 2;

    // A sender that is new is unproven for a moment; one that stays so is worth a line.
    private const long UnprovenMax = 10 * Second, UnprovenPause = 5 * Second;

    private IFraming? _framing;
    private SealedFraming? _sealed;
    private LinkCipher? _cipher;
    private string _keyPath = "";
    private ulong _restartsTold;
    private ulong _sameNumberTold;
    private long _unprovenSince;
    private long _unprovenAt = long.MinValue / 2;
    private LogThrottle _restartLog = new(intervalSeconds: 5);
    private LogThrottle _sameNumberLog = new(intervalSeconds: 60);

    /// <summary>What frames came to; null without framing.</summary>
    internal FrameCounters? Frames => _framing?.Counters;

    /// <summary>The sealing; null without a key file.</summary>
    internal SealedFraming? Sealed => _sealed;

    /// <summary>Number of the key that is sent with; 0 without one.</summary>
    internal byte ActiveKey => _cipher?.ActiveKey ?? 0;

    /// <summary>
    /// Reads the key file again and takes its keys. Null, or what is wrong; then the old ones stay.
    /// </summary>
    internal string? TryReadKeys()
    {
        if (_cipher is null) { return null; }
        string? failed = KeyFile.TryRead(_keyPath, out KeyRing? ring);
        if (failed is not null) { return failed; }
        _cipher.Change(ring!);
        TellKeys(ring!);
        return null;
    }

    private string? TryOpenFraming(SyncOptions sync)
    {
        LinkOptions first = sync.Links[0];
        if (first.FrameChecksum) { _framing = new ChecksumFraming(); }
        if (first.KeyFile is not string path) { return null; }
        string? failed = KeyFile.TryRead(path, out KeyRing? ring);
        if (failed is not null) { return failed; }
        Errno error = Libc.ForbidCoreDump();
        if (error != Errno.None)
        {
            _log.Warning($"core dumps, which hold keys, can't be forbidden: {error.Describe()}");
        }
        if (!ring!.IsLocked)
        {
            _log.Warning("the memory of the keys cannot be locked (LimitMEMLOCK, CAP_IPC_LOCK): "
                + "they may be written to swap");
        }
        Span<byte> random = stackalloc byte[Incarnation.Size];
        Sodium.Random(random);
        _keyPath = path;
        _cipher = new LinkCipher(ring);
        _sealed = new SealedFraming(
            _cipher, Incarnation.Of(NodeNumber(sync), random), Now(),
            _copies is null ? 1 : sync.Links.Count);
        _framing = _sealed;
        TellKeys(ring);
        return null;
    }

    // Nodes of one link differ in the end of their address if its network is a /16 or smaller.
    private static ushort NodeNumber(SyncOptions sync)
    {
        LinkOptions link = sync.Links[0];
        Address own = link.LocalAddress ?? link.InterfaceAddress ?? default;
        return sync.NodeNumber != 0 ? sync.NodeNumber : (ushort)own.Low;
    }

    private void TellKeys(KeyRing ring)
    {
        string numbers = "";
        for (int i = 0; i < ring.Count; i++) { numbers += $" {ring.NumberOf(i)}"; }
        string cipher = ring.IsAes(ring.Active) ? "AES-256-GCM" : "ChaCha20-Poly1305";
        _log.Notice($"links are sealed: sent with key {ring.NumberOf(ring.Active)} ({cipher}) of "
            + $"`{_keyPath}', taken with{numbers}");
    }

    private int PayloadMaxOf(LinkChannel channel)
    {
        if (_framing is null) { return channel.PayloadMax; }
        int bytes = Current.Options.Kind == LinkKind.Tcp ? StreamFrameMax : channel.PayloadMax;
        // Every message fits, whatever the MTU.
        return Math.Max(bytes, FlowMessage.SizeMax + _framing.OverheadBytes);
    }

    private bool IsHeld(long now) => _sealed is not null && _sealed.IsHeld(now);

    private long NextOfFraming(long now) => _sealed is null ? long.MaxValue
        : _sealed.IsHeld(now) ? Math.Min(_sealed.NextBeacon, _sealed.HeldUntil)
        : _sealed.NextBeacon;

    // On every link: where the peer listens is not known before it is proven.
    private void SendBeacons(long now)
    {
        if (_sealed is null || now < _sealed.NextBeacon) { return; }
        _sealed.BeginBeacon(now);
        foreach (Link link in _links)
        {
            if (link.Channel is not { IsClientConnected: true } channel) { continue; }
            Span<byte> room = channel.Reserve();
            // No room: the next one will do.
            if (room.IsEmpty) { continue; }
            channel.Commit(_sealed.WriteBeacon(room, now));
            channel.Flush();
        }
    }

    private void OnDatagram(Link link, in PeerAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_framing is null)
        {
            if (FrameHeader.IsFrame(datagram)) { TellFrame(link, in from, datagram); }
            OnMessages(link, in from, datagram);
            return;
        }
        if (_sealed is not null) { _sealed.Link = link.Index; }
        bool isStream = link.Options.Kind == LinkKind.Tcp;
        while (!datagram.IsEmpty)
        {
            int length = isStream
                ? SyncStreamReader.BoundaryFrom(datagram, 1) : datagram.Length;
            PeerAddress name = from;
            FrameVerdict verdict = _framing.Unwrap(
                datagram[..length], Now(), ref name, out ReadOnlySpan<byte> messages);
            if (verdict == FrameVerdict.Messages) { OnMessages(link, in name, messages); }
            else if (verdict == FrameVerdict.Copied) { link.Counters.Duplicates++; }
            else if (verdict != FrameVerdict.Beacon)
            {
                OnRefused(link, in from, datagram[..length], verdict);
            }
            datagram = datagram[length..];
        }
        TellNodes();
    }

    private void OnRefused(
        Link link, in PeerAddress from, ReadOnlySpan<byte> frame, FrameVerdict verdict)
    {
        if (verdict == FrameVerdict.Unproven)
        {
            long now = Now();
            if (now - _unprovenAt > UnprovenPause) { _unprovenSince = now; }
            _unprovenAt = now;
            if (now - _unprovenSince < UnprovenMax) { return; }
        }
        link.OnRefused(in from, verdict, CauseOf(verdict, frame));
    }

    private string CauseOf(FrameVerdict verdict, ReadOnlySpan<byte> frame) => verdict switch
    {
        FrameVerdict.Plain => CauseOfPlain(frame),
        FrameVerdict.Malformed => "a frame is cut short or has a wrong length",
        FrameVerdict.Corrupt => "a frame was damaged on its way (its digest differs)",
        FrameVerdict.UnknownKey =>
            $"sealed with key {frame[1]}, which `{_keyPath}' does not have: copy the key file to "
            + "every node and reload",
        FrameVerdict.Forged =>
            $"not sealed with key {frame[1]} of `{_keyPath}': the key files differ, or it is "
            + "forged",
        FrameVerdict.Reflected => "our own frames: a loop in the network, or somebody replays",
        FrameVerdict.Unproven =>
            "its sender does not hear us (is the link open in both directions?), or somebody "
            + "replays what a former run sent",
        FrameVerdict.Replayed => "seen before: the network sends it twice, or somebody replays",
        FrameVerdict.Late =>
            "held back on its way for too long, or sent before this node started: somebody replays",
        _ => $"more than {SealedFraming.PeersMax} nodes on this link",
    };

    private string CauseOfPlain(ReadOnlySpan<byte> frame) =>
        _sealed is not null
            ? "not sealed: the other node has no 'KeyFile', or is the original conntrackd"
            : FrameHeader.IsFrame(frame)
                ? "sealed: 'KeyFile' is configured there and not here"
                : "without a digest: the other node has no 'FrameChecksum on', or is the "
                    + "original conntrackd";

    // Without framing here: counted by the engine as of another version.
    private static void TellFrame(Link link, in PeerAddress from, ReadOnlySpan<byte> frame)
    {
        bool isChecked = FrameHeader.TryRead(frame, out FrameHeader header)
            && header.Kind == FrameKind.Checked;
        link.OnRefused(in from, FrameVerdict.Plain, isChecked
            ? "frames with a digest: 'FrameChecksum on' is configured there and not here"
            : "sealed: 'KeyFile' is configured there and not here");
    }

    private void TellNodes()
    {
        if (_sealed is null) { return; }
        long now = Clock.MonotonicMicroseconds();
        if (_sealed.Restarts != _restartsTold && _restartLog.TryTake(now, out _))
        {
            ulong times = _sealed.Restarts - _restartsTold;
            _restartsTold = _sealed.Restarts;
            _log.Notice(times == 1 ? $"node {_sealed.RestartedNode} of the sealed link started anew"
                : $"node {_sealed.RestartedNode} of the sealed link started anew {times} times: "
                    + "if it did not, two nodes have this number, set 'NodeNumber'");
        }
        if (_sealed.SameNumber != _sameNumberTold && _sameNumberLog.TryTake(now, out _))
        {
            _sameNumberTold = _sealed.SameNumber;
            _log.Warning("another node of the sealed link has our number: set 'NodeNumber'");
        }
    }
}
