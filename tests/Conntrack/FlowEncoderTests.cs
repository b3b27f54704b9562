using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <summary>
/// Each rule of the shared spec ctnetlink, sections 5 and 6, at the attributes sent.
/// </summary>
public sealed class FlowEncoderTests
{
    private static Request Create(Flow flow, bool windowTracking = false) =>
        Request.Of((ref MessageWriter writer) => FlowEncoder.EncodeCreate(
            ref writer, flow, 9, NetlinkFlags.Ack, new CreateOptions(60, windowTracking)));

    private static Request Update(Flow flow, bool windowTracking = false) =>
        Request.Of((ref MessageWriter writer) => FlowEncoder.EncodeUpdate(
            ref writer, flow, 9, NetlinkFlags.None, new CreateOptions(60, windowTracking)));

    [Fact]
    public void A_create_has_both_tuples_and_is_exclusive()
    {
        Request request = Create(Flows.Tcp());
        Assert.Equal(0x0100, request.Type);
        Assert.Equal((NetlinkFlags)0x605, request.Flags);
        Assert.Equal(9u, request.Sequence);
        Assert.Equal(2, request.Family);
        Assert.Equal("0a000001", request.Hex(CtAttribute.TupleOrig, 1, 1));
        Assert.Equal("0a000002", request.Hex(CtAttribute.TupleOrig, 1, 2));
        Assert.Equal("06", request.Hex(CtAttribute.TupleOrig, 2, 1));
        Assert.Equal("03e8", request.Hex(CtAttribute.TupleOrig, 2, 2));
        Assert.Equal("0050", request.Hex(CtAttribute.TupleOrig, 2, 3));
        Assert.Equal("0a000002", request.Hex(CtAttribute.TupleReply, 1, 1));
        Assert.Equal("0a000001", request.Hex(CtAttribute.TupleReply, 1, 2));
        Assert.Equal("0050", request.Hex(CtAttribute.TupleReply, 2, 2));
        Assert.Equal("03e8", request.Hex(CtAttribute.TupleReply, 2, 3));
        Assert.Equal("0000003c", request.Hex(CtAttribute.Timeout));
        Assert.Null(request.Hex(CtAttribute.NatSource));
        Assert.Null(request.Hex(CtAttribute.NatTarget));
    }

    [Theory]
    [InlineData(0x000u, "00000008")]
    [InlineData(0x00eu, "0000000e")]
    [InlineData(0x1beu, "0000000e")]
    [InlineData(0x20fu, "0000000e")]
    [InlineData(0xffffu, "0000000e")]
    [InlineData(0x2401u, "00000008")]
    public void The_status_is_confirmed_with_at_most_seen_reply_and_assured(
        uint status, string expected)
    {
        Flow flow = Flows.Tcp();
        flow.Status = (FlowStatus)status;
        Assert.Equal(expected, Create(flow).Hex(CtAttribute.Status));
        Assert.Equal(expected, Update(flow).Hex(CtAttribute.Status));
        flow.Present &= ~FlowAttributes.Status;
        Assert.Equal("00000008", Create(flow).Hex(CtAttribute.Status));
        Assert.Null(Update(flow).Hex(CtAttribute.Status));
    }

    [Fact]
    public void Source_nat_leaves_the_reply_tuple_alone_and_pins_address_and_port()
    {
        Flow flow = Flows.Tcp();
        flow.SnatAddress = Flows.Ipv4(0xcb007105);
        flow.Present |= FlowAttributes.Snat;
        Request request = Create(flow);
        Assert.Equal("0a000001", request.Hex(CtAttribute.TupleReply, 1, 2));
        Assert.Equal("cb007105", request.Hex(CtAttribute.NatSource, 1));
        Assert.Equal("cb007105", request.Hex(CtAttribute.NatSource, 2));
        Assert.Equal("03e8", request.Hex(CtAttribute.NatSource, 3, 1));
        Assert.Equal("03e8", request.Hex(CtAttribute.NatSource, 3, 2));
        Assert.Null(request.Hex(CtAttribute.NatTarget));
        flow.SpatPort = 12345;
        flow.Present |= FlowAttributes.Spat;
        Assert.Equal("3039", Create(flow).Hex(CtAttribute.NatSource, 3, 1));
    }

