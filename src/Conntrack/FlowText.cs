namespace Conntrackd.Conntrack;

/// <summary>Where a printed flow was read from, which decides what of it is shown.</summary>
internal enum FlowTextSource : byte
{
    /// <summary>A cache: the timeout and the use count are of the past and not shown.</summary>
    Cache,

    /// <summary>The kernel's table, just now.</summary>
    Kernel,
}

/// <summary>
/// A flow as one line of text and as one line of XML (FlowText.Xml.cs). Scripts read both, so
/// order, spacing and the conditions of every field are those of the original.
/// </summary>
/// <remarks>
/// Neither form appends a line feed: suffixes may follow. Appends only, allocates nothing.
/// <code>
/// tcp      6 ESTABLISHED src=10.1.1.9 dst=10.2.2.9 sport=1 dport=80 [UNREPLIED] src=… mark=0
/// protocol   state       original direction                         reply direction   the rest
/// </code>
/// Source: shared spec output, sections 1 and 2.
/// </remarks>
internal static partial class FlowText
{
    private const int ProtocolColumns = 8;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Appends the default format, without a blank at its end.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="flow">What; its addresses and protocol must be known.</param>
    /// <param name="source">Where the flow was read from.</param>
    /// <param name="wallSeconds">Seconds since 1970, for the age of a living flow.</param>
    internal static void Append(
        TextBuffer text, in Flow flow, FlowTextSource source, long wallSeconds)
    {
        AppendHead(text, flow, source);
        AppendOriginal(text, flow);
        AppendReply(text, flow);
        AppendRest(text, flow, source, wallSeconds);
        text.Truncate(text.Length - 1);
    }

    /// <summary>Appends the age of a cached flow; default format only.</summary>
    internal static void AppendActiveSince(TextBuffer text, ulong seconds) =>
        AppendSuffix(text, " [active since "u8, seconds);

    /// <summary>
    /// Appends the time left to a flow with a cache timer; stands before the age, default format
    /// only.
    /// </summary>
    internal static void AppendExpiresIn(TextBuffer text, ulong seconds) =>
        AppendSuffix(text, " [expires in "u8, seconds);

    private static void AppendSuffix(TextBuffer text, ReadOnlySpan<byte> name, ulong seconds)
    {
        text.Append(name);
        text.AppendDecimal(seconds);
        text.Append("s]"u8);
    }

    private static void AppendHead(TextBuffer text, in Flow flow, FlowTextSource source)
    {
        ReadOnlySpan<byte> name = FlowNames.OfProtocol(flow.Protocol);
        text.Append(name);
        for (int column = name.Length; column < ProtocolColumns; column++)
        {
            text.Append((byte)' ');
        }
        text.Append((byte)' ');
        text.AppendDecimal(flow.Protocol);
        text.Append((byte)' ');
        if (ShowsTimeout(flow, source))
        {
            text.AppendDecimal(flow.TimeoutSeconds);
            text.Append((byte)' ');
        }
        if (!ShowsState(flow)) { return; }
        text.Append(FlowNames.OfState(flow.Protocol, flow.ProtocolState));
        text.Append((byte)' ');
    }

    private static void AppendOriginal(TextBuffer text, in Flow flow)
    {
        TupleText.Append(text, flow.Family, flow.Protocol, flow.Orig);
        if (flow.Has(FlowAttributes.ZoneOrig))
        {
            TupleText.AppendField(text, "zone-orig"u8, flow.ZoneOrig);
        }
        if (flow.Has(FlowAttributes.Counters))
        {
            TupleText.AppendField(text, "packets"u8, flow.PacketsOrig);
            TupleText.AppendField(text, "bytes"u8, flow.BytesOrig);
        }
        if (IsUnreplied(flow)) { text.Append("[UNREPLIED] "u8); }
    }

    private static void AppendReply(TextBuffer text, in Flow flow)
    {
        if (flow.Has(FlowAttributes.Reply))
        {
            TupleText.Append(text, flow.Family, flow.Protocol, flow.Reply);
        }
        if (flow.Has(FlowAttributes.ZoneReply))
        {
            TupleText.AppendField(text, "zone-reply"u8, flow.ZoneReply);
        }
        if (flow.Has(FlowAttributes.Counters))
        {
            TupleText.AppendField(text, "packets"u8, flow.PacketsReply);
            TupleText.AppendField(text, "bytes"u8, flow.BytesReply);
        }
    }

    private static void AppendRest(
        TextBuffer text, in Flow flow, FlowTextSource source, long wallSeconds)
    {
        if (flow.Has(FlowAttributes.Status)) { text.Append(StatusMark(flow.Status)); }
        if (flow.Has(FlowAttributes.Mark)) { TupleText.AppendField(text, "mark"u8, flow.Mark); }
        if (flow.Has(FlowAttributes.Zone)) { TupleText.AppendField(text, "zone"u8, flow.Zone); }
        if (flow.Has(FlowAttributes.TimestampStart))
        {
            TupleText.AppendField(text, "delta-time"u8, AgeSeconds(flow, wallSeconds));
        }
        if (flow.Has(FlowAttributes.Helper))
        {
            text.Append("helper="u8);
            text.AppendForeign(flow.Helper.Text);
            text.Append((byte)' ');
        }
        if (ShowsUse(flow, source)) { TupleText.AppendField(text, "use"u8, flow.Use); }
    }

    /// <summary>The first that applies, for a flow may be all three.</summary>
    private static ReadOnlySpan<byte> StatusMark(FlowStatus status)
    {
        if ((status & FlowStatus.HwOffload) != 0) { return "[HW_OFFLOAD] "u8; }
        if ((status & FlowStatus.Offload) != 0) { return "[OFFLOAD] "u8; }
        return (status & FlowStatus.Assured) != 0 ? "[ASSURED] "u8 : default;
    }

    private static bool ShowsTimeout(in Flow flow, FlowTextSource source) =>
        source == FlowTextSource.Kernel && flow.Has(FlowAttributes.Timeout);

    private static bool ShowsUse(in Flow flow, FlowTextSource source) =>
        source == FlowTextSource.Kernel && flow.Has(FlowAttributes.Use);

    private static bool ShowsState(in Flow flow) =>
        flow.Has(FlowAttributes.ProtocolState)
        && flow.Protocol is L4Protocol.Tcp or L4Protocol.Sctp or L4Protocol.Dccp;

    private static bool IsUnreplied(in Flow flow) =>
        flow.Has(FlowAttributes.Status) && (flow.Status & FlowStatus.SeenReply) == 0;

    /// <summary>
    /// Whole seconds of the stop stamp, or of now, less whole seconds of the start stamp. 0 if the
    /// wall clock was set back meanwhile.
    /// </summary>
    private static ulong AgeSeconds(in Flow flow, long wallSeconds)
    {
        ulong start = flow.TimestampStartNanoseconds / NanosecondsPerSecond;
        bool ended = flow.Has(FlowAttributes.TimestampStop) && flow.TimestampStopNanoseconds != 0;
        ulong end = ended
            ? flow.TimestampStopNanoseconds / NanosecondsPerSecond
            : (ulong)Math.Max(wallSeconds, 0);
        return end > start ? end - start : 0;
    }
}
