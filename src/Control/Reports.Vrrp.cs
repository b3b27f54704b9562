using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>What <c>-s vrrp</c> says of the whole.</summary>
/// <param name="Gate">What keepalived was told.</param>
/// <param name="Reason">Why.</param>
/// <param name="Lines">Lines read from the FIFO.</param>
/// <param name="LinesUnknown">Of these, not understood.</param>
/// <param name="LinesOther">Of these, about groups that are not followed.</param>
/// <param name="LinesTooLong">Dropped because they never ended.</param>
/// <param name="Reopened">How often the FIFO was opened again.</param>
/// <param name="Sequences">Sequences completed.</param>
/// <param name="Aborted">Sequences given up for a newer state.</param>
/// <param name="Requests">How often peers were asked for their flows.</param>
internal readonly record struct VrrpReport(
    string Gate, string Reason,
    ulong Lines, ulong LinesUnknown, ulong LinesOther, ulong LinesTooLong, ulong Reopened,
    ulong Sequences, ulong Aborted, ulong Requests);

/// <summary>One group or instance of keepalived.</summary>
/// <param name="Name">With its kind before it.</param>
/// <param name="State">In capitals.</param>
/// <param name="Phase">What is being done.</param>
/// <param name="SinceSeconds">Age of the state.</param>
/// <param name="Transitions">States entered since start.</param>
/// <param name="DoubleMasters">How often a second master was heard.</param>
internal readonly record struct VrrpGroupReport(
    string Name, string State, string Phase, long SinceSeconds, ulong Transitions,
    ulong DoubleMasters);

internal static partial class Reports
{
    /// <summary>Appends the head of <c>-s vrrp</c>; the groups follow.</summary>
    internal static void AppendVrrp(TextBuffer text, in VrrpReport report)
    {
        text.Append($"vrrp:\ngate:\t\t\t\t{report.Gate}\nreason:\t\t\t\t{report.Reason}\n");
        AppendLine(text, "lines read:\t\t"u8, report.Lines, Narrow);
        AppendLine(text, "lines not understood:\t"u8, report.LinesUnknown, Narrow);
        AppendLine(text, "lines of others:\t"u8, report.LinesOther, Narrow);
        AppendLine(text, "lines too long:\t\t"u8, report.LinesTooLong, Narrow);
        AppendLine(text, "fifo reopened:\t\t"u8, report.Reopened, Narrow);
        AppendLine(text, "sequences completed:\t"u8, report.Sequences, Narrow);
        AppendLine(text, "sequences given up:\t"u8, report.Aborted, Narrow);
        AppendLine(text, "requests to peers:\t"u8, report.Requests, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>Appends a group; its last sequence, if there was one, follows.</summary>
    internal static void AppendVrrpGroup(TextBuffer text, in VrrpGroupReport group)
    {
        text.Append($"{group.Name}:\nstate:\t\t\t\t{group.State} ({group.Phase})\n");
        AppendLine(text, "for seconds:\t\t"u8, (ulong)group.SinceSeconds, Narrow);
        AppendLine(text, "transitions:\t\t"u8, group.Transitions, Narrow);
        AppendLine(text, "double masters:\t\t"u8, group.DoubleMasters, Narrow);
    }
}
