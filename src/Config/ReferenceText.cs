using System.Collections.Generic;
using System.Text;

namespace Conntrackd.Config;

/// <summary>
/// The whole language as a configuration file with comments, made from the table of directives. As
/// it stands the file is valid; its lines without a hash are defaults, or a link that makes it
/// whole.
/// </summary>
internal static class ReferenceText
{
    private const int ColumnsMax = 94;
    private const int TabWidth = 4;

    private const string Head =
        """
        # Every directive of conntrackd.conf, by "conntrackd --print-reference".
        #
        # A line without a hash has the default, or belongs to a link that makes this file whole.
        # Words are case sensitive; on, off, yes, no and the names of modes are not. A comment
        # starts with a hash and ends with the line; after a path a blank must come first.
        #
        # conntrackd --check -C FILE    what is wrong with a file
        # conntrackd --print-config     what is in force, and from where
        # conntrackd --reload           apply a changed file without losing states

        """;

    /// <summary>Renders all of <see cref="ConfigParser.Directives"/>.</summary>
    internal static string Render()
    {
        var text = new StringBuilder(Head);
        foreach (string line in LinesOf(Block.File, depth: 0))
        {
            text.Append(line).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>All directives of a block with an empty line between them.</summary>
    private static List<string> LinesOf(Block block, int depth)
    {
        var lines = new List<string>();
        foreach (Directive directive in ConfigParser.Directives)
        {
            if ((directive.Blocks & ~directive.Tolerated & block) == 0) { continue; }
            if (lines.Count > 0 || depth == 0) { lines.Add(""); }
            string remark = directive.IsDeprecated
                ? $"'{directive.Name}': {directive.Help}" : directive.Help;
            lines.AddRange(Wrap(remark, ColumnsMax - depth * TabWidth));
            if (directive.IsDeprecated) { continue; }
            if (directive.Opens == Block.None) { lines.Add(ValueLine(directive)); }
            else { AddBlocks(lines, directive, depth); }
        }
        return lines;
    }

    private static string ValueLine(Directive directive) => directive.Example.Length == 0
        ? $"{directive.Name} {directive.Default}"
        : $"{(directive.IsSample ? "" : "# ")}{directive.Name} {directive.Example}";

    /// <summary>
    /// One block for each that the directive may open: the one in force, then those behind hashes.
    /// </summary>
    private static void AddBlocks(List<string> lines, Directive directive, int depth)
    {
        var heads = new List<(string Head, Block Block)>();
        for (uint left = (uint)directive.Opens; left != 0; left &= left - 1)
        {
            var block = (Block)(left & (~left + 1));
            string head = block == directive.Opens
                ? $"{directive.Name} {directive.Example}".TrimEnd() : ConfigParser.NameOf(block);
            bool isDefault = head == $"{directive.Name} {directive.Default}";
            heads.Insert(isDefault ? 0 : heads.Count, (head, block));
        }
        foreach ((string head, Block block) in heads)
        {
            bool isActive = directive.IsSample || head == $"{directive.Name} {directive.Default}";
            string hash = isActive ? "" : "# ";
            if (lines[^1].TrimStart('#', ' ') == "}") { lines.Add(""); }
            lines.Add($"{hash}{head} {{");
            foreach (string line in LinesOf(block, depth + 1))
            {
                lines.Add(line.Length == 0 ? hash.TrimEnd() : $"{hash}\t{line}");
            }
            lines.Add($"{hash}}}");
        }
    }

    /// <summary>Breaks a text into comment lines of at most so many columns.</summary>
    private static IEnumerable<string> Wrap(string text, int columns)
    {
        var line = new StringBuilder("#");
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 1 && line.Length + 1 + word.Length > columns)
            {
                yield return line.ToString();
                line.Clear().Append('#');
            }
            line.Append(' ').Append(word);
        }
        yield return line.ToString();
    }
}
