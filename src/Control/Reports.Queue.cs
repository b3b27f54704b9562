using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>One queue: how full, how large, how often it was full.</summary>
internal readonly record struct QueueReport(ulong Count, ulong CountMax, ulong NoSpace);

internal static partial class Reports
{
    /// <summary>Appends the head of <c>-s queue</c>: elements of all queues together.</summary>
    internal static void AppendQueueNodes(TextBuffer text, ulong count)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendQueueNodes(text, count);
            return;
        }
        AppendLine(text, "allocated queue nodes:\t\t"u8, count, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>Appends one queue; the order is txqueue, errorq, and in FT-FW rsqueue.</summary>
    internal static void AppendQueue(TextBuffer text, ReadOnlySpan<byte> name, in QueueReport queue)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendQueue(text, name, queue);
            return;
        }
        text.Append("queue "u8);
        text.Append(name);
        text.Append(":\n"u8);
        AppendLine(text, "current elements:\t\t"u8, queue.Count, Narrow);
        AppendLine(text, "maximum elements:\t\t"u8, queue.CountMax, Narrow);
        AppendLine(text, "not enough space errors:\t"u8, queue.NoSpace, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>
    /// Appends the first line of <c>-s rsqueue</c>, in its historical spelling. The elements
    /// follow, oldest first, and no empty line ends them.
    /// </summary>
    internal static void AppendResendQueue(TextBuffer text, ulong count)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendResendQueue(text, count);
            return;
        }
        text.Append("resent queue (len="u8);
        text.AppendDecimal(count);
        text.Append(")\n"u8);
    }

    /// <summary>Appends a control message that waits for its acknowledgement.</summary>
    internal static void AppendResendControl(TextBuffer text, uint sequence, byte flags)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendResend(text, "control"u8, sequence, flags);
            return;
        }
        text.Append("control -> seq:"u8);
        text.AppendDecimal(sequence);
        AppendLine(text, " flags:"u8, flags, columns: 0);
    }

    /// <summary>Appends a flow whose last message waits for its acknowledgement.</summary>
    internal static void AppendResendFlow(TextBuffer text, uint sequence)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendResend(text, "flow"u8, sequence, flags: 0);
            return;
        }
        AppendLine(text, "object -> seq:"u8, sequence, columns: 0);
    }
}
