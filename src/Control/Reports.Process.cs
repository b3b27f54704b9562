using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>What the daemon has given up.</summary>
/// <param name="Capabilities">Names of those it has, a blank between; "none".</param>
/// <param name="NoNewPrivileges">Executing a file gains nothing.</param>
/// <param name="LandlockVersion">Of the confinement of files; 0 without.</param>
/// <param name="SystemCalls">What becomes of calls not on the list: refuse, kill, off.</param>
internal readonly record struct ConfinementReport(
    string Capabilities, bool NoNewPrivileges, int LandlockVersion, string SystemCalls);

/// <summary>Where the keys of a sealed link are.</summary>
/// <param name="Bytes">Memory that holds them, and what is derived from them.</param>
/// <param name="LockedBytes">How much of it is never swapped.</param>
/// <param name="CoreDumps">A core file of this process would be written.</param>
internal readonly record struct KeyMemoryReport(int Bytes, int LockedBytes, bool CoreDumps);

internal static partial class Reports
{
    /// <summary>Appends the lines behind the readers of <c>-s process</c>.</summary>
    internal static void AppendConfinement(TextBuffer text, in ConfinementReport report)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendConfinement(text, report);
            return;
        }
        text.Append("sandbox:\n"u8);
        text.Append($"\tcapabilities:\t\t{report.Capabilities}\n");
        text.Append($"\tno new privileges:\t{(report.NoNewPrivileges ? "on" : "off")}\n");
        text.Append(report.LandlockVersion == 0
            ? "\tfiles:\t\t\toff\n"
            : $"\tfiles:\t\t\ton (Landlock {report.LandlockVersion})\n");
        text.Append(report.SystemCalls == "off"
            ? "\tsystem calls:\t\toff\n"
            : $"\tsystem calls:\t\ton (seccomp, {report.SystemCalls})\n");
    }

    /// <summary>Appends where the keys are; nothing if there are none.</summary>
    internal static void AppendKeyMemory(TextBuffer text, in KeyMemoryReport report)
    {
        if (report.Bytes == 0) { return; }
        if (text.WantsJson)
        {
            JsonReports.AppendKeyMemory(text, report);
            return;
        }
        text.Append("keys:\n"u8);
        string locked = report.LockedBytes == report.Bytes ? "all" : $"{report.LockedBytes}";
        text.Append($"\tmemory:\t\t\t{report.Bytes} bytes, {locked} locked\n");
        text.Append($"\tcore dumps:\t\t{(report.CoreDumps ? "on" : "off")}\n");
    }

    /// <summary>Appends who may use the socket, and how often somebody was refused.</summary>
    internal static void AppendAccess(
        TextBuffer text, in ControlAccess access, ControlCounters counters)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendAccess(text, access, counters);
            return;
        }
        text.Append("control socket:\n"u8);
        string group = access.Group is uint number
            ? $"{number} ({(access.OthersMayChange ? "full" : "read")})" : "none";
        text.Append($"\tgroup:\t\t\t{group}\n");
        AppendLine(text, "\trequests refused:\t"u8, counters.Refused, 0);
    }
}
