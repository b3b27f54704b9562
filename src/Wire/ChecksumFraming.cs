using System.Buffers.Binary;
using System.IO.Hashing;

namespace Conntrackd.Wire;

/// <summary>Frames that end with a digest: what was damaged on its way is not read.</summary>
/// <remarks><code>
/// bytes 0-3  <see cref="FrameHeader"/>, kind Checked, no key
/// bytes 4-   messages
/// last 8     XXH3 (64 bits) of all before, with a seed of ours, big-endian
/// </code>Against accidents only: anybody can compute the digest. A frame without one is refused,
/// or else a bit that turns the version would open the door. The checksum of UDP has 16 bits and
/// adds: two flips a multiple of 16 bits apart can cancel each other.</remarks>
internal sealed class ChecksumFraming : IFraming
{
    private const int DigestSize = sizeof(ulong);

    /// <summary>"ctdframe": a digest that other programs write is no digest here.</summary>
    private const long Seed = 0x6374_6466_7261_6d65;

    public int HeadBytes => FrameHeader.Size;

    public int OverheadBytes => FrameHeader.Size + DigestSize;

    public FrameCounters Counters { get; } = new();

    public int Wrap(Span<byte> frame, int messageBytes)
    {
        int covered = FrameHeader.Size + messageBytes;
        int length = covered + DigestSize;
        new FrameHeader(FrameKind.Checked, 0, checked((ushort)length)).Write(frame);
        BinaryPrimitives.WriteUInt64BigEndian(
            frame[covered..], XxHash3.HashToUInt64(frame[..covered], Seed));
        return length;
    }

    public FrameVerdict Unwrap(
        ReadOnlySpan<byte> frame, long now, ref PeerAddress from,
        out ReadOnlySpan<byte> messages)
    {
        FrameVerdict verdict = Examine(frame, out messages);
        Counters.Count(verdict);
        return verdict;
    }

    private FrameVerdict Examine(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> messages)
    {
        messages = default;
        if (!FrameHeader.TryRead(frame, out FrameHeader header)
            || header.Kind != FrameKind.Checked)
        {
            return FrameVerdict.Plain;
        }
        if (header.Length != frame.Length || frame.Length <= OverheadBytes)
        {
            return FrameVerdict.Malformed;
        }
        int covered = frame.Length - DigestSize;
        ulong digest = BinaryPrimitives.ReadUInt64BigEndian(frame[covered..]);
        if (XxHash3.HashToUInt64(frame[..covered], Seed) != digest) { return FrameVerdict.Corrupt; }
        messages = frame[FrameHeader.Size..covered];
        return FrameVerdict.Messages;
    }
}
