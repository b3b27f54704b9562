using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Text;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Vectors;

/// <summary>Renders decoded sync messages as the vector files do.</summary>
internal static class SyncText
{
    internal static string Head(in SyncMessage message)
    {
        string type = message.Header.Type switch
        {
            SyncType.FlowNew => "CT_NEW",
            SyncType.FlowUpdate => "CT_UPD",
            SyncType.FlowDestroy => "CT_DEL",
            SyncType.ExpectNew => "EXP_NEW",
            SyncType.ExpectUpdate => "EXP_UPD",
            SyncType.ExpectDestroy => "EXP_DEL",
            SyncType.Control => "CTL",
            _ => Format((int)message.Header.Type),
        };
        string range = message.Header.HasRange
            ? $" from={message.From} to={message.To}" : "";
        return $"v1 {type} flags={Flags(message.Header.Flags)} len={message.Header.Length} "
            + $"seq={message.Header.Sequence}{range}";
    }

    internal static string Flow(in Flow flow)
    {
        var text = new StringBuilder();
        string family = flow.Family == AddressFamily.Ipv4 ? "IPV4" : "IPV6";
        Put(text, family, Addresses(flow.Family, flow.Orig));
        if (flow.Has(FlowAttributes.Status))
        {
            Put(text, "STATUS", $"0x{(uint)flow.Status:x}");
        }
        Put(text, "L4PROTO", Format(flow.Protocol));
        Layer4(text, flow);
        if (flow.Has(FlowAttributes.Timeout)) { Put(text, "TIMEOUT", Format(flow.TimeoutSeconds)); }
        if (flow.Has(FlowAttributes.Mark)) { Put(text, "MARK", Format(flow.Mark)); }
        if (flow.Has(FlowAttributes.Master))
        {
            Put(text, "MASTER_" + family, Addresses(flow.Family, flow.Master));
            Put(text, "MASTER_L4PROTO", Format(flow.MasterProtocol));
        }
        if (flow.Has(FlowAttributes.MasterL4Keys)) { Put(text, "MASTER_PORT", Ports(flow.Master)); }
        Nat(text, flow, family);
        Extensions(text, flow);
        return text.ToString();
    }

    private static void Layer4(StringBuilder text, in Flow flow)
    {
        bool keys = flow.Has(FlowAttributes.L4Keys);
        if (keys && L4Protocol.IsIcmp(flow.Protocol))
        {
            Put(text, "ICMP_TYPE", Format(flow.Orig.IcmpType));
            Put(text, "ICMP_CODE", Format(flow.Orig.IcmpCode));
            Put(text, "ICMP_ID", Swapped(flow.Orig.L4Source));
        }
        else if (keys)
        {
            Put(text, "PORT", Ports(flow.Orig));
        }
        string protocol = flow.Protocol switch
        {
            L4Protocol.Tcp => "TCP",
            L4Protocol.Sctp => "SCTP",
            _ => "DCCP",
        };
        if (flow.Has(FlowAttributes.ProtocolState))
        {
            Put(text, protocol + "_STATE", Format(flow.ProtocolState));
        }
        if (flow.Has(FlowAttributes.TcpWscale))
        {
            Put(text, "TCP_WSCALE_ORIG", Format(flow.TcpWscaleOrig));
            Put(text, "TCP_WSCALE_REPL", Format(flow.TcpWscaleReply));
        }
        if (flow.Has(FlowAttributes.SctpVtags))
        {
            Put(text, "SCTP_VTAG_ORIG", Format(flow.SctpVtagOrig));
            Put(text, "SCTP_VTAG_REPL", Format(flow.SctpVtagReply));
        }
        if (flow.Has(FlowAttributes.DccpRole)) { Put(text, "DCCP_ROLE", Format(flow.DccpRole)); }
    }

    private static void Nat(StringBuilder text, in Flow flow, string family)
    {
        if (flow.Has(FlowAttributes.Snat))
        {
            Put(text, "SNAT_" + family, Text(flow.Family, flow.SnatAddress));
        }
        if (flow.Has(FlowAttributes.Dnat))
        {
            Put(text, "DNAT_" + family, Text(flow.Family, flow.DnatAddress));
        }
        if (flow.Has(FlowAttributes.Spat)) { Put(text, "SPAT_PORT", Swapped(flow.SpatPort)); }
        if (flow.Has(FlowAttributes.Dpat)) { Put(text, "DPAT_PORT", Swapped(flow.DpatPort)); }
    }

