using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

public sealed class NetworkInterfaceTests
{
    [Fact]
    public void The_loopback_is_known()
    {
        Assert.Equal(Errno.None, NetworkInterface.TryFind("lo", out NetworkInterface found));
        Assert.Equal(1, found.Index);
        Assert.True(found.Mtu > 1500);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nosuchinterface")]
    [InlineData("nosuchinterface0")]
    public void An_unknown_one_is_not(string name) =>
        Assert.Equal(Errno.Enodev, NetworkInterface.TryFind(name, out _));

    [Theory]
    [InlineData(0x0u, false, false)]
    [InlineData(0x1u, true, false)]
    [InlineData(0x40u, false, false)]
    [InlineData(0x41u, true, true)]
    public void Running_needs_both_flags(uint flags, bool up, bool running)
    {
        NetworkInterface link = new(2, 1500, (InterfaceFlags)flags);
        Assert.Equal(up, link.IsUp);
        Assert.Equal(running, link.IsRunning);
    }
}
