using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>A flow as a sync message: writing.</summary>
/// <remarks>
/// New, update and destroy are built alike, in the order and under the conditions of the original
/// (shared spec wire, section 7), so that both produce the same bytes. GRE keys, UDP-Lite ports,
/// zones of one direction and the reply tuple have no attribute; NAT is described by the four bits
/// that <see cref="Flow.DescribeNat"/> or decoding set.
/// </remarks>
internal static partial class FlowMessage
{
    /// <summary>
    /// Room that a message takes at most, with some to spare (356 bytes are possible).
    /// </summary>
    internal const int SizeMax = 512;

    /// <summary>The longest helper name the original accepts.</summary>
    private const int HelperNameSentMax = 11;

    /// <summary>
    /// Writes the message and returns its length; 0 if it does not fit into the target.
    /// </summary>
    internal static int Encode(
        Span<byte> target, in Flow flow, SyncType type, SyncFlags flags, uint sequence,
        FlowMessageOptions options)
    {
        FlowAttributes present = flow.Present;
        var writer = new SyncAttributeWriter(target);
        if ((present & FlowAttributes.Orig) != 0)
        {
            writer.PutAddresses(
                (int)SyncAttribute.Ipv4, (int)SyncAttribute.Ipv6, flow.Family, flow.Orig);
        }
        uint status = (present & FlowAttributes.Status) != 0 ? (uint)flow.Status : 0;
        writer.PutUInt32((int)SyncAttribute.Status, status);
        writer.PutByte((int)SyncAttribute.L4Protocol, flow.Protocol);
        PutL4(ref writer, flow, options.WindowScale);
        if ((present & FlowAttributes.Timeout) != 0 && options.Timeout)
        {
            writer.PutUInt32((int)SyncAttribute.Timeout, flow.TimeoutSeconds);
        }
        if ((present & FlowAttributes.Mark) != 0)
        {
            writer.PutUInt32((int)SyncAttribute.Mark, flow.Mark);
        }
        if ((present & Rare) != 0) { PutRare(ref writer, flow); }
        return writer.Finish(type, flags, sequence);
    }

    private const FlowAttributes Rare =
        FlowAttributes.Master | FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat
        | FlowAttributes.Dpat | FlowAttributes.SequenceAdjust | FlowAttributes.Helper
        | FlowAttributes.Labels | FlowAttributes.Synproxy | FlowAttributes.Zone;

    private static void PutL4(ref SyncAttributeWriter writer, in Flow flow, bool windowScale)
    {
        bool hasState = flow.Has(FlowAttributes.ProtocolState);
        switch (flow.Protocol)
        {
            case L4Protocol.Tcp:
                writer.PutPorts((int)SyncAttribute.Port, flow.Orig);
                if (!hasState) { break; }
                writer.PutByte((int)SyncAttribute.TcpState, flow.ProtocolState);
                if (!windowScale || !flow.Has(FlowAttributes.TcpWscale)) { break; }
                writer.PutByte((int)SyncAttribute.TcpWscaleOrig, flow.TcpWscaleOrig);
                writer.PutByte((int)SyncAttribute.TcpWscaleReply, flow.TcpWscaleReply);
                break;
            case L4Protocol.Udp:
                writer.PutPorts((int)SyncAttribute.Port, flow.Orig);
                break;
            case L4Protocol.Sctp:
                writer.PutPorts((int)SyncAttribute.Port, flow.Orig);
                if (!hasState) { break; }
                bool hasTags = flow.Has(FlowAttributes.SctpVtags);
                writer.PutByte((int)SyncAttribute.SctpState, flow.ProtocolState);
                writer.PutUInt32(
                    (int)SyncAttribute.SctpVtagOrig, hasTags ? flow.SctpVtagOrig : 0);
                writer.PutUInt32(
                    (int)SyncAttribute.SctpVtagReply, hasTags ? flow.SctpVtagReply : 0);
                break;
            case L4Protocol.Dccp:
                writer.PutPorts((int)SyncAttribute.Port, flow.Orig);
                if (!hasState) { break; }
                writer.PutByte((int)SyncAttribute.DccpState, flow.ProtocolState);
                writer.PutByte(
                    (int)SyncAttribute.DccpRole,
                    flow.Has(FlowAttributes.DccpRole) ? flow.DccpRole : (byte)0);
                break;
            case L4Protocol.Icmp or L4Protocol.Icmpv6 when flow.Has(FlowAttributes.L4Keys):
                writer.PutByte((int)SyncAttribute.IcmpType, flow.Orig.IcmpType);
                writer.PutByte((int)SyncAttribute.IcmpCode, flow.Orig.IcmpCode);
                writer.PutUInt16LittleEndian((int)SyncAttribute.IcmpId, flow.Orig.L4Source);
                break;
            default:
                break;
        }
    }

