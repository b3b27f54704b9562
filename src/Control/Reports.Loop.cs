using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>The daemon's one loop, as the forms of ours tell of it.</summary>
/// <param name="Turns">Since the start.</param>
/// <param name="LongestMicroseconds">
/// From waking to the next wait, the longest since the start: so long, events and datagrams wait
/// in their sockets.
/// </param>
/// <param name="Collections">Of the managed heap, since the start; none while flows come.</param>
internal readonly record struct LoopReport(ulong Turns, long LongestMicroseconds, int Collections);

internal static partial class Reports
{
    /// <summary>Appends a block of our own, for <c>-s runtime</c> in our forms.</summary>
    internal static void AppendLoop(TextBuffer text, in LoopReport loop)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendLoop(text, loop);
            return;
        }
        text.Append("event loop:\n"u8);
        AppendLine(text, "\tturns:\t\t\t"u8, loop.Turns, Wide);
        AppendLine(text, "\tlongest turn (in us):\t"u8, (ulong)loop.LongestMicroseconds, Wide);
        AppendLine(text, "\theap collections:\t"u8, (ulong)loop.Collections, Wide);
        text.Append((byte)'\n');
    }
}
