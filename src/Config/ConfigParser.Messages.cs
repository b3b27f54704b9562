using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>What to say where no directive stands.</summary>
internal sealed partial class ConfigParser
{
    /// <summary>Reports and consumes a token that starts no directive.</summary>
    private void ReportNoDirective()
    {
        Token at = _token;
        if (_open.Count == 0)
        {
            Error(at, at.Kind == TokenKind.Close
                ? "unexpected '}': no block is open"
                : $"expected a section (General, Sync, Stats or Helper), found {Found(at)}");
        }
        else
        {
            Error(at, $"expected a directive or '}}' in '{Here.Name}', found {Found(at)}");
        }

        // An opening brace is left for SkipRest, which skips its block.
        if (at.Kind != TokenKind.Open) { SkipWord(); }
    }

    /// <summary>
    /// The directive that a word, which is none of the current block, was meant to be: another
    /// spelling of one here, one of another block, or a slip. Null if there is no telling.
    /// </summary>
    private Directive? FindMeant(string word)
    {
        if (RemovedDirectives.AdviceFor(word) is not null) { return null; }
        string[] here = NamesIn(Here.Block);
        string? name = Array.Find(
            here, name => name.Equals(word, StringComparison.OrdinalIgnoreCase));
        if (name is null && BlocksOf(word) == Block.None)
        {
            name = Spelling.Nearest(word, here);
            if (name is null && _open.Count > 0)
            {
                name = Spelling.Nearest(word, NamesIn(~Block.None));
            }
        }
        name ??= word;
        return FindDirective(name, Here.Block) ?? FindDirective(name, ~Block.None);
    }

    /// <summary>The message about a word that is no directive of the current block.</summary>
    private string Unknown(string word, Directive? meant)
    {
        if (RemovedDirectives.AdviceFor(word) is string advice)
        {
            return $"'{word}' was removed in conntrack-tools 1.4.5: {advice}";
        }
        string shown = Shorten(word);
        string what = _open.Count == 0 ? $"unknown section '{shown}'"
            : $"unknown directive '{shown}' in '{Here.Name}'";
        if (meant is null)
        {
            return _open.Count == 0 ? $"{what}, expected General, Sync, Stats or Helper" : what;
        }
        if (meant.Name == word)
        {
            string where = _open.Count == 0 ? "outside a section" : $"in '{Here.Name}'";
            return $"'{word}' is not allowed {where}, only in {Describe(BlocksOf(word))}";
        }
        if ((meant.Blocks & Here.Block) == 0)
        {
            return $"{what}, did you mean '{meant.Name}' (only in "
                + $"{Describe(BlocksOf(meant.Name))})";
        }
        return meant.Name.Equals(word, StringComparison.OrdinalIgnoreCase)
            ? $"{what}, write '{meant.Name}' (letter case matters)"
            : $"{what}, did you mean '{meant.Name}'";
    }

    private static string[] NamesIn(Block blocks) => Array.ConvertAll(
        Array.FindAll(s_directives, d => (d.Blocks & blocks) != 0), static d => d.Name);

    private static Block BlocksOf(string name)
    {
        Block blocks = Block.None;
        foreach (Directive directive in s_directives)
        {
            if (directive.Name == name) { blocks |= directive.Blocks; }
        }
        return blocks;
    }

    /// <summary>Names blocks as a file writes them: 'General', 'Mode FTFW' or 'Sync'.</summary>
    internal static string Describe(Block blocks)
    {
        var names = new List<string>();
        foreach ((Block block, string name) in s_blockNames)
        {
            if ((blocks & block) != 0) { names.Add($"'{name}'"); }
        }
        return names.Count == 1
            ? names[0]
            : $"{string.Join(", ", names[..^1])} and {names[^1]}";
    }
}
