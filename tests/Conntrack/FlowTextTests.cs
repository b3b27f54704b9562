using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed partial class FlowTextTests
{
    [Theory]
    [InlineData("ftfw-udp-a.i.out", 52)]
    [InlineData("ftfw-udp-a.i-after-R.out", 47)]
    [InlineData("ftfw-udp-b.e.out", 52)]
    [InlineData("alarm-b.e.out", 47)]
    public void Every_cached_flow_prints_as_the_original_prints_it(string sample, int linesMin)
    {
        string[] lines = SampleFlow.ReadLines(sample);
        Assert.True(lines.Length >= linesMin, $"{sample}: {lines.Length} lines");
        foreach (string line in lines)
        {
            Flow flow = SampleFlow.ParseText(line);
            string printed = SampleFlow.Print(text =>
            {
                FlowText.Append(text, flow, FlowTextSource.Cache, SampleFlow.WallSeconds);
                if (Seconds(line, "expires in") is { } left)
                {
                    FlowText.AppendExpiresIn(text, left);
                }
                if (Seconds(line, "active since") is { } age)
                {
                    FlowText.AppendActiveSince(text, age);
                }
            });
            Assert.Equal(line, printed);
        }
    }

    [Theory]
    [InlineData("notrack-a.i.out")]
    [InlineData("stats-acct1.log")]
    public void Every_flow_of_the_kernel_prints_as_the_original_prints_it(string sample)
    {
        foreach (string line in SampleFlow.ReadLines(sample))
        {
            string expected = line[(line.IndexOf('\t') + 1)..];
            Flow flow = SampleFlow.ParseText(expected);
            Assert.Equal(expected, Text(flow, FlowTextSource.Kernel));
        }
    }

    [Theory]
    [InlineData("ftfw-udp-a.i-xml.out")]
    [InlineData("ftfw-udp-a.i-xml-after-R.out")]
    [InlineData("ftfw-udp-b.e-xml.out")]
    public void Every_flow_prints_the_xml_the_original_prints(string sample)
    {
        string[] lines = SampleFlow.ReadLines(sample);
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            Flow flow = ParseXml(line);
            Assert.Equal(line, Xml(flow, FlowTextSource.Cache));
        }
    }

    [Fact]
    public void A_cached_flow_shows_neither_timeout_nor_use()
    {
        const string kernel = "udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 use=1";
        Flow flow = SampleFlow.ParseText(kernel);
        Assert.Equal(kernel, Text(flow, FlowTextSource.Kernel));
        Assert.Equal(
            "udp      17 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2",
            Text(flow, FlowTextSource.Cache));
        Assert.Contains("<timeout>29</timeout><use>1</use>", Xml(flow, FlowTextSource.Kernel));
        Assert.DoesNotContain("<timeout>", Xml(flow, FlowTextSource.Cache));
    }

    [Fact]
    public void A_flow_without_status_is_not_unreplied()
    {
        Flow flow = SampleFlow.ParseText("tcp 6 src=1.0.0.1 dst=1.0.0.2 sport=1 dport=2");
        flow.Present &= ~FlowAttributes.Status;
        flow.Status = FlowStatus.None;
        Assert.Equal(
            "tcp      6 src=1.0.0.1 dst=1.0.0.2 sport=1 dport=2", Text(flow, FlowTextSource.Cache));
        Assert.DoesNotContain("independent", Xml(flow, FlowTextSource.Cache));
    }

    [Theory]
    [InlineData(FlowStatus.Assured, " [ASSURED]")]
    [InlineData(FlowStatus.Assured | FlowStatus.Offload, " [OFFLOAD]")]
    [InlineData(FlowStatus.Assured | FlowStatus.Offload | FlowStatus.HwOffload, " [HW_OFFLOAD]")]
    [InlineData(FlowStatus.None, "")]
    internal void Only_the_first_status_mark_shows(FlowStatus status, string mark)
    {
        Flow flow = SampleFlow.ParseText("unknown 50 src=1.0.0.1 dst=1.0.0.2");
        flow.Status = status | FlowStatus.SeenReply;
        Assert.Equal(
            $"unknown  50 src=1.0.0.1 dst=1.0.0.2{mark}", Text(flow, FlowTextSource.Cache));
    }

    [Fact]
    public void Values_of_states_from_another_time_are_none()
    {
        Flow flow = SampleFlow.ParseText("dccp 33 OPEN src=1.0.0.1 dst=1.0.0.2 sport=0 dport=0");
        Assert.StartsWith("dccp     33 OPEN src=", Text(flow, FlowTextSource.Cache));
        Assert.Contains("<state>FIN_WAIT</state>", Xml(flow, FlowTextSource.Cache));
        flow.ProtocolState = 99;
        Assert.StartsWith("dccp     33 NONE src=", Text(flow, FlowTextSource.Cache));
        Assert.Contains("<state>NONE</state>", Xml(flow, FlowTextSource.Cache));
    }

    [Fact]
    public void The_age_of_an_ended_flow_is_stop_less_start_and_never_negative()
    {
        Flow flow = SampleFlow.ParseText("unknown 50 src=1.0.0.1 dst=1.0.0.2 delta-time=10");
        flow.TimestampStopNanoseconds = flow.TimestampStartNanoseconds + 4_999_999_999;
        flow.Present |= FlowAttributes.TimestampStop;
        Assert.EndsWith(" delta-time=4", Text(flow, FlowTextSource.Cache));
        flow.TimestampStopNanoseconds = 1_000_000_000;
        Assert.EndsWith(" delta-time=0", Text(flow, FlowTextSource.Cache));
    }

    [Fact]
    public void Counters_stand_before_the_mark_and_in_both_directions_in_xml()
    {
        Flow flow = SampleFlow.ParseText(
            "unknown 50 src=1.0.0.1 dst=1.0.0.2 packets=1 bytes=2 src=1.0.0.2 dst=1.0.0.1 "
            + "zone-reply=5 packets=3 bytes=4");
        string xml = Xml(flow, FlowTextSource.Cache);
        Assert.Contains("</layer4><counters><packets>1</packets><bytes>2</bytes></counters>", xml);
        Assert.Contains(
            "</layer4><zone>5</zone><counters><packets>3</packets><bytes>4</bytes></counters>",
            xml);
    }

    [Fact]
    public void A_helper_name_cannot_break_a_line_or_an_element()
    {
        Flow flow = SampleFlow.ParseText("unknown 50 src=1.0.0.1 dst=1.0.0.2");
        flow.Helper = HelperName.From("a<b>&\n\x1b\x80"u8);
        flow.Present |= FlowAttributes.Helper;
        Assert.EndsWith(" helper=a<b>&????", Text(flow, FlowTextSource.Cache));
        string xml = Xml(flow, FlowTextSource.Cache);
        Assert.Contains("<helper>a&lt;b&gt;&amp;????</helper>", xml);
        Assert.Equal("a<b>&????", XElement.Parse(xml).Element("helper")!.Value);
    }

    [Fact]
    public void Printing_into_a_used_buffer_allocates_nothing()
    {
        Flow flow = SampleFlow.ParseText(SampleFlow.ReadLines("notrack-a.i.out")[0]);
        var text = new TextBuffer(4096);
        long before = 0;
        for (int i = 0; i < 1000; i++)
        {
            if (i == 100) { before = GC.GetAllocatedBytesForCurrentThread(); }
            text.Clear();
            FlowText.Append(text, flow, FlowTextSource.Kernel, SampleFlow.WallSeconds);
            FlowText.AppendXml(text, flow, FlowTextSource.Kernel, SampleFlow.WallSeconds);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static string Text(Flow flow, FlowTextSource source) => SampleFlow.Print(
        text => FlowText.Append(text, flow, source, SampleFlow.WallSeconds));

    private static string Xml(Flow flow, FlowTextSource source) => SampleFlow.Print(
        text => FlowText.AppendXml(text, flow, source, SampleFlow.WallSeconds));

    private static ulong? Seconds(string line, string name)
    {
        Match match = Suffix().Match(line);
        while (match.Success && match.Groups[1].Value != name) { match = match.NextMatch(); }
        return match.Success
            ? ulong.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>
    /// Reads the XML form; ICMP types and ids are not in it, nor are states but TCP's.
    /// </summary>
    private static Flow ParseXml(string line)
    {
        Flow flow = default;
        var root = XElement.Parse(line);
        foreach (XElement meta in root.Elements("meta"))
        {
            string direction = meta.Attribute("direction")!.Value;
            if (direction == "independent")
            {
                ParseXmlIndependent(ref flow, meta);
                continue;
            }
            if (meta.Element("layer3")!.Attribute("protonum")!.Value == "0") { continue; }
            bool reply = direction == "reply";
            flow.Protocol = byte.Parse(meta.Element("layer4")!.Attribute("protonum")!.Value,
                CultureInfo.InvariantCulture);
            foreach (XElement leaf in meta.Descendants())
            {
                if (leaf.HasElements || leaf.Name == "layer4") { continue; }
                string name = leaf.Name == "zone"
                    ? reply ? "zone-reply" : "zone-orig"
                    : leaf.Name.LocalName;
                SampleFlow.ReadField(ref flow, name, leaf.Value, reply);
            }
        }
        if (root.Element("helper") is { } helper)
        {
            SampleFlow.ReadField(ref flow, "helper", helper.Value, reply: false);
        }
        return flow;
    }

    private static void ParseXmlIndependent(ref Flow flow, XElement meta)
    {
        flow.Status = FlowStatus.SeenReply;
        flow.Present |= FlowAttributes.Status;
        foreach (XElement leaf in meta.Elements())
        {
            switch (leaf.Name.LocalName)
            {
                case "state":
                    flow.ProtocolState = SampleFlow.StateOf(L4Protocol.Tcp, leaf.Value);
                    flow.Present |= FlowAttributes.ProtocolState;
                    break;
                case "assured":
                    flow.Status |= FlowStatus.Assured;
                    break;
                case "unreplied":
                    flow.Status &= ~FlowStatus.SeenReply;
                    break;
                case "id":
                    flow.Id = (uint)SampleFlow.Number(leaf.Value);
                    flow.Present |= FlowAttributes.Id;
                    break;
                default:
                    SampleFlow.ReadField(ref flow, leaf.Name.LocalName, leaf.Value, reply: false);
                    break;
            }
        }
    }

    [GeneratedRegex(@" \[(expires in|active since) (\d+)s\]")]
    private static partial Regex Suffix();
}
