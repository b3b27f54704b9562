using System.Linq;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class FilterTests
{
    [Fact]
    public void Blocks_add_up_and_the_last_policy_and_place_hold()
    {
        Options options = Clean(General("Filter From Kernelspace { Protocol Accept { TCP } } "
            + "Filter { Protocol Ignore { UDP } }"));
        Assert.False(options.IsFilterFromKernelspace);
        Assert.False(options.Filter.Accepts(FlowOf(L4Protocol.Tcp)));
        Assert.False(options.Filter.Accepts(FlowOf(L4Protocol.Udp)));
        Assert.True(options.Filter.Accepts(FlowOf(L4Protocol.Icmp)));

        options = Clean(General("Filter { } Filter From Kernelspace { }"));
        Assert.True(options.IsFilterFromKernelspace);
        Assert.True(options.Filter.IsEmpty);
    }

    [Theory]
    [InlineData("tcp", 6)]
    [InlineData("TCP", 6)]
    [InlineData("ICMP", 1)]
    [InlineData("IPv6-ICMP", 58)]
    [InlineData("SCTP", 132)]
    [InlineData("DCCP", 33)]
    [InlineData("gre", 47)]
    [InlineData("esp", 50)]
    [InlineData("fc", 133)]
    [InlineData("3pc", 34)]
    public void Protocols_are_found_by_name_and_alias(string name, byte number)
    {
        FlowFilter filter =
            Clean(General($"Filter {{ Protocol Accept {{ {name} }} }}")).Filter;
        Assert.True(filter.Accepts(FlowOf(number)));
        Assert.False(filter.Accepts(FlowOf(200)));
    }

    [Fact]
    public void The_case_of_a_protocol_name_matters()
    {
        Warned(General("Filter { Protocol Accept { Tcp } }"),
            "2:28: unknown protocol 'Tcp', ignoring, did you mean 'tcp'");
    }

    [Fact]
    public void States_come_in_groups_and_CLOSE_is_CLOSED()
    {
        FlowFilter filter = Clean(General("Filter { State Accept { "
            + "ESTABLISHED LISTEN for TCP CLOSED for TCP for TCP } }")).Filter;

        foreach (byte state in Enumerable.Range(0, 10).Select(s => (byte)s))
        {
            Flow flow = FlowOf(L4Protocol.Tcp);
            flow.ProtocolState = state;
            flow.Present |= FlowAttributes.ProtocolState;
            Assert.Equal(state is 3 or 8 or 9, filter.Accepts(flow));
        }
    }

    [Theory]
    [InlineData("State Accept { ESTABLISHED }",
        "2:37: expected 'for TCP' after the states, found '}'")]
    [InlineData("State Accept { established for TCP }",
        "2:25: expected a TCP state, 'for TCP' or '}' in 'State', found 'established', "
            + "did you mean 'ESTABLISHED'")]
    [InlineData("State { }", "2:16: expected Accept or Ignore after 'State', found '{'")]
    [InlineData("Protocol Accept { /etc }",
        "2:28: expected a protocol name or '}' in 'Protocol', found '/etc'")]
    [InlineData("Address Accept { IPv4_address 10 }",
        "2:40: expected an IPv4 address after 'IPv4_address', found '10'")]
    [InlineData("Address Accept { Ipv4_address 10.0.0.1 }",
        "2:27: unknown directive 'Ipv4_address' in 'Address', write 'IPv4_address' "
            + "(letter case matters)")]
    public void A_malformed_set_is_refused(string set, string message) =>
        Refused(General($"Filter {{ {set} }}"), message);

    [Fact]
    public void Items_that_are_no_addresses_are_skipped_with_a_warning()
    {
        FlowFilter filter = Warned(General("""
            Filter { Address Accept {
            IPv4_address face IPv4_address 08.0.0.1 IPv4_address 1.2.3.4/99999999999
            IPv6_address ::1/129 IPv6_address 1::2::3
            """.Replace("IPv6_address 1::2::3", "IPv4_address 10.0.0.1/8 } }",
                StringComparison.Ordinal)),
            "3:14: 'face' is not a valid IPv4 address, ignoring",
            "3:32: '08.0.0.1' is not a valid IPv4 address, ignoring",
            "3:54: '1.2.3.4/99999999999' is not a valid network, ignoring",
            "4:14: '::1/129' is not a valid network, ignoring").Filter;

        Assert.True(filter.Accepts(FlowOf(6)));
    }

    [Fact]
    public void Everything_of_IPv4_does_not_make_everything_of_IPv6_a_repetition()
    {
        FlowFilter filter = Clean(General(
            "Filter { Address Ignore { IPv4_address 0.0.0.0/0 IPv6_address ::/0 } }")).Filter;

        Flow flow = FlowOf(6);
        Assert.False(filter.Accepts(flow));
        flow.Family = AddressFamily.Ipv6;
        Assert.False(filter.Accepts(flow));
    }

    [Fact]
    public void A_filter_may_hold_any_number_of_addresses()
    {
        string addresses = string.Join('\n', Enumerable.Range(0, 100_000)
            .Select(i => $"IPv4_address 10.{i >> 16}.{(i >> 8) & 255}.{i & 255}"));
        FlowFilter filter = Clean(General($"Filter {{ Address Accept {{ {addresses} }} }}")).Filter;

        Assert.True(filter.Accepts(FlowOf(6)));
    }

    // 10.0.0.1 to 192.0.2.1, nothing translated.
    private static Flow FlowOf(byte protocol) => new()
    {
        Present = FlowAttributes.Orig | FlowAttributes.Protocol,
        Family = AddressFamily.Ipv4,
        Protocol = protocol,
        Orig = new FlowTuple
        {
            Source = new Address(0, 0x0a000001),
            Target = new Address(0, 0xc0000201),
        },
    };
}
