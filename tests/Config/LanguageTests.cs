using System.IO;
using System.Linq;
using System.Text;
using Conntrackd.Config;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class LanguageTests
{
    [Fact]
    public void All_errors_of_a_file_come_in_one_run_and_warnings_in_file_order()
    {
        Refused("""
            Generl { HashSize 1 }
            General {
                HashSize abc
                hashlimit 5
                Nice -5
                UNIX { Path relative Backlog 3 }
                NetlinkEventsReliable { }
                HashLimit 12
            }
            Sync {
                Mode FTFW { RefreshTime 3 ACKWindowSize x }
                UDP { Port zero }
                Multicast { Port 1 }
            }
            """,
            "1:1: unknown section 'Generl', did you mean 'General'",
            "3:14: expected a number of buckets 0-134217727 after 'HashSize', found 'abc'",
            "4:5: unknown directive 'hashlimit' in 'General', write 'HashLimit' "
                + "(letter case matters)",
            "5:5: 'Nice' is deprecated, ignoring; use nice(1) and renice(1)",
            "6:17: expected a path after 'Path', found 'relative'",
            "6:26: 'Backlog' is deprecated, ignoring",
            "7:27: expected on or off after 'NetlinkEventsReliable', found '{'",
            "11:17: 'RefreshTime' is not allowed in 'Mode FTFW', only in 'Sync' and 'Mode ALARM'",
            "11:45: expected a number of messages 0-2147483647 after 'ACKWindowSize', found 'x'",
            "12:5: the 'UDP' link has no valid 'IPv4_Destination_Address' or "
                + "'IPv6_Destination_Address'",
            "12:5: the 'UDP' link has no valid 'Interface'",
            "12:16: expected a port 1-65535 after 'Port', found 'zero'",
            "13:5: the 'Multicast' link has no valid 'Group'",
            "13:5: the 'Multicast' link has no valid 'IPv4_address' or 'IPv6_address'",
            "13:5: the 'Multicast' link has no valid 'Interface'",
            "13:17: 'Port' is not allowed in 'Multicast', only in 'UDP' and 'TCP'");
    }

    [Fact]
    public void A_missing_brace_is_reported_where_the_next_section_starts()
    {
        Refused("General {\nUNIX { Path /a\nStats { }\nSync { Bogus 1 }",
            "3:1: unexpected section 'Stats': '}' is missing for 'UNIX' of line 2 "
                + "and for 'General' of line 1",
            "4:1: cannot use both 'Stats' and 'Sync', 'Stats' stands in line 3",
            "4:8: unknown directive 'Bogus' in 'Sync'");
    }

    [Theory]
    [InlineData("General {",
        "1:10: unexpected end of the file: '}' is missing for 'General' of line 1")]
    [InlineData("General", "1:8: expected '{' after 'General', found the end of the file")]
    [InlineData("}", "1:1: unexpected '}': no block is open")]
    [InlineData("{ }", "1:1: expected a section (General, Sync, Stats or Helper), found '{'")]
    [InlineData("General { { HashSize 1 } }",
        "1:11: expected a directive or '}' in 'General', found '{'")]
    [InlineData("General { 17 }", "1:11: expected a directive or '}' in 'General', found '17'")]
    [InlineData("é", "1:1: expected a section (General, Sync, Stats or Helper), found byte 0xc3 "
        + "(only ASCII is allowed outside comments and paths)")]
    [InlineData("General { é }", "1:11: expected a directive or '}' in 'General', found byte 0xc3 "
        + "(only ASCII is allowed outside comments and paths)")]
    [InlineData("\0", "1:1: expected a section (General, Sync, Stats or Helper), found byte 0x00 "
        + "(only ASCII is allowed outside comments and paths)")]
    [InlineData("General { UNIX { Path /a\0b } }", "1:23: the path after 'Path' has a NUL byte")]
    [InlineData("General { HashSzie 1 }",
        "1:11: unknown directive 'HashSzie' in 'General', did you mean 'HashSize'")]
    [InlineData("General { StartupResnyc on }",
        "1:11: unknown directive 'StartupResnyc' in 'General', "
        + "did you mean 'StartupResync' (only in 'Mode FTFW' and 'Mode NOTRACK')")]
    [InlineData("General { IPv6_Destionation_Address ::1 }", "1:11: unknown directive "
        + "'IPv6_Destionation_Address' in 'General', did you mean 'IPv6_Destination_Address' "
        + "(only in 'UDP' and 'TCP')")]
    [InlineData("General { NetlinkEventsReliable || }", "1:33: expected on or off after "
        + "'NetlinkEventsReliable', found '|'")]
    public void A_malformed_file_is_refused(string text, string message) => Refused(text, message);

    [Fact]
    public void Every_removed_directive_says_what_to_do_instead()
    {
        string[] removed =
        [
            "Family", "IgnoreTrafficFor", "IgnoreProtocol", "StripNAT", "DelayDestroyMessages",
            "RelaxTransitions", "ListenTo", "ResendBufferSize", "Replicate", "CacheWriteThrough",
            "LogFileBufferSize", "DestroyTimeout", "McastSndSocketBuffer", "McastRcvSocketBuffer",
        ];
        foreach (string name in removed)
        {
            Refused($"General {{ {name} on {{ x }} }}",
                $"1:11: '{name}' was removed in conntrack-tools 1.4.5: "
                    + RemovedDirectives.AdviceFor(name));
        }
    }

    [Fact]
    public void Layout_is_free_and_tokens_may_touch()
    {
        Options options = Clean(
            "General{HashSize 1024HashLimit\n#x\n2048 UNIX\n{Path /a }}Stats{}# end");

        Assert.Equal((1024u, 2048u), (options.HashSize, options.HashLimit));
        Assert.NotNull(options.Stats);
    }

    [Fact]
    public void Windows_line_ends_and_a_byte_order_mark_are_accepted()
    {
        Options options = Clean(
            "\ufeffGeneral {\r\n LockFile /a.lock\r\n UNIX {\r\n Path /b\r\n}\r\n}\r\n");
        Assert.Equal(("/a.lock", "/b"), (options.LockFile, options.UnixPath));
    }

    [Fact]
    public void A_file_of_UTF_16_is_one_error()
    {
        foreach (Encoding encoding in new[] { Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            byte[] text = [.. encoding.GetPreamble(), .. encoding.GetBytes("General { }\nStats x")];
            Assert.Equal(
                "a.conf:1:1: the file is UTF-16 text, expected ASCII (UTF-8 in comments and paths)",
                Assert.Single(ParseBytes(text).Diagnostics).ToString());
        }
    }

    [Fact]
    public void Bytes_above_ASCII_are_harmless_in_comments_only()
    {
        Clean(General("# été"));
        Refused(General("HashSize 1 é"),
            "2:12: expected a directive or '}' in 'General', found byte 0xc3 "
                + "(only ASCII is allowed outside comments and paths)");
    }

    [Fact]
    public void Names_that_look_like_keywords_or_numbers_are_names_where_a_name_stands()
    {
        foreach (string name in new[] { "ae0", "Port", "on", "6in4-wan", "eth0:1", "General" })
        {
            Options options = Clean(InSync($"Mode FTFW {{ }} UDP {{ Interface {name} Port 1 "
                + "IPv4_Destination_Address 10.0.0.2 }"));
            Assert.Equal(name, options.Sync!.Links[0].InterfaceName);
        }
        Refused(InSync("Mode FTFW { } UDP { IPv6_Destination_Address ::2 Interface\nPort 1 }"),
            "5:1: expected an interface name after 'Interface', found 'Port'");
    }

    [Fact]
    public void The_source_line_is_shown_with_a_caret_below_the_word()
    {
        Diagnostic diagnostic = Assert.Single(
            Parse("General {\n\tHashSize\tabc # \x1b[31m\n}").Diagnostics);

        Assert.Equal(
            "a.conf:2:11: expected a number of buckets 0-134217727 after 'HashSize', found 'abc'\n"
                + "    \tHashSize\tabc # ?[31m\n"
                + "    \t        \t^",
            diagnostic.Render());
    }

    [Fact]
    public void A_long_line_is_shown_around_the_word()
    {
        string text = new string(' ', 1000) + "x" + new string(' ', 1000) + "y";
        Diagnostic diagnostic = Parse(text).Diagnostics[0];

        Assert.Equal(new SourcePosition(1, 1001), diagnostic.Position);
        Assert.Equal('x', diagnostic.SourceLine[diagnostic.CaretAt]);
        Assert.True(diagnostic.SourceLine.Length <= 160);
    }

    [Fact]
    public void After_a_hundred_errors_reading_stops()
    {
        ConfigResult result = Parse(string.Concat(Enumerable.Repeat("General { x }\n", 1000)));

        Assert.Equal(100, result.Diagnostics.Count);
        Assert.EndsWith("too many errors, the rest is not read",
            result.Diagnostics[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_short_file_parses_without_a_remark()
    {
        string path = Path.Combine(CorpusTests.Folder(), "../../../conntrackd.conf");

        Options options = Clean(File.ReadAllText(path));

        Assert.Equal(SyncMode.Ftfw, options.Sync!.Mode);
        Assert.Equal(LinkKind.Udp, Assert.Single(options.Sync.Links).Kind);
    }
}
