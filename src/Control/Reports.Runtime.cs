using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>What the daemon has seen of the kernel and of itself.</summary>
/// <param name="UptimeSeconds">Since the start.</param>
/// <param name="EventsReceived">Events of the kernel.</param>
/// <param name="EventsFiltered">Of these, refused by the filter.</param>
/// <param name="EventsUnknownType">Of these, of a type not known here.</param>
/// <param name="CatchEventFailed">Reads of the event socket that failed.</param>
/// <param name="DumpUnknownType">Dump records of a type not known here.</param>
/// <param name="Overruns">Times the event socket overran.</param>
/// <param name="FlushKernel">Flushes of the kernel's table.</param>
/// <param name="ResyncKernel">Dumps of the kernel's table to compare with.</param>
/// <param name="BufferBytes">Receive buffer of the event socket.</param>
internal readonly record struct RuntimeReport(
    long UptimeSeconds,
    ulong EventsReceived, ulong EventsFiltered, ulong EventsUnknownType, ulong CatchEventFailed,
    ulong DumpUnknownType, ulong Overruns, ulong FlushKernel, ulong ResyncKernel,
    ulong BufferBytes)
{
    /// <summary>
    /// Readers (the original's child processes) that failed; the next two are 0 here.
    /// </summary>
    internal ulong ChildFailed { get; init; }
    internal ulong ChildSegmentationFault { get; init; }
    internal ulong ChildTermination { get; init; }

    /// <summary>Waits of the event loop that failed.</summary>
    internal ulong SelectFailed { get; init; }
    internal ulong WaitFailed { get; init; }

    /// <summary>Requests of clients that ended before they were whole.</summary>
    internal ulong LocalReadFailed { get; init; }

    /// <summary>Requests with a number that means nothing.</summary>
    internal ulong LocalUnknownRequest { get; init; }
}

/// <summary>What a reader is busy with.</summary>
internal enum ReaderKind : byte
{
    Any,
    Flush,
    Commit,
}

internal static partial class Reports
{
    private const long SecondsPerMinute = 60;
    private const long MinutesPerHour = 60;
    private const long HoursPerDay = 24;

    /// <summary>Appends the blocks of <c>-s runtime</c>.</summary>
    internal static void AppendRuntime(TextBuffer text, in RuntimeReport runtime)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendRuntime(text, runtime);
            return;
        }
        AppendUptime(text, runtime.UptimeSeconds);
        text.Append("netlink stats:\n"u8);
        AppendLine(text, "\tevents received:\t"u8, runtime.EventsReceived, Wide);
        AppendLine(text, "\tevents filtered:\t"u8, runtime.EventsFiltered, Wide);
        AppendLine(text, "\tevents unknown type:\t\t"u8, runtime.EventsUnknownType, Narrow);
        AppendLine(text, "\tcatch event failed:\t\t"u8, runtime.CatchEventFailed, Narrow);
        AppendLine(text, "\tdump unknown type:\t\t"u8, runtime.DumpUnknownType, Narrow);
        AppendLine(text, "\tnetlink overrun:\t\t"u8, runtime.Overruns, Narrow);
        AppendLine(text, "\tflush kernel table:\t\t"u8, runtime.FlushKernel, Narrow);
        AppendLine(text, "\tresync with kernel table:\t"u8, runtime.ResyncKernel, Narrow);
        AppendLine(text, "\tcurrent buffer size (in bytes):\t"u8, runtime.BufferBytes, Narrow);
        text.Append("\nruntime stats:\n"u8);
        AppendLine(text, "\tchild process failed:\t\t"u8, runtime.ChildFailed, Narrow);
        AppendLine(
            text, "\t\tchild process segfault:\t"u8, runtime.ChildSegmentationFault, Narrow);
        AppendLine(text, "\t\tchild process termsig:\t"u8, runtime.ChildTermination, Narrow);
        AppendLine(text, "\tselect failed:\t\t\t"u8, runtime.SelectFailed, Narrow);
        AppendLine(text, "\twait failed:\t\t\t"u8, runtime.WaitFailed, Narrow);
        AppendLine(text, "\tlocal read failed:\t\t"u8, runtime.LocalReadFailed, Narrow);
        AppendLine(text, "\tlocal unknown request:\t\t"u8, runtime.LocalUnknownRequest, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>Appends one line of <c>-s process</c>; the number is the reader's thread.</summary>
    internal static void AppendReader(TextBuffer text, int threadId, ReaderKind kind)
    {
        ReadOnlySpan<byte> name = kind switch
        {
            ReaderKind.Flush => "flush"u8,
            ReaderKind.Commit => "commit"u8,
            _ => "any"u8,
        };
        if (text.WantsJson)
        {
            JsonReports.AppendReader(text, threadId, name);
            return;
        }
        text.Append("PID="u8);
        text.AppendDecimal((ulong)threadId);
        text.Append(" type="u8);
        text.Append(name);
        text.Append((byte)'\n');
    }

    /// <summary>Days only from the first on, hours only if there are any, minutes always.</summary>
    private static void AppendUptime(TextBuffer text, long seconds)
    {
        long minutes = Math.Max(seconds, 0) / SecondsPerMinute;
        long hours = minutes / MinutesPerHour;
        long days = hours / HoursPerDay;
        text.Append("daemon uptime: "u8);
        if (days > 0)
        {
            text.AppendDecimal((ulong)days);
            text.Append(days == 1 ? " day "u8 : " days "u8);
        }
        if (hours % HoursPerDay > 0)
        {
            text.AppendDecimal((ulong)(hours % HoursPerDay));
            text.Append(" h "u8);
        }
        text.AppendDecimal((ulong)(minutes % MinutesPerHour));
        text.Append(" min\n\n"u8);
    }
}
