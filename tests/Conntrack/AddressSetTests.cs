using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed class AddressSetTests
{
    private const int Seed = 7;

    [Fact]
    public void Overlapping_and_touching_networks_become_one_range()
    {
        var set = new AddressSet(
        [
            Ipv4(0x0a000000, 8), Ipv4(0x0a010000, 16), Ipv4(0x0b000000, 8),
            Ipv4(0xc0000201, 32), Ipv4(0xc0000202, 32), Ipv4(0xc0000204, 32),
        ]);

        Assert.Equal(3, set.RangeCount);
        Assert.True(set.Contains(new Address(0, 0x0bffffff)));
        Assert.False(set.Contains(new Address(0, 0x0c000000)));
        Assert.False(set.Contains(new Address(0, 0x09ffffff)));
        Assert.False(set.Contains(new Address(0, 0xc0000203)));
        Assert.False(new AddressSet([]).Contains(default));
    }

    [Fact]
    public void Prefix_0_holds_every_address_and_host_bits_do_not_matter()
    {
        var all = new AddressSet([new AddressPrefix(AddressFamily.Ipv6, new Address(5, 5), 0),
            new AddressPrefix(AddressFamily.Ipv6, new Address(ulong.MaxValue, 9), 128)]);
        Assert.Equal(1, all.RangeCount);
        Assert.True(all.Contains(default));
        Assert.True(all.Contains(new Address(ulong.MaxValue, ulong.MaxValue)));

        var network = new AddressSet([Ipv4(0x0a0102ff, 24)]);
        Assert.True(network.Contains(new Address(0, 0x0a010200)));
        Assert.False(network.Contains(new Address(0, 0x0a010300)));

        Assert.Equal(new Address(0, uint.MaxValue), Ipv4(1, 0).Last);
    }

    [Theory]
    [InlineData(AddressFamily.Ipv4)]
    [InlineData(AddressFamily.Ipv6)]
    public void Membership_is_that_of_a_plain_search(object familyValue)
    {
        var family = (AddressFamily)familyValue;
        int width = family == AddressFamily.Ipv4 ? 32 : 128;
        var random = new Random(Seed);
        for (int round = 0; round < 200; round++)
        {
            var prefixes = new List<AddressPrefix>();
            for (int i = random.Next(12); i > 0; i--)
            {
                int length = random.Next(width + 1);
                prefixes.Add(new AddressPrefix(family, Near(random, width), length));
            }
            var set = new AddressSet(prefixes);
            for (int probe = 0; probe < 200; probe++)
            {
                Address address = Near(random, width);
                Assert.Equal(
                    prefixes.Any(p => Covers(p, address, width)), set.Contains(address));
            }
        }
    }

    // Few bits vary at both ends, so that addresses meet.
    private static Address Near(Random random, int width)
    {
        UInt128 bits = ((UInt128)random.Next(8) << (width - 3)) | (uint)random.Next(8);
        return new Address((ulong)(bits >> 64), (ulong)bits);
    }

    private static bool Covers(AddressPrefix prefix, Address address, int width)
    {
        UInt128 difference = new UInt128(prefix.Address.High, prefix.Address.Low)
            ^ new UInt128(address.High, address.Low);
        return prefix.Length == 0 || difference >> (width - prefix.Length) == 0;
    }

    private static AddressPrefix Ipv4(uint address, int length) =>
        new(AddressFamily.Ipv4, new Address(0, address), length);
}
