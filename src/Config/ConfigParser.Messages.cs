using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>What to say where no directive stands.</summary>
internal sealed partial class ConfigParser
{
    /// <summary>Reports and consumes a token that starts no directive.</summary>
    private void ReportNoDirective()
    {
        Token at = _token;
        if (_block == Block.File)
        {
            Error(at, at.Kind == TokenKind.Close
                ? "unexpected '}': no block is open"
                : $"expected a section (General, Sync, Stats or Helper), found {Found(at)}");
        }
        else
        {
            Error(at, $"expected a directive or '}}' in '{_blockName}', found {Found(at)}");
        }

        // An opening brace is left for SkipRest, which skips its block.
        if (at.Kind != TokenKind.Open) { Advance(); }
    }

    /// <summary>
    /// Reports a block that is still open at the end or at a section, and leaves all blocks.
    /// </summary>
    private void MissingBrace()
    {
        string what = _token.Kind == TokenKind.End
            ? "unexpected end of the file"
            : $"unexpected section {Found(_token)}";
        string advice = _pathWithBrace is Token path
            ? $"; the path in line {path.Line} took a brace along, a blank must stand before it"
            : "";
        Error(_token, $"{what}: '}}' is missing for '{_blockName}' of line {_blockLine}{advice}");
        _isUnwinding = true;
    }

    /// <summary>The message about a word that is no directive of the current block.</summary>
    private string Unknown(string word)
    {
        string place = _block == Block.File ? "" : $" in '{_blockName}'";
        string? advice = RemovedDirectives.AdviceFor(word);
        if (advice is not null)
        {
            return $"'{word}' was removed in conntrack-tools 1.4.5: {advice}";
        }

        string[] here = NamesIn(_block);
        string? sameLetters = Array.Find(
            here, name => name.Equals(word, StringComparison.OrdinalIgnoreCase));
        if (sameLetters is not null)
        {
            return $"unknown directive '{word}'{place}, write '{sameLetters}' "
                + "(letter case matters)";
        }
        Block elsewhere = BlocksOf(word);
        if (elsewhere != Block.None)
        {
            string where = _block == Block.File ? "outside a section" : $"in '{_blockName}'";
            return $"'{word}' is not allowed {where}, only in {Describe(elsewhere)}";
        }
        string shown = Shorten(word);
        string? near = Spelling.Nearest(word, here);
        if (near is not null)
        {
            return $"unknown directive '{shown}'{place}, did you mean '{near}'";
        }
        if (_block == Block.File)
        {
            return $"unknown section '{shown}', expected General, Sync, Stats or Helper";
        }
        near = Spelling.Nearest(word, NamesIn(~Block.None));
        return near is null
            ? $"unknown directive '{shown}'{place}"
            : $"unknown directive '{shown}'{place}, did you mean '{near}' "
                + $"(only in {Describe(BlocksOf(near))})";
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
