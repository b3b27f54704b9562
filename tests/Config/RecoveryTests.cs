using System.Linq;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

/// <summary>Behind an error reading goes on: each error of a file is told, and told once.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public void Each_error_of_a_line_is_told()
    {
        Refused("General { HashSize abc UNIX { Path rel Backlog x } HashLimit = 5 LogFile \"/a\" }",
            "1:20: expected a number of buckets 0-134217727 after 'HashSize', found 'abc'",
            "1:36: expected a path after 'Path', found 'rel'",
            "1:48: expected a number after 'Backlog', found 'x'",
            "1:62: expected a number of flows 0-4294967295 after 'HashLimit', found '='",
            "1:74: expected on, off or a path after 'LogFile', found '\"' "
                + "(values are written without quotes)");
    }

    [Fact]
    public void What_stands_behind_an_unknown_word_is_read_from_the_next_directive_on()
    {
        Refused("General {\nFoo 1 Bar 2 HashSize x\nSystemd maybe Hashlimit 3\nSyslog\n}",
            "2:1: unknown directive 'Foo' in 'General'",
            "2:22: expected a number of buckets 0-134217727 after 'HashSize', found 'x'",
            "3:9: expected on or off after 'Systemd', found 'maybe'",
            "3:15: unknown directive 'Hashlimit' in 'General', write 'HashLimit' "
                + "(letter case matters)",
            "5:1: expected on, off or a facility after 'Syslog', found '}'");
    }

    [Fact]
    public void A_block_with_a_wrong_head_is_read_for_the_errors_in_it()
    {
        Refused("""
            Sync {
                Mode FTFX { ACKWindowSize x CacheTimeout y }
                UDP Defalt { Port zero Interface a/b IPv6_Destination_Address ::2 }
            }
            General {
                Filter From Kernel {
                    Protocol Acept { TCP 17 }
                    Address { IPv4_address x }
                    State Ignor { ESTABLISHED OPEN for TCP }
                }
            }
            Helper {
                Type ftp { QueueLen x Policy { ExpectMax y } }
            }
            """,
            "2:10: unknown mode 'FTFX', expected FTFW, ALARM or NOTRACK",
            "2:31: expected a number of messages 0-2147483647 after 'ACKWindowSize', found 'x'",
            "2:46: expected seconds 0-2147483647 after 'CacheTimeout', found 'y'",
            "3:9: expected '{' after 'UDP', found 'Defalt'",
            "3:23: expected a port 1-65535 after 'Port', found 'zero'",
            "3:38: expected an interface name after 'Interface', found 'a/b'",
            "6:17: expected Userspace or Kernelspace after 'Filter From', found 'Kernel'",
            "7:18: expected Accept or Ignore after 'Protocol', found 'Acept'",
            "7:30: expected a protocol name in 'Protocol', found the number '17'",
            "8:17: expected Accept or Ignore after 'Address', found '{'",
            "8:32: expected an IPv4 address after 'IPv4_address', found 'x'",
            "9:15: expected Accept or Ignore after 'State', found 'Ignor'",
            "9:35: expected a TCP state, 'for TCP' or '}' in 'State', found 'OPEN'",
            "13:14: expected inet or inet6 after 'Type ftp', found '{'",
            "13:25: expected a number of packets 0-2147483647 after 'QueueLen', found 'x'",
            "13:34: expected a policy name after 'Policy', found '{'",
            "13:46: expected a number of expectations 0-2147483647 after 'ExpectMax', found 'y'");
    }

    [Fact]
    public void A_misspelt_or_misplaced_block_is_read_for_the_errors_in_it()
    {
        Refused("general\n{\n  Unix { Path x }\n  UDP { Port 0 }\n}\nStat { LogFile x }",
            "1:1: unknown section 'general', write 'General' (letter case matters)",
            "3:3: unknown directive 'Unix' in 'General', write 'UNIX' (letter case matters)",
            "3:15: expected a path after 'Path', found 'x'",
            "4:3: 'UDP' is not allowed in 'General', only in 'Sync'",
            "4:3: the 'UDP' link has no valid 'Port'",
            "4:3: the 'UDP' link has no valid 'IPv4_Destination_Address' or "
                + "'IPv6_Destination_Address'",
            "4:3: the 'UDP' link has no valid 'Interface'",
            "6:1: unknown section 'Stat', did you mean 'Stats'",
            "6:16: expected on, off or a path after 'LogFile', found 'x'");
        // A misplaced section block begins no section: no error that both are there.
        Refused("Mode FTFW { ACKWindowSize x }\nStats { }",
            "1:1: 'Mode' is not allowed outside a section, only in 'Sync'",
            "1:27: expected a number of messages 0-2147483647 after 'ACKWindowSize', found 'x'");
    }

    [Fact]
    public void What_a_section_lacks_is_told_beside_errors_elsewhere()
    {
        Refused("General { HashSize x VRRP { Notify y } }\nSync { Mode FTFW { } }",
            "1:20: expected a number of buckets 0-134217727 after 'HashSize', found 'x'",
            "1:22: no group to follow in 'VRRP', expected 'Group' or 'Instance'",
            "1:36: expected a path after 'Notify', found 'y'",
            "2:1: no dedicated link in 'Sync', expected 'Multicast', 'UDP' or 'TCP'");
    }

    [Theory]
    [InlineData("UDP { IPv4_Destination_Adress 10.0.0.2 Port x Interface e }",
        "4:21: unknown directive 'IPv4_Destination_Adress' in 'UDP', did you mean "
            + "'IPv4_Destination_Address'",
        "4:59: expected a port 1-65535 after 'Port', found 'x'")]
    [InlineData("UDP { IPv6_Destination_Address fe80::2%eth0 Port 1 Interface\n}",
        "4:53: unexpected '%' in an IPv6 address: a zone is not part of it, 'Interface' names the "
            + "interface",
        "5:1: expected an interface name after 'Interface', found '}'")]
    public void What_a_link_has_wrong_is_not_told_to_be_missing(
        string link, params string[] told) => Refused(InSync("Mode FTFW { } " + link), told);

    [Fact]
    public void A_word_of_an_outer_block_shows_a_missing_brace()
    {
        Refused("""
            General {
                UNIX {
                    Path /a
                HashSize x
                Filter {
                    Protocol Accept {
                        TCP
                    Address Ignore {
                        IPv4_address 10.0.0.1
                HashLimit 5
            }
            Stats { LogFile y }
            """,
            "4:5: unexpected 'HashSize': '}' is missing for 'UNIX' of line 2",
            "4:14: expected a number of buckets 0-134217727 after 'HashSize', found 'x'",
            "8:9: unexpected 'Address': '}' is missing for 'Protocol' of line 6",
            "10:5: unexpected 'HashLimit': '}' is missing for 'Address' of line 8 and for "
                + "'Filter' of line 5",
            "12:17: expected on, off or a path after 'LogFile', found 'y'");
        Refused("General {\nUNIX {\nHashSize 5\nPath /a }\n}",
            "3:1: 'HashSize' is not allowed in 'UNIX', only in 'General'");
    }

    [Fact]
    public void A_word_outside_all_sections_shows_a_brace_too_many()
    {
        Refused("""
            General {
                UNIX { Path /a } }
                HashSize x
                HashLimit 5
            }
            Sync {
                Mode NOTRACK { } }
                UDP { Port y }
                Options { TCPWindowTracking z }
            }
            """,
            "3:5: 'HashSize' stands outside a section: the '}' in line 2 closed 'General' of "
                + "line 1",
            "3:14: expected a number of buckets 0-134217727 after 'HashSize', found 'x'",
            "8:5: 'UDP' stands outside a section: the '}' in line 7 closed 'Sync' of line 6",
            "8:5: the 'UDP' link has no valid 'IPv4_Destination_Address' or "
                + "'IPv6_Destination_Address'",
            "8:5: the 'UDP' link has no valid 'Interface'",
            "8:16: expected a port 1-65535 after 'Port', found 'y'",
            "9:33: expected on or off after 'TCPWindowTracking', found 'z'");
    }

    [Theory]
    [InlineData("General {\nUNIX Path /a }\nHashSize 1\n}\nStats { }")]
    [InlineData("General {\nUNIX Path /a\n}\nStats { }")]
    [InlineData("General {\nUNIX\nPath /a }\nHashSize 1\n}\nStats { }")]
    [InlineData("General {\nUNIX }\nStats { }")]
    [InlineData("General {\nFilter {\nProtocol Accept TCP UDP }\n} }\nStats { }")]
    [InlineData("General {\nFilter {\nState Accept LISTEN for TCP }\n} }\nStats { }")]
    public void A_missing_opening_brace_is_one_error(string text)
    {
        string only = Assert.Single(Parse(text).Diagnostics.Select(d => d.Message));
        Assert.StartsWith("expected '{' after ", only);
    }

    [Fact]
    public void Every_pair_of_errors_is_told_on_one_line_as_on_two()
    {
        string[] wrong =
        [
            "HashSize abc", "HashLimit = 5", "LogFile rel", "Syslog \"x\"", "PollSecs 0",
            "NetlinkBufferSize 5;", "Systemd 1", "Nice 5", "UNIX { Path x }",
            "Scheduler { Type y }", "NetlinkOverrunResync -5",
            "EventIterationLimit 99999999999999999999999999999999999999999",
            "Filter { Protocol Ignore { 6 } }", "lockfile /a", "LockFile",
        ];
        // A word that nobody knows is one only where a directive must stand: it comes first.
        foreach (string first in wrong.Append("Bogus").Append("Bogus { x { } }"))
        {
            foreach (string second in wrong)
            {
                string[] apart = Messages($"{first}\n{second}\n");
                Assert.Equal(apart, Messages($"{first} {second}\n"));
                Assert.Equal(2, apart.Length);
            }
        }
    }

    private static string[] Messages(string body) =>
        [.. Parse(General(body)).Diagnostics.Select(d => d.Message)];
}
