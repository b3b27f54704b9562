using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class ChecksumFramingTests
{
    private readonly ChecksumFraming _framing = new();

    [Fact]
    public void A_whole_frame_gives_its_messages()
    {
        byte[] frame = Frame();
        Assert.Equal(FrameVerdict.Messages, Unwrap(frame, out byte[] messages));
        Assert.Equal(Convert.FromHexString(SealDesk.Messages), messages);
        Assert.Equal(12, _framing.OverheadBytes);
        Assert.Equal(1u, _framing.Counters[FrameVerdict.Messages]);
        Assert.Equal(0u, _framing.Counters.Refused);
    }

    [Fact]
    public void No_bit_can_turn_unnoticed()
    {
        byte[] frame = Frame();
        for (int bit = 0; bit < 8 * frame.Length; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(FrameVerdict.Messages, Unwrap(frame, out _));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.Equal((ulong)(8 * frame.Length), _framing.Counters.Refused);
        Assert.Equal(FrameVerdict.Messages, Unwrap(frame, out _));
    }

    [Fact]
    public void No_part_of_a_frame_is_one()
    {
        byte[] frame = Frame();
        for (int length = 0; length < frame.Length; length++)
        {
            Assert.NotEqual(FrameVerdict.Messages, Unwrap(frame[..length], out _));
        }
        Assert.Equal(FrameVerdict.Malformed, Unwrap([.. frame, 0], out _));
    }

    [Fact]
    public void Messages_without_a_digest_and_sealed_ones_are_refused()
    {
        Assert.Equal(
            FrameVerdict.Plain, Unwrap(Convert.FromHexString(SealDesk.Messages), out _));
        using var desk = new SealDesk(1);
        Assert.Equal(FrameVerdict.Plain, Unwrap(desk.Wrap(0), out _));
    }

    private byte[] Frame()
    {
        byte[] messages = Convert.FromHexString(SealDesk.Messages);
        byte[] frame = new byte[messages.Length + _framing.OverheadBytes];
        messages.CopyTo(frame, _framing.HeadBytes);
        Assert.Equal(frame.Length, _framing.Wrap(frame, messages.Length));
        return frame;
    }

    private FrameVerdict Unwrap(byte[] frame, out byte[] messages)
    {
        PeerAddress from = default;
        FrameVerdict verdict =
            _framing.Unwrap(frame, 0, ref from, out ReadOnlySpan<byte> found);
        messages = found.ToArray();
        return verdict;
    }
}
