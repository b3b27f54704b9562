namespace Conntrackd.Conntrack;

// Forms that the original does not have: JSON and the extended line (docs/output.md).
internal static partial class FlowText
{
    /// <summary>Appends one JSON object, no line feed; what is not known has no field.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="flow">What; its addresses and protocol must be known.</param>
    /// <param name="activeSeconds">Since it entered the cache; null if it is in none.</param>
    /// <param name="wallSeconds">Seconds since 1970, for the age of a living flow.</param>
    internal static void AppendJson(
        TextBuffer text, in Flow flow, ulong? activeSeconds, long wallSeconds)
    {
        JsonText.Begin(text);
        AppendJsonFields(text, flow, wallSeconds);
        if (activeSeconds is ulong active)
        {
            JsonText.Field(text, "active_seconds"u8, active);
        }
        JsonText.End(text);
    }

    /// <summary>Appends a JSON object about a flow that ended; no line feed.</summary>
    internal static void AppendJsonEnded(TextBuffer text, in Flow flow, long wallSeconds)
    {
        JsonText.Begin(text);
        JsonText.Field(text, "time"u8, (ulong)wallSeconds);
        AppendJsonFields(text, flow, wallSeconds);
        JsonText.End(text);
    }

    private static void AppendJsonFields(TextBuffer text, in Flow flow, long wallSeconds)
    {
        JsonText.Field(text, "family"u8, FlowNames.OfFamily(flow.Family));
        JsonText.Field(text, "protocol"u8, FlowNames.OfProtocol(flow.Protocol));
        JsonText.Field(text, "protocol_number"u8, flow.Protocol);
        if (ShowsState(flow))
        {
            JsonText.Field(
                text, "state"u8, FlowNames.OfState(flow.Protocol, flow.ProtocolState));
        }
        AppendJsonTuple(text, "original"u8, flow, flow.Orig, flow.PacketsOrig, flow.BytesOrig);
        if (TryGetReply(flow, out FlowTuple reply))
        {
            AppendJsonTuple(text, "reply"u8, flow, reply, flow.PacketsReply, flow.BytesReply);
        }
        if (flow.Has(FlowAttributes.Status))
        {
            JsonText.Field(text, "replied"u8, !IsUnreplied(flow));
            JsonText.Field(text, "assured"u8, (flow.Status & FlowStatus.Assured) != 0);
        }
        AppendJsonNat(text, flow);
        if (flow.Has(FlowAttributes.Mark)) { JsonText.Field(text, "mark"u8, flow.Mark); }
        if (flow.Has(FlowAttributes.Zone)) { JsonText.Field(text, "zone"u8, flow.Zone); }
        if (flow.Has(FlowAttributes.ZoneOrig))
        {
            JsonText.Field(text, "zone_original"u8, flow.ZoneOrig);
        }
        if (flow.Has(FlowAttributes.ZoneReply))
        {
            JsonText.Field(text, "zone_reply"u8, flow.ZoneReply);
        }
        if (flow.Has(FlowAttributes.Helper))
        {
            JsonText.Field(text, "helper"u8, flow.Helper.Text);
        }
        if (flow.Has(FlowAttributes.Id)) { JsonText.Field(text, "id"u8, flow.Id); }
        if (flow.Has(FlowAttributes.TimestampStart))
        {
            JsonText.Field(text, "age_seconds"u8, AgeSeconds(flow, wallSeconds));
        }
    }

    /// <summary>
    /// Appends the default line with the family before it, the reply direction even if the peer
    /// sent only NAT, and behind it which ends are translated. No line feed.
    /// </summary>
    internal static void AppendExtended(
        TextBuffer text, in Flow flow, FlowTextSource source, long wallSeconds)
    {
        const int FamilyColumns = 8;
        ReadOnlySpan<byte> family = FlowNames.OfFamily(flow.Family);
        text.Append(family);
        for (int column = family.Length; column <= FamilyColumns; column++)
        {
            text.Append((byte)' ');
        }
        text.AppendDecimal((ulong)flow.Family);
        text.Append((byte)' ');
        Flow shown = flow;
        if (TryGetReply(flow, out shown.Reply)) { shown.Present |= FlowAttributes.Reply; }
        Append(text, in shown, source, wallSeconds);
        if (flow.Has(FlowAttributes.Id))
        {
            text.Append(" id="u8);
            text.AppendDecimal(flow.Id);
        }
        if (IsTranslated(flow, source: true)) { text.Append(" [SNAT]"u8); }
        if (IsTranslated(flow, source: false)) { text.Append(" [DNAT]"u8); }
    }

    // ICMP bears port translation that means nothing (Flow.DescribeNat).
    private static bool IsTranslated(in Flow flow, bool source)
    {
        FlowAttributes address = source ? FlowAttributes.Snat : FlowAttributes.Dnat;
        FlowAttributes port = source ? FlowAttributes.Spat : FlowAttributes.Dpat;
        return flow.Has(address) || (flow.Has(port) && !L4Protocol.IsIcmp(flow.Protocol));
    }

    private static bool TryGetReply(in Flow flow, out FlowTuple reply)
    {
        reply = flow.Reply;
        return flow.Has(FlowAttributes.Reply) || flow.TryGetTranslatedReply(out reply);
    }

    private static void AppendJsonNat(TextBuffer text, in Flow flow)
    {
        bool source = IsTranslated(flow, source: true);
        bool target = IsTranslated(flow, source: false);
        if (!source && !target) { return; }
        JsonText.Begin(text, "nat"u8);
        if (flow.Has(FlowAttributes.Snat))
        {
            JsonText.Field(text, "source"u8, flow.Family, flow.SnatAddress);
        }
        if (source && flow.Has(FlowAttributes.Spat))
        {
            JsonText.Field(text, "source_port"u8, flow.SpatPort);
        }
        if (flow.Has(FlowAttributes.Dnat))
        {
            JsonText.Field(text, "destination"u8, flow.Family, flow.DnatAddress);
        }
        if (target && flow.Has(FlowAttributes.Dpat))
        {
            JsonText.Field(text, "destination_port"u8, flow.DpatPort);
        }
        JsonText.End(text, isInner: true);
    }

    private static void AppendJsonTuple(
        TextBuffer text, ReadOnlySpan<byte> name, in Flow flow, in FlowTuple tuple,
        ulong packets, ulong bytes)
    {
        JsonText.Begin(text, name);
        JsonText.Field(text, "source"u8, flow.Family, tuple.Source);
        JsonText.Field(text, "destination"u8, flow.Family, tuple.Target);
        switch (flow.Protocol)
        {
            case L4Protocol.Icmp or L4Protocol.Icmpv6:
                JsonText.Field(text, "icmp_type"u8, tuple.IcmpType);
                JsonText.Field(text, "icmp_code"u8, tuple.IcmpCode);
                JsonText.Field(text, "icmp_id"u8, tuple.L4Source);
                break;
            case L4Protocol.Gre:
                JsonText.Field(text, "source_key"u8, tuple.L4Source);
                JsonText.Field(text, "destination_key"u8, tuple.L4Target);
                break;
            default:
                if (!L4Protocol.HasPorts(flow.Protocol)) { break; }
                JsonText.Field(text, "source_port"u8, tuple.L4Source);
                JsonText.Field(text, "destination_port"u8, tuple.L4Target);
                break;
        }
        if (flow.Has(FlowAttributes.Counters))
        {
            JsonText.Field(text, "packets"u8, packets);
            JsonText.Field(text, "bytes"u8, bytes);
        }
        JsonText.End(text, isInner: true);
    }
}
