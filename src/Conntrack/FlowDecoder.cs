using System.Numerics;
using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>Reads a flow out of an event, a dump record or the answer to a get.</summary>
/// <remarks>
/// Once per kernel event: one loop, one switch, nothing allocated. Attributes nobody here needs and
/// those of newer kernels are skipped; too short ones refuse the message. An event carries only
/// what it is about, so the caller merges; an event without CTA_MARK means mark 0, which is the
/// caller's to know. Source: linux/netfilter/nfnetlink_conntrack.h; shared spec ctnetlink, 3.
/// </remarks>
internal static partial class FlowDecoder
{
    internal const int HeaderSize = 4;          // struct nfgenmsg: family, version, res_id

    /// <summary>
    /// Clears <paramref name="flow"/> and fills it from a message of type CT_NEW or CT_DELETE.
    /// </summary>
    /// <param name="payload">From nfgenmsg on.</param>
    /// <param name="flow">Half filled if the result is not None.</param>
    internal static DecodeError Decode(ReadOnlySpan<byte> payload, ref Flow flow)
    {
        flow.Clear();
        if (payload.Length < HeaderSize) { return DecodeError.Header; }
        var family = (AddressFamily)payload[0];
        if (family is not (AddressFamily.Ipv4 or AddressFamily.Ipv6)) { return DecodeError.Family; }
        flow.Family = family;
        var attributes = new AttributeReader(payload[HeaderSize..]);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            DecodeError error = DecodeAttribute(attribute, ref flow);
            if (error != DecodeError.None) { return error; }
        }
        if (attributes.Malformed) { return DecodeError.Framing; }
        if (!flow.Has(FlowAttributes.Orig)) { return DecodeError.TupleMissing; }
        flow.DescribeNat();
        return DecodeError.None;
    }

    private static DecodeError DecodeAttribute(in NetlinkAttribute attribute, ref Flow flow)
    {
        switch ((CtAttribute)attribute.Type)
        {
            // Addresses and ports of the direction that opened the flow; names it, with the zone.
            case CtAttribute.TupleOrig:
                return DecodeOrig(attribute.Payload, ref flow);

            // The same of the answers, as translated; the only trace of NAT.
            case CtAttribute.TupleReply:
                return DecodeReply(attribute.Payload, ref flow);

            // Opaque, the same for the life of the kernel's entry.
            case CtAttribute.Id:
                return attribute.TryReadUInt32(out flow.Id)
                    ? Found(ref flow, FlowAttributes.Id) : DecodeError.Id;

            // Always there.
            case CtAttribute.Status:
                if (!attribute.TryReadUInt32(out uint status)) { return DecodeError.Status; }
                flow.Status = (FlowStatus)status;
                return Found(ref flow, FlowAttributes.Status);

            // Until the kernel drops the flow. Absent in a destroy event after natural expiry and
            // for flows offloaded to hardware.
            case CtAttribute.Timeout:
                return attribute.TryReadUInt32(out flow.TimeoutSeconds)
                    ? Found(ref flow, FlowAttributes.Timeout) : DecodeError.Timeout;

            // Protocol state; only the state itself in destroy events.
            case CtAttribute.ProtocolInfo:
                return TryDecodeProtocolInfo(attribute.Payload, ref flow)
                    ? DecodeError.None : DecodeError.ProtocolInfo;

            // In dumps always, in events if not zero or just changed.
            case CtAttribute.Mark:
                return attribute.TryReadUInt32(out flow.Mark)
                    ? Found(ref flow, FlowAttributes.Mark) : DecodeError.Mark;

            // If not 0 and the same for both directions; otherwise it stands in the tuple.
            case CtAttribute.Zone:
                return attribute.TryReadUInt16(out flow.Zone)
                    ? Found(ref flow, FlowAttributes.Zone) : DecodeError.Zone;

            default:
                return DecodeRare(attribute, ref flow);
        }
    }

    private static DecodeError DecodeRare(in NetlinkAttribute attribute, ref Flow flow)
    {
        switch ((CtAttribute)attribute.Type)
        {
            // References to the entry; dumps only.
            case CtAttribute.Use:
                return attribute.TryReadUInt32(out flow.Use)
                    ? Found(ref flow, FlowAttributes.Use) : DecodeError.Use;

            // Labels set by rules, one bit each, in words of the host's long: with both byte orders
            // two 64-bit numbers read in host order have label n at bit n.
            case CtAttribute.Labels:
                return DecodeLabels(attribute.Payload, ref flow);

            // Destroy events and dumps, if the kernel counts.
            case CtAttribute.CountersOrig:
                return TryDecodeCounters(
                    attribute.Payload, ref flow, out flow.PacketsOrig, out flow.BytesOrig)
                    ? DecodeError.None : DecodeError.Counters;
            case CtAttribute.CountersReply:
                return TryDecodeCounters(
                    attribute.Payload, ref flow, out flow.PacketsReply, out flow.BytesReply)
                    ? DecodeError.None : DecodeError.Counters;

            // Start, and stop once destroyed.
            case CtAttribute.Timestamp:
                return TryDecodeTimestamp(attribute.Payload, ref flow)
                    ? DecodeError.None : DecodeError.Timestamp;
            case CtAttribute.TimestampEvent:
                return attribute.TryReadUInt64(out flow.TimestampEventNanoseconds)
                    ? Found(ref flow, FlowAttributes.TimestampEvent) : DecodeError.Timestamp;

            // While a helper is attached; its own data beside the name is not read.
            case CtAttribute.Help:
                return TryDecodeHelper(attribute.Payload, ref flow)
                    ? DecodeError.None : DecodeError.Help;

            // New events and dumps of a flow that was expected.
            case CtAttribute.TupleMaster:
                return DecodeMaster(attribute.Payload, ref flow);

            // Dumps; events only if set through ctnetlink. Both directions come together.
            case CtAttribute.SequenceAdjustOrig:
                return TryDecodeAdjustment(
                    attribute.Payload, ref flow, out flow.SequenceAdjustOrig)
                    ? DecodeError.None : DecodeError.SequenceAdjust;
            case CtAttribute.SequenceAdjustReply:
                return TryDecodeAdjustment(
                    attribute.Payload, ref flow, out flow.SequenceAdjustReply)
                    ? DecodeError.None : DecodeError.SequenceAdjust;

            // Zeros for every entry made through ctnetlink, values for proxied handshakes.
            case CtAttribute.Synproxy:
                return TryDecodeSynproxy(attribute.Payload, ref flow)
                    ? DecodeError.None : DecodeError.Synproxy;

            default:
                return DecodeError.None;
        }
    }

    private static DecodeError Found(ref Flow flow, FlowAttributes attribute)
    {
        flow.Present |= attribute;
        return DecodeError.None;
    }

    private static DecodeError DecodeOrig(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        if (!TupleCodec.TryDecode(nest, flow.Family, out TupleCodec.Decoded decoded))
        {
            return DecodeError.TupleOrig;
        }
        flow.Orig = decoded.Tuple;
        flow.Protocol = decoded.Protocol;
        FlowAttributes present = FlowAttributes.Orig | FlowAttributes.Protocol;
        if (decoded.HasL4Keys) { present |= FlowAttributes.L4Keys; }
        if (decoded.HasZone)
        {
            flow.ZoneOrig = decoded.Zone;
            present |= FlowAttributes.ZoneOrig;
        }
        return Found(ref flow, present);
    }

    private static DecodeError DecodeReply(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        if (!TupleCodec.TryDecode(nest, flow.Family, out TupleCodec.Decoded decoded))
        {
            return DecodeError.TupleReply;
        }
        flow.Reply = decoded.Tuple;
        FlowAttributes present = FlowAttributes.Reply;
        if (decoded.HasZone)
        {
            flow.ZoneReply = decoded.Zone;
            present |= FlowAttributes.ZoneReply;
        }
        return Found(ref flow, present);
    }

    private static DecodeError DecodeMaster(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        if (!TupleCodec.TryDecode(nest, flow.Family, out TupleCodec.Decoded decoded))
        {
            return DecodeError.TupleMaster;
        }
        flow.Master = decoded.Tuple;
        flow.MasterProtocol = decoded.Protocol;
        FlowAttributes present = FlowAttributes.Master;
        if (decoded.HasL4Keys) { present |= FlowAttributes.MasterL4Keys; }
        return Found(ref flow, present);
    }

    private static DecodeError DecodeLabels(ReadOnlySpan<byte> bitmap, ref Flow flow)
    {
        if (bitmap.Length < sizeof(ulong)) { return DecodeError.Labels; }
        flow.LabelsLow = BitConverter.ToUInt64(bitmap);
        flow.LabelsHigh = bitmap.Length < 2 * sizeof(ulong)
            ? 0 : BitConverter.ToUInt64(bitmap[sizeof(ulong)..]);
        return Found(ref flow, FlowAttributes.Labels);
    }

    private static bool TryDecodeHelper(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        const int Name = 1;                     // CTA_HELP_NAME
        var attributes = new AttributeReader(nest);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            if (attribute.Type != Name) { continue; }
            flow.Helper = HelperName.From(attribute.Payload);
            if (!flow.Helper.Text.IsEmpty) { flow.Present |= FlowAttributes.Helper; }
        }
        return !attributes.Malformed;
    }

    private static bool TryDecodeCounters(
        ReadOnlySpan<byte> nest, ref Flow flow, out ulong packets, out ulong bytes)
    {
        const int Packets = 1, Bytes = 2;       // CTA_COUNTERS_PACKETS, CTA_COUNTERS_BYTES
        if (!flow.Has(FlowAttributes.Counters))
        {
            flow.PacketsOrig = flow.BytesOrig = flow.PacketsReply = flow.BytesReply = 0;
            flow.Present |= FlowAttributes.Counters;
        }
        ulong foundPackets = 0, foundBytes = 0;
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Packets:
                    ok = attribute.TryReadUInt64(out foundPackets);
                    break;
                case Bytes:
                    ok = attribute.TryReadUInt64(out foundBytes);
                    break;
                default:
                    break;
            }
        }
        packets = foundPackets;
        bytes = foundBytes;
        return ok && !attributes.Malformed;
    }

    private static bool TryDecodeTimestamp(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        const int Start = 1, Stop = 2;          // CTA_TIMESTAMP_START, CTA_TIMESTAMP_STOP
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Start:
                    ok = attribute.TryReadUInt64(out flow.TimestampStartNanoseconds);
                    flow.Present |= FlowAttributes.TimestampStart;
                    break;
                case Stop:
                    ok = attribute.TryReadUInt64(out flow.TimestampStopNanoseconds);
                    flow.Present |= FlowAttributes.TimestampStop;
                    break;
                default:
                    break;
            }
        }
        return ok && !attributes.Malformed;
    }

    private static bool TryDecodeAdjustment(
        ReadOnlySpan<byte> nest, ref Flow flow, out SequenceAdjustment adjustment)
    {
        if (!flow.Has(FlowAttributes.SequenceAdjust))
        {
            flow.SequenceAdjustOrig = flow.SequenceAdjustReply = default;
            flow.Present |= FlowAttributes.SequenceAdjust;
        }
        bool ok = TryDecodeTriple(nest, out uint position, out uint before, out uint after);
        adjustment = new SequenceAdjustment(position, (int)before, (int)after);
        return ok;
    }

    private static bool TryDecodeSynproxy(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        flow.Present |= FlowAttributes.Synproxy;
        return TryDecodeTriple(
            nest, out flow.SynproxyIsn, out flow.SynproxyIts, out flow.SynproxyTimestampOffset);
    }

    /// <summary>A nest of three 32-bit numbers, 1 to 3, of which none may be missing.</summary>
    private static bool TryDecodeTriple(
        ReadOnlySpan<byte> nest, out uint first, out uint second, out uint third)
    {
        first = second = third = 0;
        int seen = 0;
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            if (attribute.Type is < 1 or > 3) { continue; }
            ok = attribute.TryReadUInt32(out uint value);
            seen |= 1 << attribute.Type;
            switch (attribute.Type)
            {
                case 1: first = value; break;
                case 2: second = value; break;
                default: third = value; break;
            }
        }
        return ok && BitOperations.PopCount((uint)seen) == 3 && !attributes.Malformed;
    }
}
