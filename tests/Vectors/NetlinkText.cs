using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Tests.Vectors;

/// <summary>
/// Renders what the decoders understood of a netlink message, one piece per attribute, in the words
/// of the vector index. Lengths and the order of attributes are not part of what was understood.
/// </summary>
internal static class NetlinkText
{
    internal static SortedSet<string> Flow(in Flow flow)
    {
        SortedSet<string> text = [];
        text.Add("TUPLE_ORIG { " + Tuple(
            flow, flow.Orig, flow.Has(FlowAttributes.ZoneOrig) ? flow.ZoneOrig : null) + " }");
        if (flow.Has(FlowAttributes.Reply))
        {
            text.Add("TUPLE_REPLY { " + Tuple(
                flow, flow.Reply,
                flow.Has(FlowAttributes.ZoneReply) ? flow.ZoneReply : null) + " }");
        }
        Add(text, flow, FlowAttributes.Status, $"STATUS 0x{(uint)flow.Status:x8}");
        Add(text, flow, FlowAttributes.Timeout, "TIMEOUT " + Number(flow.TimeoutSeconds));
        Add(text, flow, FlowAttributes.Mark, "MARK " + Number(flow.Mark));
        Add(text, flow, FlowAttributes.Id, "ID " + Number(flow.Id));
        Add(text, flow, FlowAttributes.Use, "USE " + Number(flow.Use));
        Add(text, flow, FlowAttributes.Zone, $"ZONE {flow.Zone} (0x{flow.Zone:x4})");
        Extensions(text, flow);
        string protocol = ProtocolInfo(flow);
        if (protocol.Length > 0) { text.Add($"PROTOINFO {{ {protocol} }}"); }
        return text;
    }

    private static void Extensions(SortedSet<string> text, in Flow flow)
    {
        string stop = flow.Has(FlowAttributes.TimestampStop)
            ? $" stop={flow.TimestampStopNanoseconds}" : "";
        Add(text, flow, FlowAttributes.TimestampStart,
            $"TIMESTAMP {{ start={flow.TimestampStartNanoseconds}{stop} }}");
        Add(text, flow, FlowAttributes.TimestampEvent,
            $"TIMESTAMP_EVENT {flow.TimestampEventNanoseconds}");
        Add(text, flow, FlowAttributes.Counters,
            $"COUNTERS_ORIG {{ packets={flow.PacketsOrig} bytes={flow.BytesOrig} }}");
        Add(text, flow, FlowAttributes.Counters,
            $"COUNTERS_REPLY {{ packets={flow.PacketsReply} bytes={flow.BytesReply} }}");
        Add(text, flow, FlowAttributes.Helper,
            $"HELP {{ name={Encoding.ASCII.GetString(flow.Helper.Text)} }}");
        Add(text, flow, FlowAttributes.SequenceAdjust,
            "SEQ_ADJ_ORIG " + Adjustment(flow.SequenceAdjustOrig));
        Add(text, flow, FlowAttributes.SequenceAdjust,
            "SEQ_ADJ_REPLY " + Adjustment(flow.SequenceAdjustReply));
        Add(text, flow, FlowAttributes.Synproxy,
            $"SYNPROXY {{ isn/its/tsoff={flow.SynproxyIsn:x8} {flow.SynproxyIts:x8} "
            + $"{flow.SynproxyTimestampOffset:x8} }}");
        Add(text, flow, FlowAttributes.Master, "TUPLE_MASTER { " + Tuple(
            flow.Family, flow.MasterProtocol, flow.Master,
            flow.Has(FlowAttributes.MasterL4Keys)) + " }");
        byte[] labels = [.. BitConverter.GetBytes(flow.LabelsLow),
            .. BitConverter.GetBytes(flow.LabelsHigh)];
        Add(text, flow, FlowAttributes.Labels, "LABELS " + Convert.ToHexStringLower(labels));
    }

