using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class GroupClaimsTests
{
    private const uint Red = 1, Blue = 2, Rest = 4;

    private static readonly AddressPrefix s_network =
        new(AddressFamily.Ipv4, Flows.Ipv4(0x0a160000), 16);

    private static readonly GroupClaim s_none = new([], []);
    private static readonly GroupClaim s_marks = new([new(0x2, 0xf), new(0x70, ~0u)], []);
    private static readonly GroupClaim s_addresses = new([], [s_network]);

    [Fact]
    public void A_mark_tells_the_group_by_the_bits_that_count()
    {
        GroupClaims claims = GroupClaims.From([s_marks, s_addresses])!;
        Assert.Equal(Red, claims.OwnersOf(Marked(0x2)));
        Assert.Equal(Red, claims.OwnersOf(Marked(0xf2)));
        Assert.Equal(Red, claims.OwnersOf(Marked(0x70)));
        Assert.Equal(Red | Blue, claims.OwnersOf(Marked(0x171)));
        Assert.Equal(Red | Blue, claims.OwnersOf(Flows.Tcp()));
    }

    [Fact]
    public void Any_of_the_four_addresses_tells_the_group()
    {
        GroupClaims claims = GroupClaims.From([s_marks, s_addresses])!;
        Address one = Flows.Ipv4(0x0a160001);
        Flow flow = Flows.Tcp();
        flow.Orig.Source = one;
        Assert.Equal(Blue, claims.OwnersOf(flow));
        flow = Flows.Tcp();
        flow.Orig.Target = one;
        Assert.Equal(Blue, claims.OwnersOf(flow));

        // As a peer describes it, and as the kernel does.
        flow = Flows.Tcp();
        flow.SnatAddress = one;
        flow.Present |= FlowAttributes.Snat;
        Assert.Equal(Blue, claims.OwnersOf(flow));
        Assert.True(flow.TryGetTranslatedReply(out flow.Reply));
        flow.Present = flow.Present & ~FlowAttributes.Snat | FlowAttributes.Reply;
        Assert.Equal(Blue, claims.OwnersOf(flow));

        flow.Family = AddressFamily.Ipv6;
        Assert.Equal(Red | Blue, claims.OwnersOf(flow));
    }

    [Fact]
    public void What_nobody_claims_belongs_to_those_without_a_claim()
    {
        GroupClaims claims = GroupClaims.From([s_marks, s_addresses, s_none])!;
        Assert.Equal(Rest, claims.OwnersOf(Flows.Tcp()));
        Assert.Equal(Red, claims.OwnersOf(Marked(2)));
    }

    [Fact]
    public void Without_any_claim_there_is_nothing_to_tell_apart() =>
        Assert.Null(GroupClaims.From([s_none, s_none]));

    private static Flow Marked(uint mark)
    {
        Flow flow = Flows.Tcp();
        flow.Mark = mark;
        flow.Present |= FlowAttributes.Mark;
        return flow;
    }
}
