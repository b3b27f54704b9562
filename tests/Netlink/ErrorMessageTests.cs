using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Netlink;

public sealed class ErrorMessageTests
{
    private static bool Read(ushort type, byte[] payload, out int errno, out uint sequence)
    {
        var message = new NetlinkMessage(type, NetlinkFlags.None, 42, 1, payload);
        return ErrorMessage.TryRead(message, out errno, out sequence);
    }

    [Fact]
    public void An_errno_is_positive_and_an_acknowledgement_is_zero()
    {
        Assert.True(Read(
            NetlinkMessage.TypeError, BitConverter.GetBytes(-17), out int errno, out _));
        Assert.Equal(17, errno);
        Assert.True(Read(
            NetlinkMessage.TypeError, new byte[20], out errno, out uint sequence));
        Assert.Equal(0, errno);
        Assert.Equal(42u, sequence);
        Assert.True(Read(
            NetlinkMessage.TypeError, BitConverter.GetBytes(int.MinValue), out errno, out _));
        Assert.NotEqual(0, errno);
    }

    [Fact]
    public void Other_and_short_messages_are_no_errors()
    {
        Assert.False(Read(NetlinkMessage.TypeDone, new byte[4], out _, out _));
        Assert.False(Read(NetlinkMessage.TypeError, new byte[3], out _, out _));
    }
}
