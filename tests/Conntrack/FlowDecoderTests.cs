using System.Collections.Generic;
using System.IO;
using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Tests.Vectors;
using CsCheck;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed class FlowDecoderTests
{
    private static DecodeError Decode(ReadOnlySpan<byte> payload, out Flow flow)
    {
        flow = default;
        return FlowDecoder.Decode(payload, ref flow);
    }

    /// <summary>Payload of a message about one flow that <paramref name="more"/> adds to.</summary>
    private static byte[] Message(Request.Encoder more, byte family = 2)
    {
        Request request = Request.Of((ref MessageWriter writer) =>
        {
            writer.Begin(CtMessage.New, NetlinkFlags.None, 0, family);
            Flow flow = Flows.Tcp();
            TupleCodec.Encode(
                ref writer, (int)CtAttribute.TupleOrig, flow.Family, flow.Protocol, flow.Orig);
            more(ref writer);
            return writer.End();
        });
        return request.Payload.ToArray();
    }

    private static byte[] With(CtAttribute attribute, params byte[] value) =>
        Message((ref MessageWriter writer) =>
        {
            writer.PutBytes((ushort)attribute, value);
            return true;
        });

    [Fact]
    public void Attributes_of_newer_kernels_are_stepped_over()
    {
        Assert.Equal(DecodeError.None, Decode(With((CtAttribute)28, 1, 2, 3), out Flow flow));
        Assert.Equal(
            FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol, flow.Present);
        Assert.Equal(Flows.Tcp().Orig, flow.Orig);
    }

    [Fact]
    public void What_names_no_flow_is_refused()
    {
        Assert.Equal(DecodeError.Header, Decode([2, 0, 0], out _));
        Assert.Equal(DecodeError.Family, Decode([7, 0, 0, 0], out _));
        Assert.Equal(DecodeError.TupleMissing, Decode([2, 0, 0, 0], out _));
        Assert.Equal(
            DecodeError.TupleOrig,
            Decode(Message((ref MessageWriter _) => true, family: 10), out _));
    }

    [Theory]
    [InlineData((int)CtAttribute.Status, 3, (byte)DecodeError.Status)]
    [InlineData((int)CtAttribute.Timeout, 3, (byte)DecodeError.Timeout)]
    [InlineData((int)CtAttribute.Mark, 2, (byte)DecodeError.Mark)]
    [InlineData((int)CtAttribute.Use, 0, (byte)DecodeError.Use)]
    [InlineData((int)CtAttribute.Id, 3, (byte)DecodeError.Id)]
    [InlineData((int)CtAttribute.Zone, 1, (byte)DecodeError.Zone)]
    [InlineData((int)CtAttribute.Labels, 7, (byte)DecodeError.Labels)]
    [InlineData((int)CtAttribute.TimestampEvent, 7, (byte)DecodeError.Timestamp)]
    [InlineData((int)CtAttribute.TupleReply, 0, (byte)DecodeError.TupleReply)]
    [InlineData((int)CtAttribute.TupleMaster, 0, (byte)DecodeError.TupleMaster)]
    [InlineData((int)CtAttribute.SequenceAdjustOrig, 0, (byte)DecodeError.SequenceAdjust)]
    [InlineData((int)CtAttribute.Synproxy, 0, (byte)DecodeError.Synproxy)]
    public void Too_short_attributes_have_a_reason_each(int attribute, int bytes, byte reason)
    {
        byte[] payload = With((CtAttribute)attribute, new byte[bytes]);
        Assert.Equal((DecodeError)reason, Decode(payload, out _));
    }

    [Fact]
    public void A_cut_nest_is_refused()
    {
        byte[] cut = [8, 0, 1, 0];
        Assert.Equal(DecodeError.ProtocolInfo, Decode(With(CtAttribute.ProtocolInfo, cut), out _));
        Assert.Equal(DecodeError.Help, Decode(With(CtAttribute.Help, cut), out _));
        Assert.Equal(DecodeError.Counters, Decode(With(CtAttribute.CountersOrig, cut), out _));
        Assert.Equal(DecodeError.Timestamp, Decode(With(CtAttribute.Timestamp, cut), out _));
        Assert.Equal(DecodeError.TupleReply, Decode(With(CtAttribute.TupleReply, cut), out _));
    }

    [Fact]
    public void A_reused_flow_keeps_nothing_of_the_last_message()
    {
        Flow flow = default;
        flow.Present = (FlowAttributes)0x7fffffff;
        flow.Orig.L4Source = 9;
        byte[] payload = Message((ref MessageWriter _) => true);
        Assert.Equal(DecodeError.None, FlowDecoder.Decode(payload, ref flow));
        Assert.Equal(
            FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol, flow.Present);
    }

    [Fact]
    public void Nat_is_described_from_the_two_tuples()
    {
        Flow sent = Flows.Tcp();
        sent.Orig.TryInvert(sent.Protocol, out FlowTuple reply);
        reply.Target = Flows.Ipv4(0xcb007105);
        reply.L4Target = 12345;
        byte[] payload = Message((ref MessageWriter writer) =>
        {
            TupleCodec.Encode(
                ref writer, (int)CtAttribute.TupleReply, AddressFamily.Ipv4, 6, reply);
            writer.PutUInt32((ushort)CtAttribute.Status, 0x19e);
            return true;
        });
        Assert.Equal(DecodeError.None, Decode(payload, out Flow flow));
        Assert.True(flow.Has(FlowAttributes.Snat | FlowAttributes.Spat));
        Assert.False(flow.Has(FlowAttributes.Dnat));
        Assert.Equal(12345, flow.SpatPort);
    }

    /// <summary>What the kernel would know after a create, except what it sets itself.</summary>
    [Fact]
    public void A_created_flow_reads_back()
    {
        Flows.Any.Sample(flow =>
        {
            var options = new CreateOptions(flow.TimeoutSeconds, WindowTracking: true);
            Request request = Request.Of((ref MessageWriter writer) =>
                FlowEncoder.EncodeCreate(ref writer, flow, 1, NetlinkFlags.None, options));
            Assert.Equal(DecodeError.None, Decode(request.Payload, out Flow read));
            const FlowAttributes Kept = FlowAttributes.Master | FlowAttributes.Helper
                | FlowAttributes.SequenceAdjust | FlowAttributes.Labels | FlowAttributes.Zone;
            FlowAttributes kept = Kept;
            if (!flow.IsRelated) { kept &= ~FlowAttributes.Master; }
            Assert.Equal(flow.Present & kept, read.Present & kept);
            Assert.Equal(flow.Orig.Source, read.Orig.Source);
            Assert.Equal(flow.KeyZone, read.KeyZone);
            Assert.Equal(flow.TimeoutSeconds, read.TimeoutSeconds);
            Assert.Equal(Known(flow) & flow.Status & (FlowStatus)6, read.Status & (FlowStatus)6);
            if (flow.Has(FlowAttributes.Labels)) { Assert.Equal(flow.LabelsHigh, read.LabelsHigh); }
            if (flow.Has(FlowAttributes.Helper)) { Assert.Equal(flow.Helper, read.Helper); }
            if (flow.IsRelated) { Assert.Equal(flow.Master.Target, read.Master.Target); }
        });
    }

    private static FlowStatus Known(in Flow flow) =>
        flow.Has(FlowAttributes.Status) ? (FlowStatus)uint.MaxValue : 0;

    private static List<byte[]> Payloads()
    {
        var payloads = new List<byte[]>();
        foreach (string path in VectorFolder.Find("*.bin"))
        {
            var reader = new MessageReader(File.ReadAllBytes(path));
            while (reader.TryNext(out NetlinkMessage message))
            {
                if (message.Type >= CtMessage.New) { payloads.Add(message.Payload.ToArray()); }
            }
        }
        return payloads;
    }

    [Fact]
    public void No_truncation_reads_past_its_end()
    {
        Flow flow = default;
        Expectation expectation = default;
        foreach (byte[] payload in Payloads())
        {
            for (int length = 0; length <= payload.Length; length++)
            {
                // An array of its own: reading one byte further would throw.
                byte[] cut = payload[..length];
                FlowDecoder.Decode(cut, ref flow);
                ExpectationDecoder.Decode(cut, ref expectation);
            }
        }
    }

    [Fact]
    public void Mutated_messages_are_read_or_refused()
    {
        const int Rounds = 100_000;
        var random = new Random(20240611);
        List<byte[]> payloads = Payloads();
        Flow flow = default;
        Expectation expectation = default;
        byte[] buffer = new byte[FlowEncoder.SizeMax];
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] payload = Mutation.Of(payloads[random.Next(payloads.Count)], random);
            if (FlowDecoder.Decode(payload, ref flow) != DecodeError.None) { refused++; }
            ExpectationDecoder.Decode(payload, ref expectation);
            // Whatever was read, it can be written.
            var writer = new MessageWriter(buffer);
            Assert.True(FlowEncoder.EncodeCreate(ref writer, flow, 1, default, default));
            writer.Clear();
            Assert.True(
                ExpectationEncoder.EncodeCreate(ref writer, expectation, 1, default, 60));
        }
        Assert.InRange(refused, 1, Rounds - 1);
    }
}
