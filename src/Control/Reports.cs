using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>
/// The texts of <c>conntrackd -s</c>, from plain counters. The only place that knows their layout;
/// every block is compared with the original's output in the tests.
/// </summary>
/// <remarks>
/// A block is a title, lines and an empty line. Numbers are right-justified: 12 columns for what
/// counts flows, 20 for what counts bytes and messages; a longer number takes the room it needs.
/// Which blocks make up a topic, in order (shared spec output, section 4):
/// <code>
/// -s, -s ct, -s expect    two caches (or bypass, inject), traffic, active link, messages
///                         stats mode: one cache, traffic
/// -s cache                a detailed block for each cache (or bypass, inject as above)
/// -s network              network, active link
/// -s link                 a block for each link
/// -s runtime              runtime
/// -s queue                queue nodes, a block for each queue
/// -s rsqueue              resend queue, FT-FW only
/// -s process              a line for each reader; of ours: sandbox, control socket
/// </code>
/// </remarks>
internal static partial class Reports
{
    private const int Narrow = 12;
    private const int Wide = 20;

    /// <summary>Appends name, number, line feed; the name brings its blanks and tabs.</summary>
    private static void AppendLine(
        TextBuffer text, ReadOnlySpan<byte> name, ulong value, int columns)
    {
        text.Append(name);
        text.AppendDecimal(value, columns);
        text.Append((byte)'\n');
    }

    /// <summary>
    /// Appends two numbers and a line feed, with text before, between and behind.
    /// </summary>
    private static void AppendPair(
        TextBuffer text, ReadOnlySpan<byte> before, ulong first, ReadOnlySpan<byte> between,
        ulong second, ReadOnlySpan<byte> behind, int columns)
    {
        text.Append(before);
        text.AppendDecimal(first, columns);
        text.Append(between);
        text.AppendDecimal(second, columns);
        text.Append(behind);
        text.Append((byte)'\n');
    }
}
