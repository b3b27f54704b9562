using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Netlink;

public sealed class MessageReaderTests
{
    private static byte[] TwoMessages()
    {
        byte[] buffer = new byte[128];
        Array.Fill(buffer, (byte)0xa5);
        var writer = new MessageWriter(buffer);
        writer.Begin(0x0100, NetlinkFlags.Multi, 7);
        writer.PutByte(3, 9);
        Assert.True(writer.End());
        writer.Begin(NetlinkMessage.TypeDone, NetlinkFlags.Multi, 7);
        writer.Reserve(4);
        Assert.True(writer.End());
        return writer.Written.ToArray();
    }

    [Fact]
    public void Messages_follow_each_other_until_the_end()
    {
        var reader = new MessageReader(TwoMessages());
        Assert.True(reader.TryNext(out NetlinkMessage first));
        Assert.Equal(0x0100, first.Type);
        Assert.Equal(NetlinkFlags.Multi, first.Flags);
        Assert.Equal(7u, first.Sequence);
        Assert.Equal(8, first.Payload.Length);
        Assert.True(reader.TryNext(out NetlinkMessage second));
        Assert.Equal(NetlinkMessage.TypeDone, second.Type);
        Assert.False(reader.TryNext(out _));
        Assert.False(reader.Malformed);
    }

    [Fact]
    public void Padding_of_the_last_message_may_be_missing()
    {
        byte[] datagram = TwoMessages()[..24];
        datagram[MessageReader.LengthAt] = 21;
        var reader = new MessageReader(datagram.AsSpan(0, 21));
        Assert.True(reader.TryNext(out NetlinkMessage message));
        Assert.Equal(5, message.Payload.Length);
        Assert.False(reader.TryNext(out _));
        Assert.False(reader.Malformed);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(45u)]
    [InlineData(0x80000000u)]
    [InlineData(uint.MaxValue)]
    public void A_length_that_cannot_be_ends_the_walk(uint length)
    {
        byte[] datagram = TwoMessages();
        BitConverter.TryWriteBytes(datagram, length);
        var reader = new MessageReader(datagram);
        Assert.False(reader.TryNext(out _));
        Assert.True(reader.Malformed);
        Assert.False(reader.TryNext(out _));
    }

    [Fact]
    public void Every_truncation_is_found()
    {
        byte[] datagram = TwoMessages();
        for (int length = 0; length < datagram.Length; length++)
        {
            var reader = new MessageReader(datagram.AsSpan(0, length));
            int count = 0;
            while (reader.TryNext(out _)) { count++; }
            Assert.Equal(length < 24 ? 0 : 1, count);
            Assert.Equal(length is not (0 or 24), reader.Malformed);
        }
    }
}
