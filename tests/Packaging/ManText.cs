using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Conntrackd.Config;

namespace Conntrackd.Tests.Packaging;

/// <summary>The directives of conntrackd.conf(5), made from the parser's own table.</summary>
internal static class ManText
{
    private const string Begin =
        ".\\\" Directives: made from the table of the parser by tests/Packaging; a test compares\n"
        + ".\\\" them. Anew: CONNTRACKD_WRITE=1 ./build.sh test --filter "
        + "FullyQualifiedName~ManPage\n";
    private const string End = ".\\\" End of the directives.\n";

    private static readonly string[] s_literals =
        ["inet", "inet6", "tcp", "udp", "rr", "fifo", "for", "text", "json"];

    /// <summary>The page with the part between the two marks made anew.</summary>
    internal static string Renew(string page)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal);
        int end = page.IndexOf(End, StringComparison.Ordinal);
        return page[..(begin + Begin.Length)] + Directives() + page[end..];
    }

    private static string Directives()
    {
        var text = new StringBuilder();
        var told = new HashSet<Directive>();
        foreach (Directive section in ConfigParser.Directives.Where(d => d.Blocks == Block.File))
        {
            text.Append($".Sh SECTION {section.Name}\n{Sentences(section)}");
            AppendBlock(text, told, section.Opens);
        }
        return text.ToString();
    }

    /// <summary>The directives of a block that were not told yet, then the blocks in it.</summary>
    private static void AppendBlock(StringBuilder text, HashSet<Directive> told, Block blocks)
    {
        Directive[] here = [.. ConfigParser.Directives
            .Where(d => (d.Blocks & ~d.Tolerated & blocks) != 0 && told.Add(d))];
        text.Append(".Bl -tag -width Ds\n");
        foreach (Directive directive in here) { AppendItem(text, directive, blocks); }
        text.Append(".El\n");
        foreach (Directive directive in here.Where(d => d.Opens != Block.None))
        {
            text.Append($".Ss Block {directive.Name}\n");
            AppendBlock(text, told, directive.Opens);
        }
    }

    private static void AppendItem(StringBuilder text, Directive directive, Block shown)
    {
        text.Append($".It Cm {directive.Name} {Operand(directive.Operand)}\n");
        Block blocks = directive.Blocks & ~directive.Tolerated;
        if (blocks != shown) { text.Append($".Pq in {ConfigParser.Describe(blocks)}\n"); }
        text.Append(Sentences(directive));
        if (directive.Default.Length > 0)
        {
            text.Append($"The default is {Escape(directive.Default)}.\n");
        }
    }

    /// <summary>Placeholders are in small letters, of words few are.</summary>
    private static string Operand(string operand)
    {
        var macros = new StringBuilder();
        foreach (string token in operand.Split(' '))
        {
            bool isWord = char.IsLetter(token[0]);
            bool isPlaceholder = char.IsLower(token[0]) && !s_literals.Contains(token);
            string macro = isPlaceholder ? "Ar" : isWord ? "Cm" : "No";
            macros.Append($" {macro} {token}");
        }
        return macros.ToString().TrimStart();
    }

    /// <summary>The help, one sentence a line.</summary>
    private static string Sentences(Directive directive) =>
        Regex.Replace(Escape(directive.Help), @"([.:;]) (?=\\fB|\w)", m =>
            m.Groups[1].Value == "." ? ".\n" : m.Value) + "\n";

    /// <summary>Words of the language bold; hyphens of commands and options as they are.</summary>
    private static string Escape(string text) => Regex.Replace(
        Regex.Replace(text, "'([A-Za-z0-9_]+)'", @"\fB$1\fR"), @"(?<=[ -])-|(?<= )-", @"\-")
        .Replace("--", @"\-\-", StringComparison.Ordinal);
}