    private static void PutRare(ref SyncAttributeWriter writer, in Flow flow)
    {
        if (flow.Has(FlowAttributes.Master))
        {
            writer.PutAddresses(
                (int)SyncAttribute.MasterIpv4, (int)SyncAttribute.MasterIpv6, flow.Family,
                flow.Master);
            writer.PutByte((int)SyncAttribute.MasterL4Protocol, flow.MasterProtocol);
            if (flow.Has(FlowAttributes.MasterL4Keys))
            {
                writer.PutPorts((int)SyncAttribute.MasterPort, flow.Master);
            }
        }
        PutNat(ref writer, flow);
        if (flow.Has(FlowAttributes.SequenceAdjust)) { PutSequenceAdjust(ref writer, flow); }
        if (flow.Has(FlowAttributes.Helper)
            && flow.Helper.Text.Length is > 0 and <= HelperNameSentMax)
        {
            // The original refuses the whole message for a longer name.
            writer.PutText((int)SyncAttribute.HelperName, flow.Helper.Text);
        }
        if (flow.Has(FlowAttributes.Labels) && (flow.LabelsLow | flow.LabelsHigh) != 0)
        {
            PutLabels(ref writer, flow);
        }
        if (flow.Has(FlowAttributes.Synproxy)
            && writer.TryReserve((int)SyncAttribute.Synproxy, 12, out Span<byte> synproxy))
        {
            BinaryPrimitives.WriteUInt32BigEndian(synproxy, flow.SynproxyIts);
            BinaryPrimitives.WriteUInt32BigEndian(synproxy[4..], flow.SynproxyIsn);
            BinaryPrimitives.WriteUInt32BigEndian(synproxy[8..], flow.SynproxyTimestampOffset);
        }
        if (flow.Has(FlowAttributes.Zone)) { writer.PutUInt16((int)SyncAttribute.Zone, flow.Zone); }
    }

    private static void PutNat(ref SyncAttributeWriter writer, in Flow flow)
    {
        if (flow.Has(FlowAttributes.Snat))
        {
            writer.PutAddress(
                (int)SyncAttribute.SnatIpv4, (int)SyncAttribute.SnatIpv6, flow.Family,
                flow.SnatAddress);
        }
        if (flow.Has(FlowAttributes.Dnat))
        {
            writer.PutAddress(
                (int)SyncAttribute.DnatIpv4, (int)SyncAttribute.DnatIpv6, flow.Family,
                flow.DnatAddress);
        }
        if (flow.Has(FlowAttributes.Spat))
        {
            writer.PutUInt16LittleEndian((int)SyncAttribute.SpatPort, flow.SpatPort);
        }
        if (flow.Has(FlowAttributes.Dpat))
        {
            writer.PutUInt16LittleEndian((int)SyncAttribute.DpatPort, flow.DpatPort);
        }
    }

    private static void PutSequenceAdjust(ref SyncAttributeWriter writer, in Flow flow)
    {
        if (!writer.TryReserve((int)SyncAttribute.SequenceAdjust, 24, out Span<byte> payload))
        {
            return;
        }
        PutAdjustment(payload, flow.SequenceAdjustOrig);
        PutAdjustment(payload[12..], flow.SequenceAdjustReply);
    }

    private static void PutAdjustment(Span<byte> target, in SequenceAdjustment adjustment)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, adjustment.CorrectionPosition);
        BinaryPrimitives.WriteInt32BigEndian(target[4..], adjustment.OffsetBefore);
        BinaryPrimitives.WriteInt32BigEndian(target[8..], adjustment.OffsetAfter);
    }

    /// <summary>Four words, lowest labels first, as every current kernel has them.</summary>
    private static void PutLabels(ref SyncAttributeWriter writer, in Flow flow)
    {
        if (!writer.TryReserve((int)SyncAttribute.Labels, 16, out Span<byte> words)) { return; }
        BinaryPrimitives.WriteUInt32BigEndian(words, (uint)flow.LabelsLow);
        BinaryPrimitives.WriteUInt32BigEndian(words[4..], (uint)(flow.LabelsLow >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(words[8..], (uint)flow.LabelsHigh);
        BinaryPrimitives.WriteUInt32BigEndian(words[12..], (uint)(flow.LabelsHigh >> 32));
    }
}
