using System.Collections.Generic;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

/// <summary>
/// The one list of files that conntrack-tools 1.4.7 and the parser judge differently, and why.
/// </summary>
internal static class VerdictChanges
{
    /// <summary>Files of the corpus that the original refuses and the parser accepts.</summary>
    internal static readonly Dictionary<string, string> AcceptedFiles = new()
    {
        ["invalid/comment-at-eof-without-newline.conf"] =
            "improved: a comment may end with the file",
        ["invalid/path-tab-comment.conf"] =
            "improved: a tab ends a path, so the comment behind it is one",
        ["invalid/link-hex-interface.conf"] =
            "improved: where an interface name stands, ae0 is a name",
        ["invalid/links-mixed.conf"] =
            "improved: links may be of different kinds",
        ["invalid/mode-persistent-lower.conf"] =
            "improved: persistent is understood in any letter case, as nack is",
        ["invalid/link-unknown-interface.conf"] =
            "start-up: the parser does not ask the system which interfaces exist",
        ["invalid/logfile-unwritable.conf"] =
            "start-up: the parser opens no files",
        ["invalid/lockfile-dir-missing.conf"] =
            "start-up: the parser opens no files",
        ["invalid/unix-dir-missing.conf"] =
            "start-up: the parser opens no sockets",
        ["invalid/helper-ftp-no-kernel.conf"] =
            "start-up: refused for want of kernel support only",
    };

    /// <summary>Texts that the original refuses or misreads and the parser accepts.</summary>
    internal static readonly (string Text, string Reason)[] AcceptedTexts =
    [
        ("\ufeff" + General(""), "a byte order mark made the original ignore the file silently"),
        (General("").Replace("\n", "\r\n", StringComparison.Ordinal),
            "with CRLF the carriage return became part of paths"),
        (InSync("Mode FTFW { } " + Udp.Replace("eth2", "Port", StringComparison.Ordinal)),
            "keywords are names where a name stands"),
        (InSync("Mode FTFW { } " + Udp.Replace("eth2", "6in4", StringComparison.Ordinal)),
            "interface names may start with a digit"),
        (General("Filter { Protocol Accept { fc } }"), "hex digits are a name in a list of names"),
        (InSync("Mode FTFW { } " + Udp + "Options { ExpectationSync { face UDP } }"),
            "hex digits and keywords are names in a list of names"),
    ];

    /// <summary>
    /// Texts that the original accepts with another meaning than was written, or with which it
    /// spins or sends to nobody, and which the parser refuses.
    /// </summary>
    internal static readonly (string Text, string Reason)[] RefusedTexts =
    [
        (General("PollSecs 4294967295"), "read as -1, the original spins"),
        (General("EventIterationLimit 4294967295"), "read as -1, links were never read"),
        (General("HashLimit 4294967296"), "read as 0, the default"),
        (General("HashSize 268435457"), "the size overflowed"),
        (General("NetlinkOverrunResync 4294967300"), "read as 4"),
        (General("NetlinkEventsReliable ||"), "pipes were booleans by accident"),
        (General("LogFile /a\tb"), "the tab became part of the path"),
        (General("") + "é\nStats { }", "the rest of the file was ignored silently"),
        (InSync("Mode FTFW { } " + Udp.Replace("3780", "65536", StringComparison.Ordinal)),
            "cut to 0, which is no port"),
        (InSync("Mode FTFW { } " + Udp.Replace("Port 3780", "", StringComparison.Ordinal)),
            "without a port the peers do not meet"),
        (InSync("Mode FTFW { } UDP { IPv4_address 10.0.0.1 Port 1 Interface eth2 }"),
            "the destination was 0.0.0.0"),
        (InSync("Mode FTFW { } UDP { IPv4_address 10.0.0.1 IPv6_Destination_Address ::2 Port 1 "
            + "Interface eth2 }"), "mixed families sent to a garbage address"),
        (InSync("Mode FTFW { } " + Udp.Replace("eth2", "a-name-too-long0",
            StringComparison.Ordinal)), "stored without its terminator"),
    ];
}
