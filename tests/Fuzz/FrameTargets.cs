using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO.Hashing;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Tests.Wire;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// A node with a key, its peer, and a third one that has the key and talks nonsense.
/// </summary>
/// <remarks>
/// The corpus is what the peer of exactly this run has sent: its frames are good once, and then
/// replays. Nothing that the peer did not seal may come out as messages.
/// </remarks>
internal sealed class SealedTarget : FuzzTarget
{
    internal static readonly byte[] Text = Convert.FromHexString(SealDesk.Messages);

    private const int PeerNode = 2, InsiderNode = 3;

    // Counters of the recording: none that the peer uses within one session, all in the window.
    private const int RecordedFrom = 1000;

    private static readonly Lazy<List<byte[]>> s_recorded = new(Record);

    private const long Millisecond = 1000;

    private readonly LinkCipher _cipher = MakeCipher(), _peerCipher = MakeCipher();
    private readonly LinkCipher _insiderCipher = MakeCipher();
    private readonly SealedFraming _node, _peer, _insider;
    private readonly HashSet<ulong> _sealed = [];
    private readonly byte[] _frame = new byte[16 * 1024 + 64];
    private PeerAddress _from;
    private long _now = 1_000_000;
    private long _beaconAt;
    private ulong _frames;

    internal SealedTarget()
    {
        _node = Make(_cipher, 1, _now);
        _peer = Make(_peerCipher, PeerNode, _now);
        _insider = Make(_insiderCipher, InsiderNode, _now);
        for (int i = 0; i < 4; i++) { Beacons(); }
        foreach (byte[] frame in Recorded()) { _sealed.Add(FuzzRandom.Of(frame)); }
    }

    /// <summary>Frames of the peer, as it sends them after the greeting.</summary>
    internal static List<byte[]> Recorded() => s_recorded.Value;

    private static List<byte[]> Record()
    {
        const int Count = 48;
        using LinkCipher cipher = MakeCipher();
        SealedFraming peer = Make(cipher, PeerNode, 1_000_000);
        var frames = new List<byte[]>();
        byte[] room = new byte[512];
        for (int i = 1; i < RecordedFrom; i++) { peer.Wrap(room, 1); }
        for (int i = 0; i < Count; i++)
        {
            if (i % 8 == 0)
            {
                peer.BeginBeacon(1_000_000);
                frames.Add(room[..peer.WriteBeacon(room, 1_000_000)]);
                continue;
            }
            Text.CopyTo(room, peer.HeadBytes);
            frames.Add(room[..peer.Wrap(room, Text.Length)]);
        }
        return frames;
    }

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        _now += 500;
        if (_now >= _beaconAt) { Beacons(); }
        ulong draw = FuzzRandom.Of(input);
        if (draw % 4 == 0 && input.Length is > SealHeader.Size and < 8 * 1024)
        {
            return 1000 + (uint)GiveAsInsider(input[SealHeader.Size..]);
        }
        FrameVerdict verdict = Unwrap(input, out ReadOnlySpan<byte> messages);
        bool isGood = verdict is FrameVerdict.Messages or FrameVerdict.Beacon;
        Require(!isGood || _sealed.Remove(draw), "only what the peer sealed is read, once");
        Require(verdict != FrameVerdict.Messages || messages.SequenceEqual(Text), "as it was");
        return ((uint)verdict << 8) | (uint)Math.Min(input.Length / 64, 255);
    }

    /// <summary>A message of the peer comes through; the same once more does not.</summary>
    internal override void Probe()
    {
        Text.CopyTo(_frame, _peer.HeadBytes);
        ReadOnlySpan<byte> frame = _frame.AsSpan(0, _peer.Wrap(_frame, Text.Length));
        bool isRead = Unwrap(frame, out ReadOnlySpan<byte> messages) == FrameVerdict.Messages;
        Require(isRead && messages.SequenceEqual(Text), "the peer's message is read");
        Require(Unwrap(frame, out _) == FrameVerdict.Replayed, "a replay is not");
    }

    public override void Dispose()
    {
        base.Dispose();
        _cipher.Dispose();
        _peerCipher.Dispose();
        _insiderCipher.Dispose();
    }

    private FrameVerdict GiveAsInsider(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_frame.AsSpan(SealHeader.Size));
        int length = _insider.Wrap(_frame, text.Length);
        FrameVerdict verdict = Unwrap(_frame.AsSpan(0, length), out ReadOnlySpan<byte> messages);
        bool isRead = verdict == FrameVerdict.Messages;
        Require(isRead && messages.SequenceEqual(text), "what was sealed is read");
        return verdict;
    }

    private FrameVerdict Unwrap(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> messages)
    {
        _from = SealDesk.Address(1);
        FrameVerdict verdict = _node.Unwrap(frame, _now, ref _from, out messages);
        _frames++;
        ulong counted = _node.Counters[FrameVerdict.Messages] + _node.Counters[FrameVerdict.Beacon]
            + _node.Counters.Refused;
        Require(counted == _frames, "every frame is counted once");
        return verdict;
    }

    // Each hears the other two; the order is fixed, so that the counters are.
    private void Beacons()
    {
        _beaconAt = _now + (100 * Millisecond);
        SealedFraming[] all = [_node, _peer, _insider];
        byte[] room = new byte[512];
        foreach (SealedFraming sender in all)
        {
            sender.BeginBeacon(_now);
            int length = sender.WriteBeacon(room, _now);
            foreach (SealedFraming reader in all)
            {
                if (reader == sender) { continue; }
                if (reader == _node)
                {
                    Unwrap(room.AsSpan(0, length), out _);
                    continue;
                }
                PeerAddress from = SealDesk.Address(1);
                reader.Unwrap(room.AsSpan(0, length), _now, ref from, out _);
            }
        }
    }

    private static LinkCipher MakeCipher()
    {
        Require(Sodium.TryStart(), "libsodium");
        return new LinkCipher(SealDesk.Ring((1, SealDesk.KeyOne, true)));
    }

    private static SealedFraming Make(LinkCipher cipher, ushort node, long now)
    {
        byte[] draw = new byte[Incarnation.Size];
        Array.Fill(draw, (byte)node);
        return new SealedFraming(cipher, Incarnation.Of(node, draw), now);
    }
}

