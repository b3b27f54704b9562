using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Netlink;

public sealed class MessageWriterTests
{
    private static bool Build(ref MessageWriter writer)
    {
        writer.Begin(0x0100, NetlinkFlags.Request, 5, 2);
        int nest = writer.BeginNest(1);
        writer.PutByte(2, 0xff);
        writer.PutUInt16(3, 0x1234);
        writer.EndNest(nest);
        writer.PutText(4, "ftp"u8);
        writer.PutBytes(5, [1, 2, 3, 4, 5]);
        writer.PutUInt32(6, 7);
        return writer.End();
    }

    [Fact]
    public void A_message_in_a_dirty_buffer_has_zero_padding()
    {
        byte[] buffer = new byte[256];
        Array.Fill(buffer, (byte)0xa5);
        var writer = new MessageWriter(buffer);
        Assert.True(Build(ref writer));
        const string Expected =
            "4400000000010100" + "0500000000000000" + "02000000"     // headers
            + "14000180" + "05000200FF000000" + "0600030012340000"  // nest
            + "0800040066747000" + "0900050001020304" + "05000000" + "0800060000000007";
        Assert.Equal(Expected, Convert.ToHexString(writer.Written));
        Assert.Equal(68, writer.Length);
        Assert.Equal(1, writer.Count);
        Assert.Equal(0xa5, buffer[68]);
    }

    [Fact]
    public void What_does_not_fit_is_taken_back_and_the_rest_stays()
    {
        byte[] buffer = new byte[200];
        for (int room = 0; room < 2 * 68; room++)
        {
            var writer = new MessageWriter(buffer.AsSpan(0, room));
            bool first = Build(ref writer);
            bool second = Build(ref writer);
            Assert.Equal(room >= 68, first);
            Assert.False(second);
            Assert.False(writer.Overflowed);
            Assert.Equal(first ? 68 : 0, writer.Length);
            Assert.Equal(first ? 1 : 0, writer.Count);
        }
    }

    [Fact]
    public void Clear_starts_the_buffer_anew()
    {
        var writer = new MessageWriter(new byte[80]);
        Assert.True(Build(ref writer));
        Assert.False(Build(ref writer));
        writer.Clear();
        Assert.Equal(0, writer.Length);
        Assert.True(Build(ref writer));
    }
}