    private static void Extensions(StringBuilder text, in Flow flow)
    {
        if (flow.Has(FlowAttributes.SequenceAdjust))
        {
            SequenceAdjustment orig = flow.SequenceAdjustOrig, reply = flow.SequenceAdjustReply;
            Put(text, "NAT_SEQ_ADJ",
                $"{(int)orig.CorrectionPosition},{orig.OffsetBefore},{orig.OffsetAfter},"
                + $"{(int)reply.CorrectionPosition},{reply.OffsetBefore},{reply.OffsetAfter}");
        }
        if (flow.Has(FlowAttributes.Helper))
        {
            Put(text, "HELPER_NAME", $"'{Encoding.ASCII.GetString(flow.Helper.Text)}'");
        }
        if (flow.Has(FlowAttributes.Labels))
        {
            ulong low = flow.LabelsLow, high = flow.LabelsHigh;
            Put(text, "LABELS",
                $"{(uint)low:x8}{(uint)(low >> 32):x8}{(uint)high:x8}{(uint)(high >> 32):x8}");
        }
        if (flow.Has(FlowAttributes.Synproxy))
        {
            Put(text, "SYNPROXY",
                $"{(int)flow.SynproxyIts},{(int)flow.SynproxyIsn},"
                + $"{(int)flow.SynproxyTimestampOffset}");
        }
        if (flow.Has(FlowAttributes.Zone)) { Put(text, "ZONE", Format(flow.Zone)); }
    }

    internal static string Expectation(in Expectation expectation)
    {
        var text = new StringBuilder();
        AddressFamily family = expectation.Family;
        byte master = expectation.MasterProtocol;
        bool ports = L4Protocol.HasPorts(master);
        Tuple(text, "MASTER_", family, expectation.Master, master, ports);
        Tuple(text, "EXPECT_", family, expectation.Tuple, expectation.Protocol, ports);
        Tuple(text, "MASK_", family, expectation.Mask, expectation.MaskProtocol, ports);
        if (expectation.Has(ExpectationAttributes.Timeout))
        {
            Put(text, "TIMEOUT", Format(expectation.TimeoutSeconds));
        }
        if (expectation.Has(ExpectationAttributes.Flags))
        {
            Put(text, "FLAGS", Format((uint)expectation.Flags));
        }
        if (expectation.Has(ExpectationAttributes.Class))
        {
            Put(text, "CLASS", Format(expectation.Class));
        }
        if (expectation.Has(ExpectationAttributes.Nat))
        {
            if (family == AddressFamily.Ipv4)
            {
                Put(text, "NAT_IPV4", Addresses(family, expectation.NatTuple));
            }
            Put(text, "NAT_L4PROTO", Format(expectation.NatProtocol));
            if (ports) { Put(text, "NAT_PORT", Ports(expectation.NatTuple)); }
            Put(text, "NAT_DIR", Format(expectation.NatDirection));
        }
        if (expectation.Has(ExpectationAttributes.Helper))
        {
            Put(text, "HELPER_NAME", $"'{Encoding.ASCII.GetString(expectation.Helper.Text)}'");
        }
        if (expectation.Has(ExpectationAttributes.Function))
        {
            Put(text, "FN", $"'{Encoding.ASCII.GetString(expectation.Function.Text)}'");
        }
        return text.ToString();
    }

    private static void Tuple(
        StringBuilder text, string prefix, AddressFamily family, in FlowTuple tuple, byte protocol,
        bool ports)
    {
        string name = family == AddressFamily.Ipv4 ? "IPV4" : "IPV6";
        Put(text, prefix + name, Addresses(family, tuple));
        Put(text, prefix + "L4PROTO", Format(protocol));
        if (ports) { Put(text, prefix + "PORT", Ports(tuple)); }
    }

    internal static void Put(StringBuilder text, string name, string value)
    {
        if (text.Length > 0) { text.Append(' '); }
        text.Append(name).Append('=').Append(value);
    }

    internal static string Format(long value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Ports(in FlowTuple tuple) => $"{tuple.L4Source}>{tuple.L4Target}";

    internal static string Addresses(AddressFamily family, in FlowTuple tuple) =>
        $"{Text(family, tuple.Source)}>{Text(family, tuple.Target)}";

    internal static string Text(AddressFamily family, in Address address)
    {
        byte[] bytes = new byte[family == AddressFamily.Ipv4 ? 4 : 16];
        if (family == AddressFamily.Ipv4) { address.WriteIpv4(bytes); }
        else { address.WriteIpv6(bytes); }
        return new IPAddress(bytes).ToString();
    }

    private static string Swapped(ushort value)
    {
        byte[] raw = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(raw, value);
        return $"raw={Convert.ToHexStringLower(raw)}(LE {value})";
    }

    private static string Flags(SyncFlags flags)
    {
        var names = new List<string>();
        (SyncFlags Flag, string Name)[] known =
        [
            (SyncFlags.Resync, "RESYNC"), (SyncFlags.Nack, "NACK"), (SyncFlags.Ack, "ACK"),
            (SyncFlags.Alive, "ALIVE"), (SyncFlags.Hello, "HELLO"),
            (SyncFlags.HelloBack, "HELLO_BACK"),
        ];
        foreach ((SyncFlags flag, string name) in known)
        {
            if ((flags & flag) != 0) { names.Add(name); }
        }
        return names.Count == 0 ? "-" : string.Join('|', names);
    }
}