/// <summary>Frames with a digest: what is damaged is never read.</summary>
internal sealed class CheckedTarget : FuzzTarget
{
    private const long Seed = 0x6374_6466_7261_6d65;

    private readonly ChecksumFraming _framing = new();
    private readonly ReceiveCounters _counters = new();
    private readonly byte[] _frame = new byte[64 * 1024 + 16];
    private PeerAddress _from;
    private Flow _flow;
    private ulong _frames;

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        bool isRepaired = FuzzRandom.Of(input) % 2 == 0 && input.Length is > 12 and < 65_000;
        ReadOnlySpan<byte> frame = isRepaired ? Repair(input) : input;
        FrameVerdict verdict = Unwrap(frame, out ReadOnlySpan<byte> messages);
        bool isSound = frame.Length > 12 && IsSound(frame);
        Require((verdict == FrameVerdict.Messages) == isSound, "read if and only if it is sound");
        uint way = (uint)verdict;
        var reader = new SyncMessageReader(messages, _counters);
        while (reader.TryNext(out SyncMessage message))
        {
            bool isFlow = FlowMessage.TryDecode(message.Body, ref _flow, out int unknown);
            way = (way * 31) + (isFlow ? (uint)_flow.Present : (uint)unknown);
        }
        return way;
    }

    internal override void Probe()
    {
        SealedTarget.Text.CopyTo(_frame, _framing.HeadBytes);
        int length = _framing.Wrap(_frame, SealedTarget.Text.Length);
        bool isRead = Unwrap(_frame.AsSpan(0, length), out ReadOnlySpan<byte> messages)
            == FrameVerdict.Messages;
        Require(isRead && messages.SequenceEqual(SealedTarget.Text), "a good frame is read");
        _frame[length / 2] ^= 1;
        bool isRefused = Unwrap(_frame.AsSpan(0, length), out _) == FrameVerdict.Corrupt;
        Require(isRefused, "one turned bit is seen");
    }

    private FrameVerdict Unwrap(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> messages)
    {
        _from = SealDesk.Address(1);
        FrameVerdict verdict = _framing.Unwrap(frame, 1, ref _from, out messages);
        ulong counted = _framing.Counters[FrameVerdict.Messages] + _framing.Counters.Refused;
        Require(++_frames == counted, "every frame is counted once");
        return verdict;
    }

    // Length and digest set right: what is wrong inside gets through.
    private ReadOnlySpan<byte> Repair(ReadOnlySpan<byte> input)
    {
        input.CopyTo(_frame);
        BinaryPrimitives.WriteUInt16BigEndian(_frame.AsSpan(2), (ushort)input.Length);
        ulong digest = XxHash3.HashToUInt64(_frame.AsSpan(0, input.Length - 8), Seed);
        BinaryPrimitives.WriteUInt64BigEndian(_frame.AsSpan(input.Length - 8), digest);
        return _frame.AsSpan(0, input.Length);
    }

    private static bool IsSound(ReadOnlySpan<byte> frame) => frame[0] == 0x28
        && BinaryPrimitives.ReadUInt16BigEndian(frame[2..]) == frame.Length
        && BinaryPrimitives.ReadUInt64BigEndian(frame[^8..])
            == XxHash3.HashToUInt64(frame[..^8], Seed);
}
