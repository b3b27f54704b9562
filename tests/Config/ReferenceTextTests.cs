using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Config;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class ReferenceTextTests
{
    private static readonly string s_text = ReferenceText.Render();

    [Fact]
    public void It_is_a_valid_file_whose_settings_are_the_defaults()
    {
        Options options = Clean(s_text);

        var defaults = new Options();
        LinkOptions link = Assert.Single(options.Sync!.Links);
        var nothing = new Dictionary<string, SourcePosition>();
        Assert.Equal(defaults with { Origins = nothing },
            options with
            {
                Sync = null,
                Origins = nothing,
                Filter = defaults.Filter,
                Helpers = defaults.Helpers,
            });
        Assert.Equal(new SyncOptions { Links = options.Sync.Links }, options.Sync);
        Assert.Equal(LinkKind.Udp, link.Kind);
    }

    [Fact]
    public void It_shows_every_directive()
    {
        foreach (Directive directive in ConfigParser.Directives)
        {
            Assert.Matches(directive.IsDeprecated
                ? $"# '{directive.Name}': " : $@"(?m)^[#\t ]*{directive.Name} ", s_text);
        }
    }

    /// <summary>
    /// Each commented block, its hashes taken away once, is accepted in its place, alone.
    /// </summary>
    [Fact]
    public void Every_block_behind_hashes_is_accepted_without_them()
    {
        string[] heads = [.. Regex.Matches(s_text, @"(?m)^\t*# [A-Z][A-Za-z_ ]*\{$")
            .Select(match => match.Value)];
        Assert.Contains("# Helper {", heads);
        Assert.Contains("\t# VRRP {", heads);
        foreach (string head in heads) { Accepts(Uncover(head)); }
    }

    [Fact]
    public void Every_line_behind_a_hash_is_accepted_without_it()
    {
        MatchCollection lines = Regex.Matches(s_text, @"(?m)^\t+# ([A-Z]\w+) ([^\s{]+)$");
        foreach (Match line in lines)
        {
            string name = line.Groups[1].Value;
            if (!ConfigParser.Directives.Any(d => d.Name == name)) { continue; }
            // A link of the other family is another link.
            if (name.StartsWith("IPv6_", StringComparison.Ordinal)) { continue; }
            Accepts(s_text.Remove(s_text.IndexOf('#', line.Index), 2));
        }
        Assert.InRange(lines.Count, 5, 100);
    }

    private static void Accepts(string text)
    {
        ConfigResult result = Parse(text);
        Assert.True(result.Options is not null, string.Join('\n', result.Diagnostics));
    }

    /// <summary>The file with one block in force; what excludes it is taken out.</summary>
    private static string Uncover(string head)
    {
        string indent = head[..head.IndexOf('#')];
        string[] lines = s_text.Split('\n');
        int first = Array.IndexOf(lines, head);
        int last = Array.IndexOf(lines, $"{indent}# }}", first);
        for (int i = first; i <= last; i++)
        {
            string bare = lines[i][indent.Length..];
            lines[i] = bare.StartsWith("# ", StringComparison.Ordinal) ? bare[2..] : "";
        }
        string text = string.Join('\n', lines);
        if (head.Contains("Stats", StringComparison.Ordinal)) { return Without(text, "Sync {"); }
        bool isLink = head.Contains("TCP {", StringComparison.Ordinal)
            || head.Contains("Multicast {", StringComparison.Ordinal);
        return isLink ? Without(text, "\tUDP {") : text;
    }

    private static string Without(string text, string head)
    {
        int begin = text.IndexOf($"\n{head}\n", StringComparison.Ordinal);
        string close = $"\n{head[..^head.TrimStart('\t').Length]}}}\n";
        int end = text.IndexOf(close, begin, StringComparison.Ordinal);
        return text[..begin] + text[(end + close.Length - 1)..];
    }
}
