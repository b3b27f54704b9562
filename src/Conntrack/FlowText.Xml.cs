namespace Conntrackd.Conntrack;

internal static partial class FlowText
{
    private const FlowAttributes Independent =
        FlowAttributes.ProtocolState | FlowAttributes.Timeout | FlowAttributes.Mark
        | FlowAttributes.Zone | FlowAttributes.Use | FlowAttributes.Status | FlowAttributes.Id
        | FlowAttributes.Labels | FlowAttributes.TimestampStart | FlowAttributes.TimestampStop;

    /// <summary>Appends one <c>flow</c> element: no declaration, no blanks, no line feed.</summary>
    /// <remarks>
    /// Two oddities are kept because programs parse this form line by line. A flow whose reply
    /// tuple is unknown has one with family 0 and empty addresses (VyOS needs two <c>meta</c>
    /// elements). SCTP and DCCP states bear the TCP name of the same number.
    /// </remarks>
    internal static void AppendXml(
        TextBuffer text, in Flow flow, FlowTextSource source, long wallSeconds)
    {
        text.Append("<flow><meta direction=\"original\">"u8);
        AppendXmlTuple(text, flow.Family, flow.Protocol, flow.Orig);
        if (flow.Has(FlowAttributes.ZoneOrig)) { AppendXmlNumber(text, "zone"u8, flow.ZoneOrig); }
        AppendXmlCounters(text, flow, flow.PacketsOrig, flow.BytesOrig);
        text.Append("</meta><meta direction=\"reply\">"u8);
        bool known = flow.Has(FlowAttributes.Reply);
        AppendXmlTuple(
            text,
            known ? flow.Family : AddressFamily.Unknown,
            known ? flow.Protocol : (byte)0,
            flow.Reply);
        if (flow.Has(FlowAttributes.ZoneReply)) { AppendXmlNumber(text, "zone"u8, flow.ZoneReply); }
        AppendXmlCounters(text, flow, flow.PacketsReply, flow.BytesReply);
        text.Append("</meta>"u8);
        if ((flow.Present & Independent) != 0)
        {
            AppendXmlIndependent(text, flow, source, wallSeconds);
        }
        if (flow.Has(FlowAttributes.Helper))
        {
            text.Append("<helper>"u8);
            AppendXmlForeign(text, flow.Helper.Text);
            text.Append("</helper>"u8);
        }
        text.Append("</flow>"u8);
    }

    private static void AppendXmlTuple(
        TextBuffer text, AddressFamily family, byte protocol, in FlowTuple tuple)
    {
        text.Append("<layer3 protonum=\""u8);
        text.AppendDecimal((ulong)family);
        text.Append("\" protoname=\""u8);
        text.Append(FlowNames.OfFamily(family));
        text.Append("\"><src>"u8);
        AddressText.Append(text, family, tuple.Source);
        text.Append("</src><dst>"u8);
        AddressText.Append(text, family, tuple.Target);
        text.Append("</dst></layer3><layer4 protonum=\""u8);
        text.AppendDecimal(protocol);
        text.Append("\" protoname=\""u8);
        text.Append(FlowNames.OfProtocol(protocol));
        text.Append("\">"u8);
        AppendXmlKeys(text, protocol, tuple);
        text.Append("</layer4>"u8);
    }

    /// <summary>Ports or GRE keys; the XML form has no elements for ICMP types and ids.</summary>
    internal static void AppendXmlKeys(TextBuffer text, byte protocol, in FlowTuple tuple)
    {
        if (protocol == L4Protocol.Gre)
        {
            text.Append("<srckey>0x"u8);
            text.AppendHex(tuple.L4Source);
            text.Append("</srckey><dstkey>0x"u8);
            text.AppendHex(tuple.L4Target);
            text.Append("</dstkey>"u8);
        }
        else if (L4Protocol.HasPorts(protocol))
        {
            AppendXmlNumber(text, "sport"u8, tuple.L4Source);
            AppendXmlNumber(text, "dport"u8, tuple.L4Target);
        }
    }

    private static void AppendXmlCounters(
        TextBuffer text, in Flow flow, ulong packets, ulong bytes)
    {
        if (!flow.Has(FlowAttributes.Counters)) { return; }
        text.Append("<counters>"u8);
        AppendXmlNumber(text, "packets"u8, packets);
        AppendXmlNumber(text, "bytes"u8, bytes);
        text.Append("</counters>"u8);
    }

    private static void AppendXmlIndependent(
        TextBuffer text, in Flow flow, FlowTextSource source, long wallSeconds)
    {
        text.Append("<meta direction=\"independent\">"u8);
        if (ShowsState(flow))
        {
            text.Append("<state>"u8);
            text.Append(FlowNames.OfTcpState(flow.ProtocolState));
            text.Append("</state>"u8);
        }
        if (ShowsTimeout(flow, source)) { AppendXmlNumber(text, "timeout"u8, flow.TimeoutSeconds); }
        if (flow.Has(FlowAttributes.Mark)) { AppendXmlNumber(text, "mark"u8, flow.Mark); }
        if (flow.Has(FlowAttributes.Zone)) { AppendXmlNumber(text, "zone"u8, flow.Zone); }
        if (ShowsUse(flow, source)) { AppendXmlNumber(text, "use"u8, flow.Use); }
        if (flow.Has(FlowAttributes.Id)) { AppendXmlNumber(text, "id"u8, flow.Id); }
        if (flow.Has(FlowAttributes.Status) && (flow.Status & FlowStatus.Assured) != 0)
        {
            text.Append("<assured/>"u8);
        }
        if (IsUnreplied(flow)) { text.Append("<unreplied/>"u8); }
        if (flow.Has(FlowAttributes.TimestampStart))
        {
            AppendXmlNumber(text, "deltatime"u8, AgeSeconds(flow, wallSeconds));
        }
        text.Append("</meta>"u8);
    }

    internal static void AppendXmlNumber(TextBuffer text, ReadOnlySpan<byte> name, ulong value)
    {
        AppendXmlOpen(text, name);
        text.AppendDecimal(value);
        AppendXmlClose(text, name);
    }

    internal static void AppendXmlOpen(TextBuffer text, ReadOnlySpan<byte> name)
    {
        text.Append((byte)'<');
        text.Append(name);
        text.Append((byte)'>');
    }

    internal static void AppendXmlClose(TextBuffer text, ReadOnlySpan<byte> name)
    {
        text.Append("</"u8);
        text.Append(name);
        text.Append((byte)'>');
    }

    /// <summary>Escapes what would end the element; the original does not escape at all.</summary>
    internal static void AppendXmlForeign(TextBuffer text, ReadOnlySpan<byte> foreign)
    {
        foreach (byte value in foreign)
        {
            switch (value)
            {
                case (byte)'<':
                    text.Append("&lt;"u8);
                    break;

                case (byte)'>':
                    text.Append("&gt;"u8);
                    break;

                case (byte)'&':
                    text.Append("&amp;"u8);
                    break;

                default:
                    text.AppendForeign([value]);
                    break;
            }
        }
    }
}