    [Fact]
    public void Target_nat_and_both_kinds_together()
    {
        Flow flow = Flows.Tcp();
        flow.SnatAddress = Flows.Ipv4(0xcb007105);
        flow.DnatAddress = Flows.Ipv4(0x0a020002);
        flow.DpatPort = 8080;
        flow.Present |= FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Dpat;
        Request request = Create(flow);
        Assert.Equal("cb007105", request.Hex(CtAttribute.NatSource, 1));
        Assert.Equal("0a020002", request.Hex(CtAttribute.NatTarget, 1));
        Assert.Equal("0a020002", request.Hex(CtAttribute.NatTarget, 2));
        Assert.Equal("1f90", request.Hex(CtAttribute.NatTarget, 3, 1));
        Assert.Equal("1f90", request.Hex(CtAttribute.NatTarget, 3, 2));
        Assert.Equal("0a000002", request.Hex(CtAttribute.TupleReply, 1, 1));
        Assert.Equal("0050", request.Hex(CtAttribute.TupleReply, 2, 2));
    }

    [Fact]
    public void Ports_alone_are_translated_without_an_address()
    {
        Flow flow = Flows.Tcp();
        flow.SpatPort = 2000;
        flow.DpatPort = 8080;
        flow.Present |= FlowAttributes.Spat | FlowAttributes.Dpat;
        Request request = Create(flow);
        Assert.Null(request.Hex(CtAttribute.NatSource, 1));
        Assert.Equal("07d0", request.Hex(CtAttribute.NatSource, 3, 1));
        Assert.Null(request.Hex(CtAttribute.NatTarget, 1));
        Assert.Equal("1f90", request.Hex(CtAttribute.NatTarget, 3, 2));
    }

    [Fact]
    public void Ipv6_nat_uses_the_ipv6_attributes()
    {
        Flow flow = Flows.Tcp();
        flow.Family = AddressFamily.Ipv6;
        flow.DnatAddress = new Address(0x20010db8_00000000, 5);
        flow.Present |= FlowAttributes.Dnat;
        Request request = Create(flow);
        Assert.Equal(10, request.Family);
        Assert.Equal("0000000000000000000000000a000001", request.Hex(CtAttribute.TupleOrig, 1, 3));
        Assert.Null(request.Hex(CtAttribute.TupleOrig, 1, 1));
        Assert.Equal("20010db8000000000000000000000005", request.Hex(CtAttribute.NatTarget, 4));
        Assert.Equal("20010db8000000000000000000000005", request.Hex(CtAttribute.NatTarget, 5));
        Assert.Null(request.Hex(CtAttribute.NatTarget, 1));
    }

