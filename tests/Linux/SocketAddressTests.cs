using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

public sealed class SocketAddressTests
{
    private readonly byte[] _target = new byte[SocketAddress.SizeMax];

    public SocketAddressTests() => Array.Fill(_target, (byte)0xa5);

    private string Hex(int bytes) => Convert.ToHexStringLower(_target, 0, bytes);

    [Fact]
    public void Netlink() =>
        Assert.Equal(
            "100000000201000004000000", Hex(SocketAddress.WriteNetlink(_target, 0x102, 4)));

    [Fact]
    public void Ipv4() =>
        Assert.Equal(
            "02000ec47f0000010000000000000000",
            Hex(SocketAddress.WriteIpv4(_target, 0x7f000001, 3780)));

    [Fact]
    public void Ipv6() =>
        Assert.Equal(
            "0a000ec400000000fe80000000000000000000000000000102000000",
            Hex(SocketAddress.WriteIpv6(_target, 0xfe80UL << 48, 1, 3780, 2)));

    [Fact]
    public void Unix()
    {
        Assert.True(SocketAddress.TryWriteUnix(_target, "/a", out int bytes));
        Assert.Equal("01002f6100", Hex(bytes));
        Assert.True(SocketAddress.TryWriteUnix(_target, "@a", out bytes));
        Assert.Equal("01000061", Hex(bytes));
        Assert.True(SocketAddress.TryWriteUnix(_target, "/" + new string('x', 106), out bytes));
        Assert.Equal(110, bytes);
        Assert.False(SocketAddress.TryWriteUnix(_target, "/" + new string('x', 107), out _));
        Assert.False(SocketAddress.TryWriteUnix(_target, "", out _));
    }
}
