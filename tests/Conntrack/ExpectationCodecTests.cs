using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed class ExpectationCodecTests
{
    internal static Expectation Ftp()
    {
        Expectation expectation = default;
        expectation.Family = AddressFamily.Ipv4;
        expectation.Protocol = expectation.MaskProtocol = L4Protocol.Tcp;
        expectation.MasterProtocol = expectation.NatProtocol = L4Protocol.Tcp;
        expectation.Master = Flows.Tcp().Orig;
        expectation.Tuple = new FlowTuple
        {
            Source = Flows.Ipv4(0x0a000002),
            Target = Flows.Ipv4(0x0a000001),
            L4Target = 51210,
        };
        expectation.Mask = new FlowTuple
        {
            Source = Flows.Ipv4(uint.MaxValue),
            Target = Flows.Ipv4(uint.MaxValue),
            L4Target = ushort.MaxValue,
        };
        expectation.NatTuple.L4Source = 51210;
        expectation.NatDirection = 1;
        expectation.TimeoutSeconds = 300;
        expectation.Flags = ExpectationFlags.Permanent | ExpectationFlags.UserSpace;
        expectation.Class = 0;
        expectation.Helper = HelperName.From("ftp"u8);
        expectation.Function = FunctionName.From("nat-follow-master"u8);
        expectation.Zone = 7;
        expectation.Present = (ExpectationAttributes)0x7ff & ~ExpectationAttributes.Id;
        return expectation;
    }

    [Fact]
    public void A_create_carries_everything_the_kernel_asks_for()
    {
        Request request = Request.Of((ref MessageWriter writer) =>
            ExpectationEncoder.EncodeCreate(ref writer, Ftp(), 4, NetlinkFlags.Ack, 120));
        Assert.Equal(0x0200, request.Type);
        Assert.Equal((NetlinkFlags)0x605, request.Flags);
        Assert.Equal("0a000002", request.Hex((int)CtExpect.Tuple, 1, 1));
        Assert.Equal("c80a", request.Hex((int)CtExpect.Tuple, 2, 3));
        Assert.Equal("ffffffff", request.Hex((int)CtExpect.Mask, 1, 2));
        Assert.Equal("ffff", request.Hex((int)CtExpect.Mask, 2, 3));
        Assert.Equal("03e8", request.Hex((int)CtExpect.Master, 2, 2));
        Assert.Equal("00000078", request.Hex((int)CtExpect.Timeout));
        Assert.Equal("00000001", request.Hex((int)CtExpect.Flags));
        Assert.Equal("00000001", request.Hex((int)CtExpect.Nat, 1));
        Assert.Equal("c80a", request.Hex((int)CtExpect.Nat, 2, 2, 2));
        Assert.Equal("66747000", request.Hex((int)CtExpect.HelperName));
        Assert.EndsWith("00", request.Hex((int)CtExpect.Function), StringComparison.Ordinal);
        Assert.Equal("0007", request.Hex((int)CtExpect.Zone));
        Assert.Null(request.Hex((int)CtExpect.Id));
    }

    [Fact]
    public void An_update_sets_the_timeout_and_a_delete_names_the_tuple()
    {
        Request update = Request.Of((ref MessageWriter writer) =>
            ExpectationEncoder.EncodeUpdate(ref writer, Ftp(), 4, NetlinkFlags.Ack, 120));
        Assert.Equal((NetlinkFlags)5, update.Flags);
        Assert.Equal("00000078", update.Hex((int)CtExpect.Timeout));
        Assert.NotNull(update.Hex((int)CtExpect.Mask));
        Assert.NotNull(update.Hex((int)CtExpect.Master));
        Assert.Null(update.Hex((int)CtExpect.Nat));
        Request delete = Request.Of((ref MessageWriter writer) =>
            ExpectationEncoder.EncodeDelete(ref writer, Ftp(), 4, NetlinkFlags.Ack));
        Assert.Equal(0x0202, delete.Type);
        Assert.NotNull(delete.Hex((int)CtExpect.Tuple));
        Assert.Equal("0007", delete.Hex((int)CtExpect.Zone));
        Assert.Null(delete.Hex((int)CtExpect.Master));
    }

    [Fact]
    public void What_names_no_expectation_is_refused()
    {
        Expectation expectation = default;
        Assert.Equal(DecodeError.Header, ExpectationDecoder.Decode([2], ref expectation));
        Assert.Equal(DecodeError.Family, ExpectationDecoder.Decode([3, 0, 0, 0], ref expectation));
        Assert.Equal(
            DecodeError.TupleMissing, ExpectationDecoder.Decode([2, 0, 0, 0], ref expectation));
        Assert.Equal(
            DecodeError.Framing,
            ExpectationDecoder.Decode([2, 0, 0, 0, 9, 0, 1, 0], ref expectation));
    }

    [Fact]
    public void A_created_expectation_reads_back()
    {
        Expectation sent = Ftp(), read = default;
        Request request = Request.Of((ref MessageWriter writer) =>
            ExpectationEncoder.EncodeCreate(ref writer, sent, 4, NetlinkFlags.Ack, 300));
        Assert.Equal(DecodeError.None, ExpectationDecoder.Decode(request.Payload, ref read));
        Assert.Equal(sent.Present & ~ExpectationAttributes.Zone, read.Present);
        Assert.Equal(sent.Tuple, read.Tuple);
        Assert.Equal(sent.Mask, read.Mask);
        Assert.Equal(sent.Master, read.Master);
        Assert.Equal(sent.NatTuple, read.NatTuple);
        Assert.Equal(sent.NatDirection, read.NatDirection);
        Assert.Equal(sent.Function, read.Function);
        Assert.Equal(sent.Helper, read.Helper);
    }
}
