using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Tests.Conntrack;
using Conntrackd.Tests.Vectors;
using Conntrackd.Wire;
using CsCheck;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class FlowMessageTests
{
    private static readonly FlowMessageOptions s_all = new(Timeout: true, WindowScale: true);

    private static byte[] Encode(in Flow flow, FlowMessageOptions options)
    {
        byte[] buffer = new byte[FlowMessage.SizeMax];
        Array.Fill(buffer, (byte)0xa5);
        int length = FlowMessage.Encode(
            buffer, flow, SyncType.FlowNew, SyncFlags.None, 1, options);
        Assert.NotEqual(0, length);
        Assert.Equal(0, length % 4);
        Assert.Equal(-1, buffer.AsSpan(length).IndexOfAnyExcept((byte)0xa5));
        return buffer[..length];
    }

    private static List<int> Numbers(ReadOnlySpan<byte> message)
    {
        var numbers = new List<int>();
        var reader = new SyncAttributeReader(message[SyncHeader.Size..]);
        while (reader.TryNext(out int number, out _)) { numbers.Add(number); }
        return numbers;
    }

    private static bool Decode(string hex, out Flow flow, out int unknown)
    {
        flow = default;
        return FlowMessage.TryDecode(Convert.FromHexString(hex), ref flow, out unknown);
    }

    private const string Address = "000c0000c000020bc633640c";
    private const string Udp = "0005000211000000";

    [Fact]
    public void All_attributes_come_in_the_order_of_the_original()
    {
        Flow flow = Flows.Tcp();
        flow.Helper = HelperName.From("ftp"u8);
        flow.LabelsLow = 1;
        flow.Present = (FlowAttributes)0x7fffffff;
        Assert.Equal(
            [0, 5, 2, 3, 4, 25, 26, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 27, 28, 31, 32],
            Numbers(Encode(flow, s_all)));
        flow.Family = AddressFamily.Ipv6;
        flow.Protocol = L4Protocol.Sctp;
        Assert.Equal(
            [1, 5, 2, 3, 17, 18, 19, 6, 7, 9, 10, 11, 29, 30, 14, 15, 16, 27, 28, 31, 32],
            Numbers(Encode(flow, s_all)));
    }

    [Fact]
    public void Only_the_status_is_sent_when_unknown()
    {
        Flow flow = Flows.Tcp();
        flow.Present = FlowAttributes.Orig | FlowAttributes.Protocol;
        Assert.Equal([0, 5, 2, 3], Numbers(Encode(flow, s_all)));
        flow.Protocol = L4Protocol.UdpLite;
        Assert.Equal([0, 5, 2], Numbers(Encode(flow, s_all)));
        flow.Protocol = L4Protocol.Icmp;
        Assert.Equal([0, 5, 2], Numbers(Encode(flow, s_all)));
    }

    [Fact]
    public void Options_leave_out_timeouts_and_window_scales()
    {
        Flow flow = Flows.Tcp();
        flow.Present |= FlowAttributes.Timeout | FlowAttributes.TcpWscale;
        Assert.Equal([0, 5, 2, 3, 4, 25, 26, 6], Numbers(Encode(flow, s_all)));
        Assert.Equal([0, 5, 2, 3, 4], Numbers(Encode(flow, default)));
    }

    [Fact]
    [Trait("Defect", "29")]
    public void What_the_original_would_refuse_or_leave_out_is_not_sent()
    {
        Flow flow = Flows.Tcp();
        flow.Helper = HelperName.From("abcdefghijkl"u8);
        flow.LabelsLow = flow.LabelsHigh = 0;
        flow.Present |= FlowAttributes.Helper | FlowAttributes.Labels;
        Assert.Equal([0, 5, 2, 3, 4], Numbers(Encode(flow, s_all)));
        flow.Helper = HelperName.From("abcdefghijk"u8);
        Assert.Equal([0, 5, 2, 3, 4, 27], Numbers(Encode(flow, s_all)));
    }

    [Fact]
    [Trait("Defect", "W5")]
    public void Ports_of_nat_and_icmp_ids_are_little_endian_and_zones_are_not()
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = L4Protocol.Icmp;
        flow.Orig.L4Source = 0x0102;
        flow.SpatPort = 0x3039;
        flow.Zone = 300;
        flow.Present |= FlowAttributes.Spat | FlowAttributes.Zone;
        string hex = Convert.ToHexStringLower(Encode(flow, s_all));
        Assert.Contains("0006001802010000", hex, StringComparison.Ordinal);
        Assert.Contains("0006000e39300000", hex, StringComparison.Ordinal);
        Assert.Contains("00060020012c0000", hex, StringComparison.Ordinal);
    }

    /// <summary>Kept: version 1 has no attribute for them.</summary>
    [Theory]
    [InlineData(L4Protocol.Gre)]
    [InlineData(L4Protocol.UdpLite)]
    [Trait("Defect", "23")]
    public void Keys_of_gre_and_ports_of_udplite_are_not_sent(byte protocol)
    {
        Flow flow = Flows.Tcp();
        flow.Protocol = protocol;
        flow.Present &= ~FlowAttributes.ProtocolState;
        Assert.Equal([0, 5, 2], Numbers(Encode(flow, s_all)));
    }

    /// <remarks>The original sends what its buffer held before.</remarks>
    [Fact]
    [Trait("Defect", "W4")]
    public void Ports_that_are_not_known_are_zeros()
    {
        Flow flow = Flows.Tcp();
        flow.Present &= ~FlowAttributes.L4Keys;
        flow.Orig.L4Source = flow.Orig.L4Target = 0;
        Assert.Contains("0008000300000000", Convert.ToHexStringLower(Encode(flow, s_all)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_is_too_short_gets_nothing()
    {
        Flow flow = Flows.Tcp();
        flow.Present = (FlowAttributes)0x7fffffff;
        byte[] whole = Encode(flow, s_all);
        for (int room = 0; room < whole.Length; room++)
        {
            Assert.Equal(0, FlowMessage.Encode(
                new byte[room], flow, SyncType.FlowNew, SyncFlags.None, 1, s_all));
        }
        Assert.Equal(whole.Length, FlowMessage.Encode(
            new byte[whole.Length], flow, SyncType.FlowNew, SyncFlags.None, 1, s_all));
    }

    [Fact]
    public void Flows_survive_the_link()
    {
        Flows.Any.Sample(flow =>
        {
            byte[] message = Encode(flow, s_all);
            Flow read = default;
            Assert.True(FlowMessage.TryDecode(
                message.AsSpan(SyncHeader.Size), ref read, out int unknown));
            Assert.Equal(0, unknown);
            Assert.Equal(message, Encode(read, s_all));
            Assert.False(read.Has(FlowAttributes.Reply));
        });
    }

    [Fact]
    [Trait("Defect", "29")]
    public void Unknown_attributes_are_counted_and_cost_nothing()
    {
        Assert.True(Decode(Address + Udp + "0005002101000000" + "0004ffff" + "00080007000000ff",
            out Flow flow, out int unknown));
        Assert.Equal(2, unknown);
        Assert.Equal(255u, flow.Mark);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Address)]
    [InlineData(Udp)]
    [InlineData("00080005000000080005000211000000")]
    [Trait("Defect", "35")]
    public void What_names_no_flow_is_refused(string hex) =>
        Assert.False(Decode(hex, out _, out _));

    [Fact]
    public void Of_several_the_last_counts_even_of_two_families()
    {
        const string Ipv6 = "0024000120010db800000000000000000000000120010db8"
            + "000000000000000000000002";
        Assert.True(Decode(
            Address + Udp + Ipv6 + "0008000700000005" + "0008000700000009", out Flow flow, out _));
        Assert.Equal(AddressFamily.Ipv6, flow.Family);
        Assert.Equal(0x20010db8_00000000ul, flow.Orig.Target.High);
        Assert.Equal(9u, flow.Mark);
    }

    [Fact]
    public void What_contradicts_the_family_or_the_protocol_is_left_out()
    {
        const string SnatIpv6 = "0014001d20010db8000000000000000000000001";
        const string TcpState = "0005000403000000";
        const string MasterIpv6WithoutProtocol = "0008000b00500051";
        Assert.True(Decode(
            Address + Udp + SnatIpv6 + TcpState + MasterIpv6WithoutProtocol, out Flow flow, out _));
        Assert.Equal(FlowAttributes.Orig | FlowAttributes.Protocol, flow.Present);
    }

    [Fact]
    public void Labels_beyond_the_128th_are_ignored_and_fewer_are_filled_up()
    {
        string words = string.Concat(System.Linq.Enumerable.Repeat("00000003", 256));
        Assert.True(Decode(Address + Udp + "0404001c" + words, out Flow flow, out _));
        Assert.Equal(0x00000003_00000003ul, flow.LabelsHigh);
        Assert.False(Decode(Address + Udp + "0408001c" + words + "00000001", out _, out _));
        Assert.True(Decode(Address + Udp + "0008001c80000001", out flow, out _));
        Assert.Equal(0x80000001ul, flow.LabelsLow);
        Assert.Equal(0ul, flow.LabelsHigh);
        Assert.True(Decode(Address + Udp + "000a001c0000000100000000", out flow, out _));
        Assert.False(flow.Has(FlowAttributes.Labels));
    }

    [Theory]
    [InlineData("0005001b61000000", true, "a")]
    [InlineData("0007001b66747000", true, "ftp")]
    [InlineData("0013001b6162636465666768696a6b6c6d6e6f00", true, "abcdefghijklmno")]
    [InlineData("0014001b6162636465666768696a6b6c6d6e6f70", true, "abcdefghijklmno")]
    [InlineData("0015001b6162636465666768696a6b6c6d6e6f7000000000", false, "")]
    [Trait("Defect", "29")]
    public void Helper_names_have_fifteen_characters_at_most(string hex, bool accepted, string name)
    {
        Assert.Equal(accepted, Decode(Address + Udp + hex, out Flow flow, out _));
        if (accepted)
        {
            Assert.Equal(name, System.Text.Encoding.ASCII.GetString(flow.Helper.Text));
        }
    }

    [Fact]
    public void A_reused_flow_keeps_nothing_of_the_last_message()
    {
        Flow flow = Flows.Tcp();
        flow.Present = (FlowAttributes)0x7fffffff;
        Assert.True(FlowMessage.TryDecode(
            Convert.FromHexString(Address + Udp), ref flow, out _));
        Assert.Equal(FlowAttributes.Orig | FlowAttributes.Protocol, flow.Present);
        Assert.Equal(0, flow.Orig.L4Source);
    }

    private static List<byte[]> Datagrams()
    {
        var datagrams = new List<byte[]>();
        foreach (string path in VectorFolder.Find("*.pcap"))
        {
            datagrams.AddRange(Capture.Payloads(path));
        }
        return datagrams;
    }

    [Fact]
    public void No_truncation_reads_past_its_end()
    {
        var counters = new ReceiveCounters();
        foreach (byte[] datagram in Datagrams())
        {
            for (int length = 0; length <= datagram.Length; length++)
            {
                Receive(datagram[..length], counters);
            }
        }
        Assert.NotEqual(0ul, counters.Malformed);
    }

    [Fact]
    public void Mutated_datagrams_are_read_or_refused()
    {
        var random = new Random(20240612);
        var counters = new ReceiveCounters();
        List<byte[]> datagrams = Datagrams();
        int accepted = 0;
        for (int round = 0; round < 100_000; round++)
        {
            byte[] datagram = Mutation.Of(datagrams[random.Next(datagrams.Count)], random);
            accepted += Receive(datagram, counters);
        }
        Assert.NotEqual(0, accepted);
        Assert.NotEqual(0ul, counters.Malformed);
    }

    /// <summary>Decodes what is there; what was accepted can be sent on.</summary>
    private static int Receive(byte[] datagram, ReceiveCounters counters)
    {
        int accepted = 0;
        Flow flow = default;
        Expectation expectation = default;
        Span<byte> target = stackalloc byte[FlowMessage.SizeMax];
        var reader = new SyncMessageReader(datagram, counters);
        while (reader.TryNext(out SyncMessage message))
        {
            if (FlowMessage.TryDecode(message.Body, ref flow, out _))
            {
                accepted++;
                Assert.NotEqual(
                    0, FlowMessage.Encode(target, flow, SyncType.FlowNew, default, 1, s_all));
            }
            if (ExpectationMessage.TryDecode(message.Body, ref expectation, out _))
            {
                accepted++;
                Assert.NotEqual(0, ExpectationMessage.Encode(
                    target, expectation, SyncType.ExpectNew, default, 1, s_all));
            }
        }
        return accepted;
    }
}
