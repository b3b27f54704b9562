using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>What the daemon has given up.</summary>
/// <param name="Capabilities">Names of those it has, a blank between; "none".</param>
/// <param name="NoNewPrivileges">Executing a file gains nothing.</param>
/// <param name="LandlockVersion">Of the confinement of files; 0 without.</param>
/// <param name="SystemCalls">What becomes of calls not on the list: refuse, kill, off.</param>
internal readonly record struct ConfinementReport(
    string Capabilities, bool NoNewPrivileges, int LandlockVersion, string SystemCalls);

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