    [Fact]
    public void Icmp_is_named_by_id_type_and_code_and_the_answer_type_is_mapped()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Icmp;
        flow.Orig.L4Source = 258;
        flow.Orig.L4Target = 13 << 8;
        Request request = Create(flow);
        Assert.Equal("0102", request.Hex(CtAttribute.TupleOrig, 2, 4));
        Assert.Equal("0d", request.Hex(CtAttribute.TupleOrig, 2, 5));
        Assert.Equal("00", request.Hex(CtAttribute.TupleOrig, 2, 6));
        Assert.Equal("0102", request.Hex(CtAttribute.TupleReply, 2, 4));
        Assert.Equal("0e", request.Hex(CtAttribute.TupleReply, 2, 5));
        Assert.Null(request.Hex(CtAttribute.ProtocolInfo));
        flow.Protocol = L4Protocol.Icmpv6;
        flow.Orig.L4Target = 128 << 8;
        request = Create(flow);
        Assert.Equal("0102", request.Hex(CtAttribute.TupleOrig, 2, 7));
        Assert.Equal("80", request.Hex(CtAttribute.TupleOrig, 2, 8));
        Assert.Equal("81", request.Hex(CtAttribute.TupleReply, 2, 8));
    }

    [Fact]
    public void Ports_announced_for_icmp_are_not_taken_for_an_id()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Icmp;
        flow.Orig.L4Source = 77;
        flow.Orig.L4Target = 8 << 8;
        flow.SnatAddress = Flows.Ipv4(0xcb007105);
        flow.SpatPort = flow.DpatPort = 0;
        flow.Present |= FlowAttributes.Snat | FlowAttributes.Spat | FlowAttributes.Dpat;
        Request request = Create(flow);
        Assert.Equal("cb007105", request.Hex(CtAttribute.NatSource, 1));
        Assert.Null(request.Hex(CtAttribute.NatSource, 3));
        Assert.Null(request.Hex(CtAttribute.NatTarget));
    }

    [Fact]
    public void An_icmp_id_that_the_kernel_changed_is_asked_for()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Icmp;
        flow.Orig.L4Source = 77;
        flow.Orig.L4Target = 8 << 8;
        flow.Orig.TryInvert(L4Protocol.Icmp, out flow.Reply);
        flow.Reply.L4Source = 99;
        flow.Status = (FlowStatus)0x19e;
        flow.Present |= FlowAttributes.Reply;
        flow.DescribeNat();
        Request request = Create(flow);
        Assert.Null(request.Hex(CtAttribute.NatSource, 1));
        Assert.Equal("0063", request.Hex(CtAttribute.NatSource, 3, 1));
        Assert.Equal("0063", request.Hex(CtAttribute.NatSource, 3, 2));
        Assert.Null(request.Hex(CtAttribute.NatTarget));
    }

    [Theory]
    [InlineData(true, "0101")]
    [InlineData(false, "0909")]
    public void Known_window_scales_bring_the_flag_that_makes_them_count(
        bool windowTracking, string flags)
    {
        Flow flow = Flows.Tcp();
        flow.TcpWscaleOrig = 10;
        flow.TcpWscaleReply = 7;
        flow.Present |= FlowAttributes.TcpWscale;
        foreach (Request request in
            new[] { Create(flow, windowTracking), Update(flow, windowTracking) })
        {
            Assert.Equal("03", request.Hex(CtAttribute.ProtocolInfo, 1, 1));
            Assert.Equal("0a", request.Hex(CtAttribute.ProtocolInfo, 1, 2));
            Assert.Equal("07", request.Hex(CtAttribute.ProtocolInfo, 1, 3));
            Assert.Equal(flags, request.Hex(CtAttribute.ProtocolInfo, 1, 4));
            Assert.Equal(flags, request.Hex(CtAttribute.ProtocolInfo, 1, 5));
        }
    }

    [Fact]
    public void Without_window_scales_only_liberality_is_asked_for()
    {
        Request request = Create(Flows.Tcp(), windowTracking: false);
        Assert.Equal("0808", request.Hex(CtAttribute.ProtocolInfo, 1, 4));
        Assert.Equal("0808", request.Hex(CtAttribute.ProtocolInfo, 1, 5));
        Assert.Null(request.Hex(CtAttribute.ProtocolInfo, 1, 2));
        request = Create(Flows.Tcp(), windowTracking: true);
        Assert.Equal("03", request.Hex(CtAttribute.ProtocolInfo, 1, 1));
        Assert.Null(request.Hex(CtAttribute.ProtocolInfo, 1, 4));
        Flow bare = Flows.Tcp();
        bare.Present &= ~FlowAttributes.ProtocolState;
        Assert.Null(Create(bare, windowTracking: true).Hex(CtAttribute.ProtocolInfo));
    }

    [Fact]
    public void Flags_about_sequence_numbers_are_not_carried_over()
    {
        Flow flow = Flows.Tcp();
        flow.TcpFlagsOrig = 0xf7;
        flow.TcpFlagsReply = 0x23;
        flow.Present |= FlowAttributes.TcpFlags;
        Request request = Create(flow, windowTracking: true);
        Assert.Equal("0707", request.Hex(CtAttribute.ProtocolInfo, 1, 4));
        Assert.Equal("0303", request.Hex(CtAttribute.ProtocolInfo, 1, 5));
    }

    [Fact]
    public void Values_the_kernel_refuses_are_left_out()
    {
        Flow flow = Flows.Tcp();
        flow.ProtocolState = 10;
        flow.TcpWscaleOrig = 15;
        flow.Present |= FlowAttributes.TcpWscale;
        Request request = Create(flow);
        Assert.Null(request.Hex(CtAttribute.ProtocolInfo, 1, 1));
        Assert.Null(request.Hex(CtAttribute.ProtocolInfo, 1, 2));
        Assert.Equal("0808", request.Hex(CtAttribute.ProtocolInfo, 1, 4));
        flow.Protocol = L4Protocol.Sctp;
        flow.ProtocolState = 9;
        flow.Present |= FlowAttributes.SctpVtags;
        Assert.Null(Create(flow).Hex(CtAttribute.ProtocolInfo));
    }

    [Fact]
    public void Sctp_needs_state_and_both_tags_and_dccp_its_role()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Sctp;
        Assert.Null(Create(flow).Hex(CtAttribute.ProtocolInfo));
        flow.SctpVtagOrig = 0x11223344;
        flow.SctpVtagReply = 0x55667788;
        flow.Present |= FlowAttributes.SctpVtags;
        Request request = Create(flow);
        Assert.Equal("03", request.Hex(CtAttribute.ProtocolInfo, 3, 1));
        Assert.Equal("11223344", request.Hex(CtAttribute.ProtocolInfo, 3, 2));
        Assert.Equal("55667788", request.Hex(CtAttribute.ProtocolInfo, 3, 3));
        flow.Protocol = L4Protocol.Dccp;
        Assert.Null(Create(flow).Hex(CtAttribute.ProtocolInfo));
        flow.DccpRole = 1;
        flow.Present |= FlowAttributes.DccpRole;
        Assert.Equal("01", Create(flow).Hex(CtAttribute.ProtocolInfo, 2, 2));
    }

    [Fact]
    public void Gre_has_keys_and_unknown_protocols_have_a_number_only()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Gre;
        Assert.Equal("03e8", Create(flow).Hex(CtAttribute.TupleOrig, 2, 2));
        flow.Protocol = 94;
        Assert.Equal("5e", Create(flow).Hex(CtAttribute.TupleOrig, 2, 1));
        Assert.Null(Create(flow).Hex(CtAttribute.TupleOrig, 2, 2));
    }

    [Fact]
    public void A_mark_is_created_if_not_zero_and_updated_always()
    {
        Flow flow = Flows.Tcp();
        flow.Mark = 0;
        flow.Present |= FlowAttributes.Mark;
        Assert.Null(Create(flow).Hex(CtAttribute.Mark));
        Assert.Equal("00000000", Update(flow).Hex(CtAttribute.Mark));
        flow.Mark = 0xcafe0001;
        Assert.Equal("cafe0001", Create(flow).Hex(CtAttribute.Mark));
    }

    [Fact]
    public void Zones_stand_where_they_were_received_and_never_twice()
    {
        Flow flow = Flows.Tcp();
        flow.Zone = 7;
        flow.ZoneOrig = 8;
        flow.ZoneReply = 9;
        flow.Present |= FlowAttributes.Zone | FlowAttributes.ZoneOrig | FlowAttributes.ZoneReply;
        Request request = Create(flow);
        Assert.Equal("0007", request.Hex(CtAttribute.Zone));
        Assert.Null(request.Hex(CtAttribute.TupleOrig, 3));
        Assert.Null(request.Hex(CtAttribute.TupleReply, 3));
        flow.Present &= ~FlowAttributes.Zone;
        request = Create(flow);
        Assert.Null(request.Hex(CtAttribute.Zone));
        Assert.Equal("0008", request.Hex(CtAttribute.TupleOrig, 3));
        Assert.Null(request.Hex(CtAttribute.TupleReply, 3));
        flow.Present &= ~FlowAttributes.ZoneOrig;
        Assert.Equal("0009", Create(flow).Hex(CtAttribute.TupleReply, 3));
    }

    [Fact]
    public void Labels_are_a_bitmap_of_16_bytes_and_none_are_not_sent()
    {
        Flow flow = Flows.Tcp();
        flow.LabelsLow = 1ul << 1 | 1ul << 63;
        flow.LabelsHigh = 1ul << 63;
        flow.Present |= FlowAttributes.Labels;
        Assert.Equal("02000000000000800000000000000080", Create(flow).Hex(CtAttribute.Labels));
        Assert.NotNull(Update(flow).Hex(CtAttribute.Labels));
        flow.LabelsLow = flow.LabelsHigh = 0;
        Assert.Null(Create(flow).Hex(CtAttribute.Labels));
        Assert.Null(Update(flow).Hex(CtAttribute.Labels));
    }

    [Fact]
    public void Helper_and_master_are_created_but_not_updated()
    {
        Flow flow = Flows.Tcp();
        flow.Helper = HelperName.From("ftp"u8);
        flow.SnatAddress = Flows.Ipv4(5);
        flow.Master = flow.Orig;
        flow.MasterProtocol = L4Protocol.Tcp;
        flow.Present |= FlowAttributes.Helper | FlowAttributes.Master
            | FlowAttributes.MasterL4Keys | FlowAttributes.Snat;
        Request request = Create(flow);
        Assert.Equal("66747000", request.Hex(CtAttribute.Help, 1));
        Assert.Equal("06", request.Hex(CtAttribute.TupleMaster, 2, 1));
        Assert.Equal("0050", request.Hex(CtAttribute.TupleMaster, 2, 3));
        request = Update(flow);
        Assert.Equal(NetlinkFlags.Request, request.Flags);
        Assert.Null(request.Hex(CtAttribute.Help));
        Assert.Null(request.Hex(CtAttribute.TupleMaster));
        Assert.Null(request.Hex(CtAttribute.NatSource));
        // The kernel sets EXPECTED on create and refuses an update that lacks it.
        Assert.Equal("0000000f", request.Hex(CtAttribute.Status));
        flow.Present &= ~FlowAttributes.MasterL4Keys;
        Assert.Equal("0000000e", Update(flow).Hex(CtAttribute.Status));
        Assert.Null(Create(flow).Hex(CtAttribute.TupleMaster));
    }

    [Fact]
    public void Sequence_adjustment_and_synproxy_are_complete_or_absent()
    {
        Flow flow = Flows.Tcp();
        flow.SequenceAdjustOrig = new SequenceAdjustment(0x2d7d0a26, 0, -1);
        flow.SequenceAdjustReply = default;
        flow.SynproxyIsn = 1;
        flow.SynproxyIts = 2;
        flow.SynproxyTimestampOffset = 3;
        flow.Present |= FlowAttributes.SequenceAdjust | FlowAttributes.Synproxy;
        Request request = Create(flow);
        Assert.Equal("2d7d0a26", request.Hex(CtAttribute.SequenceAdjustOrig, 1));
        Assert.Equal("00000000", request.Hex(CtAttribute.SequenceAdjustOrig, 2));
        Assert.Equal("ffffffff", request.Hex(CtAttribute.SequenceAdjustOrig, 3));
        Assert.Equal("00000000", request.Hex(CtAttribute.SequenceAdjustReply, 3));
        Assert.Equal("00000001", request.Hex(CtAttribute.Synproxy, 1));
        Assert.Equal("00000002", request.Hex(CtAttribute.Synproxy, 2));
        Assert.Equal("00000003", request.Hex(CtAttribute.Synproxy, 3));
        flow.SynproxyIsn = flow.SynproxyIts = flow.SynproxyTimestampOffset = 0;
        Assert.Null(Create(flow).Hex(CtAttribute.Synproxy));
    }

    [Fact]
    public void Deletes_and_gets_name_tuple_and_zone_and_nothing_else()
    {
        Flow flow = Flows.Tcp();
        flow.Zone = 7;
        flow.Present |= FlowAttributes.Zone;
        Request whole = Request.Of((ref MessageWriter writer) =>
            FlowEncoder.EncodeDelete(ref writer, flow, 3, NetlinkFlags.Ack));
        Request byTuple = Request.Of((ref MessageWriter writer) => FlowEncoder.EncodeDeleteByTuple(
            ref writer, flow.Family, flow.Protocol, flow.Orig, 7, true, 3, NetlinkFlags.Ack));
        Request get = Request.Of((ref MessageWriter writer) => FlowEncoder.EncodeGet(
            ref writer, flow.Family, flow.Protocol, flow.Orig, 0, false, 3, NetlinkFlags.None));
        Assert.Equal((NetlinkFlags)5, whole.Flags);
        Assert.Equal(0x0102, whole.Type);
        Assert.Equal("0007", whole.Hex(CtAttribute.Zone));
        Assert.Null(whole.Hex(CtAttribute.Id));
        Assert.True(whole.Payload.SequenceEqual(byTuple.Payload));
        Assert.Equal(0x0101, get.Type);
        Assert.Null(get.Hex(CtAttribute.Zone));
        Assert.Equal(whole.Hex(CtAttribute.TupleOrig), get.Hex(CtAttribute.TupleOrig));
    }

    [Fact]
    public void Dumps_are_twenty_bytes()
    {
        Request flows = Request.Of((ref MessageWriter writer) =>
            FlowEncoder.EncodeDump(ref writer, 1, AddressFamily.Ipv6));
        Assert.Equal("0a000000", Convert.ToHexStringLower(flows.Payload));
        Assert.Equal((NetlinkFlags)0x301, flows.Flags);
        Assert.Equal(0x0101, flows.Type);
        Request expectations = Request.Of((ref MessageWriter writer) =>
            FlowEncoder.EncodeExpectDump(ref writer, 1, AddressFamily.Unknown));
        Assert.Equal("00000000", Convert.ToHexStringLower(expectations.Payload));
        Assert.Equal(0x0201, expectations.Type);
        Request flush = Request.Of((ref MessageWriter writer) =>
            FlowEncoder.EncodeFlushExpect(ref writer, 1, NetlinkFlags.Ack));
        Assert.Equal(0x0202, flush.Type);
        Assert.Equal((NetlinkFlags)5, flush.Flags);
    }
}