    internal static SortedSet<string> Expectation(in Expectation expectation)
    {
        AddressFamily family = expectation.Family;
        SortedSet<string> text = [];
        text.Add($"TUPLE {{ {Tuple(family, expectation.Protocol, expectation.Tuple)} }}");
        text.Add($"MASK {{ {Tuple(family, expectation.MaskProtocol, expectation.Mask)} }}");
        text.Add($"MASTER {{ {Tuple(family, expectation.MasterProtocol, expectation.Master)} }}");
        if (expectation.Has(ExpectationAttributes.Nat))
        {
            text.Add($"NAT {{ dir={expectation.NatDirection} tuple={{ "
                + Tuple(family, expectation.NatProtocol, expectation.NatTuple) + " } }");
        }
        if (expectation.Has(ExpectationAttributes.Timeout))
        {
            text.Add("TIMEOUT " + Number(expectation.TimeoutSeconds));
        }
        if (expectation.Has(ExpectationAttributes.Id)) { text.Add("ID " + Number(expectation.Id)); }
        if (expectation.Has(ExpectationAttributes.Flags))
        {
            text.Add("FLAGS " + Number((uint)expectation.Flags));
        }
        if (expectation.Has(ExpectationAttributes.Class))
        {
            text.Add("CLASS " + Number(expectation.Class));
        }
        if (expectation.Has(ExpectationAttributes.Helper))
        {
            text.Add("HELP_NAME " + Encoding.ASCII.GetString(expectation.Helper.Text));
        }
        if (expectation.Has(ExpectationAttributes.Function))
        {
            text.Add("FN " + Encoding.ASCII.GetString(expectation.Function.Text));
        }
        return text;
    }

    private static string ProtocolInfo(in Flow flow)
    {
        if (!flow.Has(FlowAttributes.ProtocolState)) { return ""; }
        if (flow.Protocol == L4Protocol.Sctp)
        {
            string tags = flow.Has(FlowAttributes.SctpVtags)
                ? $" 2=0x{flow.SctpVtagOrig:x} 3=0x{flow.SctpVtagReply:x}" : "";
            return $"SCTP: 1=0x{flow.ProtocolState:x}{tags}";
        }
        string text = $"{(flow.Protocol == L4Protocol.Tcp ? "TCP" : "DCCP")}: "
            + $"state={flow.ProtocolState}";
        if (flow.Has(FlowAttributes.TcpWscale))
        {
            text += $" wscale_orig={flow.TcpWscaleOrig} wscale_reply={flow.TcpWscaleReply}";
        }
        if (flow.Has(FlowAttributes.TcpFlags))
        {
            text += $" flags_orig=flags 0x{flow.TcpFlagsOrig:x2} mask 0x00"
                + $" flags_reply=flags 0x{flow.TcpFlagsReply:x2} mask 0x00";
        }
        return text;
    }

    private static string Adjustment(in SequenceAdjustment adjustment) =>
        $"{{ correction_pos={adjustment.CorrectionPosition} "
        + $"offset_before={adjustment.OffsetBefore} offset_after={adjustment.OffsetAfter} }}";

    private static string Tuple(in Flow flow, in FlowTuple tuple, ushort? zone)
    {
        string text = Tuple(
            flow.Family, flow.Protocol, tuple, flow.Has(FlowAttributes.L4Keys));
        return zone is null ? text : $"{text} zone={zone}";
    }

    private static string Tuple(
        AddressFamily family, byte protocol, in FlowTuple tuple, bool hasKeys = true)
    {
        string text = $"src={SyncText.Text(family, tuple.Source)} "
            + $"dst={SyncText.Text(family, tuple.Target)} proto={protocol}";
        if (!hasKeys) { return text; }
        if (L4Protocol.IsIcmp(protocol))
        {
            string six = protocol == L4Protocol.Icmpv6 ? "6" : "";
            return $"{text} id{six}={tuple.L4Source} type{six}={tuple.IcmpType} "
                + $"code{six}={tuple.IcmpCode}";
        }
        return $"{text} sport={tuple.L4Source} dport={tuple.L4Target}";
    }

    private static string Number(uint value) =>
        string.Create(CultureInfo.InvariantCulture, $"{value} (0x{value:x8})");

    private static void Add(
        SortedSet<string> text, in Flow flow, FlowAttributes attribute, string piece)
    {
        if (flow.Has(attribute)) { text.Add(piece); }
    }
}
