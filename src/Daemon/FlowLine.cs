using Conntrackd.Conntrack;
using Conntrackd.Control;

namespace Conntrackd.Daemon;

/// <summary>How the flows of one listing are written, a line each.</summary>
/// <param name="Form">The original's text, or a form of ours.</param>
/// <param name="Xml">An element a line; for the original's form only.</param>
/// <param name="Source">What is listed.</param>
internal readonly record struct FlowLine(ReplyForm Form, bool Xml, FlowTextSource Source)
{
    /// <param name="text">Where to.</param>
    /// <param name="flow">What.</param>
    /// <param name="wallSeconds">Now.</param>
    /// <param name="activeSeconds">Since the flow entered the cache; null if it is in none.</param>
    /// <param name="expiresSeconds">
    /// Until a peer that is silent about it lets it go; null if none does.
    /// </param>
    internal void Append(
        TextBuffer text, in Flow flow, long wallSeconds, ulong? activeSeconds,
        ulong? expiresSeconds)
    {
        if (Form == ReplyForm.Json)
        {
            FlowText.AppendJson(text, in flow, activeSeconds, wallSeconds);
        }
        else if (Xml) { FlowText.AppendXml(text, in flow, Source, wallSeconds); }
        else { AppendText(text, in flow, wallSeconds, activeSeconds, expiresSeconds); }
        text.Append((byte)'\n');
    }

    private void AppendText(
        TextBuffer text, in Flow flow, long wallSeconds, ulong? activeSeconds,
        ulong? expiresSeconds)
    {
        if (Form == ReplyForm.Extended)
        {
            FlowText.AppendExtended(text, in flow, Source, wallSeconds);
        }
        else
        {
            FlowText.Append(text, in flow, Source, wallSeconds);
            if (expiresSeconds is ulong expires) { FlowText.AppendExpiresIn(text, expires); }
        }
        if (activeSeconds is ulong active) { FlowText.AppendActiveSince(text, active); }
    }
}
