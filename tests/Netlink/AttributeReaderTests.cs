using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Netlink;

public sealed class AttributeReaderTests
{
    [Fact]
    public void Flag_bits_are_no_part_of_the_number()
    {
        var reader = new AttributeReader([4, 0, 1, 0x80, 5, 0, 2, 0x40, 9, 0, 0, 0]);
        Assert.True(reader.TryNext(out NetlinkAttribute nest));
        Assert.Equal(1, nest.Type);
        Assert.True(nest.Payload.IsEmpty);
        Assert.True(reader.TryNext(out NetlinkAttribute number));
        Assert.Equal(2, number.Type);
        Assert.True(number.TryReadByte(out byte value));
        Assert.Equal(9, value);
        Assert.False(reader.TryNext(out _));
        Assert.False(reader.Malformed);
    }

    [Fact]
    public void The_last_attribute_needs_no_padding_and_stray_bytes_are_ignored()
    {
        var unpadded = new AttributeReader([5, 0, 1, 0, 7]);
        Assert.True(unpadded.TryNext(out _));
        Assert.False(unpadded.TryNext(out _));
        Assert.False(unpadded.Malformed);
        var stray = new AttributeReader([1, 2, 3]);
        Assert.False(stray.TryNext(out _));
        Assert.False(stray.Malformed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(255)]
    public void A_length_that_cannot_be_ends_the_walk(byte length)
    {
        var reader = new AttributeReader([length, 0, 1, 0, 0, 0, 0, 0]);
        Assert.False(reader.TryNext(out _));
        Assert.True(reader.Malformed);
    }

    [Fact]
    public void Numbers_are_big_endian_and_never_read_past_the_payload()
    {
        var attribute = new NetlinkAttribute(1, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.True(attribute.TryReadUInt16(out ushort two));
        Assert.Equal(0x0102, two);
        Assert.True(attribute.TryReadUInt32(out uint four));
        Assert.Equal(0x01020304u, four);
        Assert.True(attribute.TryReadUInt64(out ulong eight));
        Assert.Equal(0x0102030405060708ul, eight);
        var brief = new NetlinkAttribute(1, [1]);
        Assert.False(brief.TryReadUInt16(out _));
        Assert.False(brief.TryReadUInt32(out _));
        Assert.False(brief.TryReadUInt64(out _));
        Assert.False(new NetlinkAttribute(1, []).TryReadByte(out _));
    }
}
