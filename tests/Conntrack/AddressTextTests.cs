using System.Net;
using Conntrackd.Conntrack;
using CsCheck;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("fd00:1::2")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("2001:0:0:1::1")]
    [InlineData("::ffff:192.0.2.1")]
    [InlineData("::192.0.2.1")]
    [InlineData("::0.1.0.2")]
    [InlineData("::ffff:0:0:1")]
    [InlineData("0:1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6::")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void Ipv6_addresses_print_as_inet_ntop_prints_them(string address) =>
        Assert.Equal(address, Print(AddressFamily.Ipv6, Read(address)));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.2.0.255")]
    [InlineData("255.255.255.255")]
    public void Ipv4_addresses_print_dotted(string address) => Assert.Equal(
        address,
        Print(AddressFamily.Ipv4, Address.ReadIpv4(IPAddress.Parse(address).GetAddressBytes())));

    [Fact]
    public void Addresses_without_family_print_nothing() =>
        Assert.Equal("", Print(AddressFamily.Unknown, new Address(0, 1)));

    [Fact]
    public void Every_ipv6_text_reads_back_to_the_same_address() =>
        Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong, Gen.ULong).Sample((a, b, c, d) =>
        {
            // Masks make words of zeros likely.
            var address = new Address(a & Sparse(c), b & Sparse(d));
            return Read(Print(AddressFamily.Ipv6, address)) == address;
        });

    private static ulong Sparse(ulong bits)
    {
        ulong mask = 0;
        for (int word = 0; word < 4; word++)
        {
            if ((bits >> word) % 2 == 1) { mask |= 0xfffful << (16 * word); }
        }
        return mask;
    }

    private static Address Read(string text) =>
        Address.ReadIpv6(IPAddress.Parse(text).MapToIPv6().GetAddressBytes());

    private static string Print(AddressFamily family, Address address) =>
        SampleFlow.Print(text => AddressText.Append(text, family, address));
}
