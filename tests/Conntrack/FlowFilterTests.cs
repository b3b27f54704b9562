using System.Linq;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <summary>The user-space rows of the matrix in spec sync, section 16.2.</summary>
public sealed class FlowFilterTests
{
    // 192.0.2.10 and 198.51.100.99, the addresses of the matrix; the others are unlisted.
    private const uint Listed = 0xc000020a;
    private const uint ListedTarget = 0xc6336463;
    private const uint Client = 0xc0000232;
    private const uint Server = 0xc633640a;

    // The flows of the matrix: 1 source listed; 2 translated to the listed target; 3 target listed;
    // 4 both listed; 5 neither; 6 IPv6.
    private static readonly Flow[] s_matrix =
    [
        Kernel(Listed, Server, Server),
        Kernel(Client, Server, ListedTarget),
        Kernel(0xc0000233, ListedTarget, ListedTarget),
        Kernel(Listed, ListedTarget, ListedTarget),
        Kernel(Client, Server, Server),
        Ipv6(1, 2),
    ];

    [Fact]
    public void Accept_keeps_flows_with_a_listed_source_or_real_target() =>
        Assert.Equal([1, 2, 3, 4], Accepted(FilterPolicy.Accept));

    [Fact]
    public void Ignore_drops_flows_with_a_listed_source_or_real_target() =>
        Assert.Equal([5, 6], Accepted(FilterPolicy.Ignore));

    [Fact]
    public void A_flow_of_the_peer_is_tested_with_its_described_translation()
    {
        FlowFilter filter = AddressFilter(FilterPolicy.Accept);
        Flow flow = External(Client, Server);
        Assert.False(filter.Accepts(flow));

        flow.DnatAddress = new Address(0, ListedTarget);
        flow.Present |= FlowAttributes.Dnat;
        Assert.True(filter.Accepts(flow));
        Assert.True(flow.TryGetTranslatedReply(out FlowTuple reply));
        Assert.Equal(ListedTarget, reply.Source.Low);

        // With DNAT the original target is not an end of the flow.
        flow = External(Client, ListedTarget);
        flow.DnatAddress = new Address(0, Server);
        flow.Present |= FlowAttributes.Dnat;
        Assert.False(filter.Accepts(flow));
    }

    [Fact]
    public void A_flow_without_addresses_or_family_is_never_kept()
    {
        Flow flow = External(Client, Server);
        Assert.True(FlowFilter.AcceptAll.Accepts(flow));
        flow.Present &= ~FlowAttributes.Orig;
        Assert.False(FlowFilter.AcceptAll.Accepts(flow));

        flow = External(Client, Server);
        flow.Family = AddressFamily.Unknown;
        Assert.False(FlowFilter.AcceptAll.Accepts(flow));
    }

    [Theory]
    [InlineData(FilterPolicy.Accept, false)]
    [InlineData(FilterPolicy.Ignore, true)]
    public void An_empty_set_matches_nothing(object policy, bool isKept)
    {
        var builder = new FlowFilterBuilder { AddressPolicy = (FilterPolicy)policy };
        Assert.Equal(isKept, builder.Build().Accepts(s_matrix[0]));

        builder = new FlowFilterBuilder { ProtocolPolicy = (FilterPolicy)policy };
        Assert.Equal(isKept, builder.Build().Accepts(s_matrix[0]));
    }

    [Fact]
    public void The_families_have_lists_of_their_own_under_one_policy()
    {
        var builder = new FlowFilterBuilder { AddressPolicy = FilterPolicy.Accept };
        builder.AddAddress(new AddressPrefix(AddressFamily.Ipv4, default, 0));
        Assert.Equal([1, 2, 3, 4, 5], Accepted(builder.Build()));

        builder.AddAddress(AddressPrefix.Host(AddressFamily.Ipv6, new Address(0, 2)));
        Assert.Equal([1, 2, 3, 4, 5, 6], Accepted(builder.Build()));
    }

