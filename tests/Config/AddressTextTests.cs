using System.Net;
using Conntrackd.Conntrack;
using Xunit;
using AddressText = Conntrackd.Config.AddressText;

namespace Conntrackd.Tests.Config;

/// <summary>IPv6 addresses of a configuration file; the runtime's reader is the judge.</summary>
public sealed class AddressTextTests
{
    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("fe80::1:2")]
    [InlineData("2001:db8::")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("1:2:3:4:5:6:7::")]
    [InlineData("::2:3:4:5:6:7:8")]
    [InlineData("ABCD:ef01:2345:6789:abcd:EF01:2345:6789")]
    [InlineData("0:0:0:1:0:0:0:0")]
    public void An_address_is_read_and_written_as_everybody_does(string text)
    {
        Assert.True(AddressText.TryReadIpv6(text, out Address address));
        var expected = IPAddress.Parse(text);
        byte[] octets = new byte[Address.Ipv6Size];
        address.WriteIpv6(octets);
        Assert.Equal(expected.GetAddressBytes(), octets);
        Assert.Equal(expected.ToString(), AddressText.Format(AddressFamily.Ipv6, address));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1")]
    [InlineData("1::2::3")]
    [InlineData(":1::2")]
    [InlineData("1::2:")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4::5:6:7:8")]
    [InlineData("12345::")]
    [InlineData("g::")]
    [InlineData("+1::")]
    [InlineData(" 1::")]
    public void What_is_no_address_is_refused(string text) =>
        Assert.False(AddressText.TryReadIpv6(text, out _));
}
