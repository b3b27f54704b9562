using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>What came of the frames of a link that is sealed or checked.</summary>
/// <param name="IsSealed">With a key; else with a digest.</param>
/// <param name="ActiveKey">Number of the key that is sent with.</param>
/// <param name="Nodes">Nodes that have proven to be there.</param>
/// <param name="Accepted">Frames with messages that were taken.</param>
/// <param name="Beacons">Frames of the sealing itself that were taken.</param>
internal readonly record struct FramesReport(
    bool IsSealed, byte ActiveKey, int Nodes, ulong Accepted, ulong Beacons)
{
    internal ulong Plain { get; init; }

    internal ulong Malformed { get; init; }

    internal ulong Corrupt { get; init; }

    internal ulong UnknownKey { get; init; }

    internal ulong Forged { get; init; }

    internal ulong Reflected { get; init; }

    internal ulong Unproven { get; init; }

    internal ulong Replayed { get; init; }

    internal ulong Late { get; init; }

    internal ulong Crowded { get; init; }
}

internal static partial class Reports
{
    /// <summary>
    /// Appends the block of the frames, for <c>-s network</c> and <c>-s link</c>. The original
    /// has no such links, so nobody reads on from here by position.
    /// </summary>
    internal static void AppendFrames(TextBuffer text, in FramesReport frames)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendFrames(text, frames);
            return;
        }
        if (frames.IsSealed)
        {
            text.Append("sealed link statistics:\n"u8);
            AppendLine(text, "\t\tKey sent with:\t\t"u8, frames.ActiveKey, Wide);
            AppendLine(text, "\t\tNodes proven:\t\t"u8, (ulong)frames.Nodes, Wide);
        }
        else { text.Append("checked link statistics:\n"u8); }
        text.Append("\trecv:\n"u8);
        AppendLine(text, "\t\tAccepted frames:\t"u8, frames.Accepted, Wide);
        if (frames.IsSealed) { AppendSealed(text, in frames); }
        else
        {
            AppendLine(text, "\t\tWithout a digest:\t"u8, frames.Plain, Wide);
            AppendLine(text, "\t\tWrong frame size:\t"u8, frames.Malformed, Wide);
            AppendLine(text, "\t\tCorrupt frames:\t\t"u8, frames.Corrupt, Wide);
        }
        text.Append((byte)'\n');
    }

    private static void AppendSealed(TextBuffer text, in FramesReport frames)
    {
        AppendLine(text, "\t\tAccepted beacons:\t"u8, frames.Beacons, Wide);
        AppendLine(text, "\t\tNot sealed:\t\t"u8, frames.Plain, Wide);
        AppendLine(text, "\t\tWrong frame size:\t"u8, frames.Malformed, Wide);
        AppendLine(text, "\t\tUnknown key number:\t"u8, frames.UnknownKey, Wide);
        AppendLine(text, "\t\tWrong key or forged:\t"u8, frames.Forged, Wide);
        AppendLine(text, "\t\tOwn frames returned:\t"u8, frames.Reflected, Wide);
        AppendLine(text, "\t\tSender not proven:\t"u8, frames.Unproven, Wide);
        AppendLine(text, "\t\tReplayed frames:\t"u8, frames.Replayed, Wide);
        AppendLine(text, "\t\tFrames too late:\t"u8, frames.Late, Wide);
        AppendLine(text, "\t\tToo many nodes:\t\t"u8, frames.Crowded, Wide);
    }
}