    [Fact]
    public void Protocols_are_kept_or_dropped_and_an_absent_one_counts_as_0()
    {
        var builder = new FlowFilterBuilder { ProtocolPolicy = FilterPolicy.Accept };
        builder.AddProtocol(L4Protocol.Tcp);
        builder.AddProtocol(255);
        FlowFilter filter = builder.Build();
        Flow flow = External(Client, Server);
        for (int protocol = 0; protocol <= 255; protocol++)
        {
            flow.Protocol = (byte)protocol;
            Assert.Equal(protocol is L4Protocol.Tcp or 255, filter.Accepts(flow));
        }
        flow.Protocol = L4Protocol.Tcp;
        flow.Present &= ~FlowAttributes.Protocol;
        Assert.False(filter.Accepts(flow));
    }

    [Fact]
    public void Only_TCP_flows_that_carry_a_state_are_tested_for_it()
    {
        var builder = new FlowFilterBuilder { StatePolicy = FilterPolicy.Accept };
        builder.AddTcpState(3);
        FlowFilter filter = builder.Build();
        Flow flow = External(Client, Server);
        flow.ProtocolState = 1;
        Assert.True(filter.Accepts(flow));

        flow.Present |= FlowAttributes.ProtocolState;
        Assert.False(filter.Accepts(flow));
        flow.ProtocolState = 3;
        Assert.True(filter.Accepts(flow));
        flow.ProtocolState = 255;
        Assert.False(filter.Accepts(flow));
        flow.Protocol = L4Protocol.Sctp;
        Assert.True(filter.Accepts(flow));
    }

    [Fact]
    public void A_flow_must_pass_every_set()
    {
        var builder = new FlowFilterBuilder
        {
            ProtocolPolicy = FilterPolicy.Accept,
            AddressPolicy = FilterPolicy.Ignore,
        };
        builder.AddProtocol(L4Protocol.Tcp);
        builder.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, Listed)));
        FlowFilter filter = builder.Build();

        Assert.True(filter.Accepts(External(Client, Server)));
        Assert.False(filter.Accepts(External(Listed, Server)));
        Flow udp = External(Client, Server);
        udp.Protocol = L4Protocol.Udp;
        Assert.False(filter.Accepts(udp));
    }

    [Fact]
    public void A_test_allocates_nothing()
    {
        FlowFilter filter = AddressFilter(FilterPolicy.Accept);
        Accepted(filter);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int kept = 0;
        for (int i = 0; i < 10_000; i++)
        {
            if (filter.Accepts(s_matrix[i % s_matrix.Length])) { kept++; }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(kept > 0);
    }

    private static int[] Accepted(FilterPolicy policy) => Accepted(AddressFilter(policy));

    private static int[] Accepted(FlowFilter filter) => Enumerable.Range(1, s_matrix.Length)
        .Where(n => filter.Accepts(s_matrix[n - 1])).ToArray();

    private static FlowFilter AddressFilter(FilterPolicy policy)
    {
        var builder = new FlowFilterBuilder { AddressPolicy = policy };
        builder.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, Listed)));
        builder.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, ListedTarget)));
        return builder.Build();
    }

    private static Flow Kernel(uint source, uint target, uint realTarget)
    {
        Flow flow = External(source, target);
        flow.Present |= FlowAttributes.Reply;
        flow.Reply.Source = new Address(0, realTarget);
        flow.Reply.Target = new Address(0, source);
        return flow;
    }

    private static Flow External(uint source, uint target)
    {
        Flow flow = default;
        flow.Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol;
        flow.Family = AddressFamily.Ipv4;
        flow.Protocol = L4Protocol.Tcp;
        flow.Orig.Source = new Address(0, source);
        flow.Orig.Target = new Address(0, target);
        return flow;
    }

    private static Flow Ipv6(ulong source, ulong target)
    {
        Flow flow = Kernel(0, 0, 0);
        flow.Family = AddressFamily.Ipv6;
        flow.Orig.Source = flow.Reply.Target = new Address(0, source);
        flow.Orig.Target = flow.Reply.Source = new Address(0, target);
        return flow;
    }
}
