using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Conntrackd.Config;
using Xunit;

namespace Conntrackd.Tests.Config;

public sealed class EffectiveTextTests
{
    [Fact]
    public void Every_setting_tells_where_it_is_from()
    {
        string text = Render("General {\n  HashLimit 8192\n  UNIX {\n    Path /run/x\n  }\n}\n");
        Assert.Contains("    HashSize 65536  # default\n", text);
        Assert.Contains("    HashLimit 8192  # test.conf:2\n", text);
        Assert.Contains("        Path /run/x  # test.conf:4\n", text);
        Assert.Contains("    Syslog off  # default\n", text);
    }

    [Fact]
    public void The_block_vrrp_means_the_same_when_it_is_read_again()
    {
        const string Text = "General {\nUNIX { Path /run/x }\nVRRP {\nGroup RED\n"
            + "Instance BLUE { Mark 0x2 Mark 4/6 Address 10.0.0.0/8 Address fd22::1 }\n"
            + "TrackFile /run/t\nOnFault Keep\n}\n}\nSync { Mode FTFW { }\n"
            + Parsing.Udp + "}\n";
        string first = Render(Text);
        Assert.Contains("        OnFault Keep  # test.conf:7\n", first);
        Assert.Contains("            Mark 0x4/0x6\n", first);
        Assert.Contains("            Address fd22::1\n", first);
        Assert.Contains("        # Command: not set\n", first);
        Assert.Equal(WithoutComments(first), WithoutComments(Render(first)));
    }

    [Fact]
    public void Every_valid_file_means_the_same_when_its_settings_are_read_again()
    {
        string folder = Path.Combine(Repository.Root, "..", "shared", "configs", "valid");
        if (!Directory.Exists(folder)) { return; }
        foreach (string path in Directory.GetFiles(folder, "*.conf"))
        {
            ConfigResult result = ConfigParser.Parse("first", File.ReadAllBytes(path));
            if (result.Options is null) { continue; }
            string first = EffectiveText.Render(result.Options, "f");
            ConfigResult again = ConfigParser.Parse("again", Encoding.UTF8.GetBytes(first));
            Assert.True(again.Options is not null,
                $"{path}: {string.Join(" ", again.Diagnostics)}");
            string second = EffectiveText.Render(again.Options!, "f");
            Assert.Equal(WithoutComments(first), WithoutComments(second));
        }
    }

    [Fact]
    public void The_sample_file_means_the_same_when_its_settings_are_read_again()
    {
        string first = Render(File.ReadAllText(Path.Combine(Repository.Root, "conntrackd.conf")));
        Assert.Contains("Mode FTFW {", first);
        Assert.Contains("UDP Default {  # test.conf:", first);
        Assert.Contains(" IPv4_address 192.168.100.0/24\n", first);
        Assert.Equal(WithoutComments(first), WithoutComments(Render(first)));
    }

    [Fact]
    public void Seal_digest_and_node_number_are_shown_and_read_again()
    {
        string plain = Render(Parsing.InSync("Mode FTFW { } " + Parsing.Udp));
        Assert.Contains("# KeyFile: not set, whoever reaches the link", plain);
        Assert.Contains("        FrameChecksum off\n", plain);
        Assert.Contains("# NodeNumber: not set", plain);
        string sealedLink = Render(Parsing.InSync("Mode FTFW { } " + Parsing.Udp.Replace(
            "Port 3780", "Port 3780 KeyFile /etc/x.key", StringComparison.Ordinal)
            + "Options {\nNodeNumber 7\n}"));
        Assert.Contains("        KeyFile /etc/x.key\n", sealedLink);
        Assert.Contains("        NodeNumber 7  # test.conf:6\n", sealedLink);
        Assert.Equal(WithoutComments(sealedLink), WithoutComments(Render(sealedLink)));
    }

    /// <summary>A directive that EffectiveText forgets is found here.</summary>
    [Fact]
    public void Every_directive_is_written_when_it_is_in_force()
    {
        string general = """
            General { UNIX { Path /p Group adm GroupAccess Full }
                VRRP { Group A { Mark 1 Address 10.0.0.1 } Instance B
                    TrackFile /t QueryPid /p Command /c }
                PollSecs 3 Systemd on NetlinkBufferSize 1 NetlinkBufferSizeMaxGrowth 2
                LogFile /l Syslog on Filter { Protocol Accept { TCP } State Ignore { CLOSE for TCP }
                Address Ignore { IPv4_address 10.0.0.1 IPv6_address ::1 } } }
            Helper { Type ftp inet tcp { Policy ftp { ExpectMax 1 ExpectTimeout 2 } } }
            """;
        string link = "{ IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 "
            + "Interface a SndSocketBuffer 1 RcvSocketBuffer 1 }";
        string second = link.Replace("10.0.0.", "10.1.0.", Exact).Replace("e a", "e b", Exact);
        string multicast = "{ IPv4_address 225.0.0.1 IPv4_interface 10.0.0.1 Group 1 Interface a }";
        string[] files =
        [
            $"{general} Sync {{ Mode FTFW {{ CommitTimeout 1 }} UDP {link} UDP {second} "
                + "Options { NodeNumber 3 } }",
            $"{general} Sync {{ Mode ALARM {{ }} TCP {link} }}",
            $"{general} Sync {{ Mode NOTRACK {{ }} Multicast {multicast} }}",
            $"{general} Sync {{ Mode FTFW {{ }} UDP {link.Replace("IPv4", "IPv6", Exact)
                .Replace("Port 1", "Port 1 KeyFile /k", Exact)
                .Replace("10.0.0.1", "fd00::1", Exact).Replace("10.0.0.2", "fd00::2", Exact)} }}",
            $"{general} Stats {{ }}",
        ];
        string written = string.Concat(files.Select(Render));
        foreach (Directive directive in ConfigParser.Directives.Where(d => !d.IsDeprecated))
        {
            Assert.Matches($@"\b{directive.Name} ", written);
        }
    }

    private const StringComparison Exact = StringComparison.Ordinal;

    private static string Render(string text)
    {
        ConfigResult result = ConfigParser.Parse("test.conf", Encoding.UTF8.GetBytes(text));
        return EffectiveText.Render(result.Options!, "test.conf");
    }

    private static string WithoutComments(string text) => Regex.Replace(text, @" *#.*", "");
}
