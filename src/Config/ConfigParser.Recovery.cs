using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>How reading goes on behind an error.</summary>
/// <remarks>
/// What belongs to a failed directive is skipped: to the next word of its line that is a directive
/// of the block, else to the end of the line, with the block behind it. A block with a wrong head
/// or a misspelt name is read all the same, for the errors in it. Words of another block mean a
/// brace too few or too many, if the braces of the file are not even:
/// <code>
/// General {                  General {
///     UNIX {                     UNIX { Path /a } }    one too many: General goes on
///         Path /a                HashSize 1
///     HashSize 1             }
/// }   one too few: UNIX ends
/// </code>
/// A section name inside a section always means one too few.
/// </remarks>
internal sealed partial class ConfigParser
{
    // Ours: an argument has fewer words.
    private const int MisspeltMax = 4;

    private readonly HashSet<string> _failed = [];  // directives of this link with an error
    private int _keptBlocks = int.MaxValue;     // fewer than are open: leave the others
    private int? _unclosed;                     // opening braces less closing ones, once counted
    private OpenBlock _lastSection;
    private Token _lastSectionEnd;
    private bool _hasUnread;                    // a block was skipped, or ended without a brace

    private bool IsLeaving => _open.Count > _keptBlocks;

    /// <summary>The braces that are missing in the file and were not reported yet.</summary>
    private int Unclosed
    {
        get => _unclosed ??= CountUnclosed();
        set => _unclosed = value;
    }

    private int CountUnclosed()
    {
        var lexer = new Lexer(_source.Bytes);
        int count = 0;
        for (Token token = lexer.Next(); token.Kind != TokenKind.End; token = lexer.Next())
        {
            if (token.Kind == TokenKind.Open) { count++; }
            if (token.Kind == TokenKind.Close) { count--; }
        }
        return count;
    }

    /// <summary>Reads on at a word that is no directive of the current block.</summary>
    private void ReadStranger(string word)
    {
        if (IsMissingBrace(word, out int keep))
        {
            MissingBrace(keep);
            return;
        }
        if (_open.Count == 0 && Unclosed < 0 && FindDirective(word, _lastSection.Block) is not null)
        {
            Error(_token, $"{Found(_token)} stands outside a section: the '}}' in line "
                + $"{_lastSectionEnd.Line} closed '{_lastSection.Name}' of line "
                + $"{_lastSection.Line}");
            Unclosed++;
            ReadBlock(_lastSection);
            return;
        }
        Directive? meant = FindMeant(word);
        Error(_token, Unknown(word, meant));
        if (meant is null || meant.Opens == Block.None || BraceOfLine() != '{')
        {
            if (meant is not null) { _failed.Add(meant.Name); }
            Advance();
            if (RemovedDirectives.AdviceFor(word) is null) { SkipRest(); }
            else { SkipRemoved(); }
            return;
        }

        // What stands in the wrong place begins no section: only its errors are of interest.
        (SyncOptions? sync, StatsOptions? stats) = (_sync, _stats);
        bool isHere = (meant.Blocks & Here.Block) != 0;
        _ = ReadAs(meant);
        if (!isHere) { (_sync, _stats) = (sync, stats); }
    }

    /// <summary>
    /// True if <paramref name="word"/>, no directive of the current block, shows that a brace is
    /// missing; <paramref name="keep"/> is the number of blocks that know it.
    /// </summary>
    private bool IsMissingBrace(string word, out int keep)
    {
        keep = 0;
        if (_open.Count == 0) { return false; }
        if (FindDirective(word, Block.File) is not null) { return true; }
        for (keep = _open.Count - 1; keep > 0; keep--)
        {
            if (FindDirective(word, _open[keep - 1].Block) is null) { continue; }
            return Unclosed >= _open.Count - keep;
        }
        return false;
    }

    /// <summary>
    /// Reports blocks that are still open at the end or at a word of another block, and leaves
    /// them: all but the outermost <paramref name="keep"/>.
    /// </summary>
    private void MissingBrace(int keep)
    {
        string what = _token.Kind == TokenKind.End ? "unexpected end of the file"
            : FindDirective(_source.TextOf(_token), Block.File) is null
                ? $"unexpected {Found(_token)}"
                : $"unexpected section {Found(_token)}";
        var names = new List<string>();
        for (int i = _open.Count - 1; i >= keep; i--)
        {
            names.Add($"for '{_open[i].Name}' of line {_open[i].Line}");
        }
        string advice = _pathWithBrace is Token path
            ? $"; the path in line {path.Line} took a brace along, a blank must stand before it"
            : "";
        Error(_token, $"{what}: '}}' is missing {string.Join(" and ", names)}{advice}");
        Unclosed -= names.Count;
        _keptBlocks = keep;
        _hasUnread = true;
    }

    /// <summary>
    /// Consumes an opening brace, or reports that it is missing. False if no block follows; true
    /// where what follows looks like the content of <paramref name="block"/>.
    /// </summary>
    private bool Open(Block block)
    {
        if (_token.Kind == TokenKind.Open)
        {
            Advance();
            return true;
        }
        Error(_token, $"expected '{{' after '{_directiveText}', found {Found(_token)}");
        if (_token.Kind is TokenKind.Close or TokenKind.End) { return false; }
        switch (BraceOfLine())
        {
            // Words too many before the brace.
            case '{':
                while (_token.Kind != TokenKind.Open && !IsNext()) { Advance(); }
                if (_token.Kind != TokenKind.Open) { return false; }
                Advance();
                return true;
            case '}':
                return true;
            default:
                return _token.Line > _last.Line && _token.Kind == TokenKind.Word
                    && FindDirective(_source.TextOf(_token), block) is not null;
        }
    }

    /// <summary>
    /// The first brace from the current token to the end of its line, or the opening one that
    /// starts the next; 0: none.
    /// </summary>
    private char BraceOfLine()
    {
        ReadOnlySpan<byte> rest = _source.Bytes.AsSpan(_token.Start);
        int at = rest.IndexOfAny("{}\n#"u8);
        if (at < 0) { return '\0'; }
        if (rest[at] is (byte)'{' or (byte)'}') { return (char)rest[at]; }
        rest = rest[at..].TrimStart(" \t\r\n"u8);
        return rest.StartsWith("{"u8) ? '{' : '\0';
    }

    /// <summary>
    /// Reports what should stand at the current token and consumes what does, up to a blank.
    /// </summary>
    private bool Expected(string what)
    {
        Error(_token, $"expected {what} after '{_directiveText}', found {Found(_token)}");

        // A directive or section that stands there is read as one: only the argument is missing.
        if (!IsNext() && !IsMisspelt(0)) { SkipWord(); }
        return false;
    }

    /// <summary>True if reading can go on at the current token.</summary>
    private bool IsNext() => _token.Kind is TokenKind.End or TokenKind.Open or TokenKind.Close
        || (_token.Kind == TokenKind.Word && IsDirectiveHere(_source.TextOf(_token)));

    private bool IsDirectiveHere(string word) =>
        FindDirective(word, Here.Block) is not null || FindDirective(word, Block.File) is not null;

    /// <summary>Skips the current token and what touches it.</summary>
    private void SkipWord()
    {
        do { Advance(); }
        while (_token.Start == _last.End
            && _token.Kind is not (TokenKind.End or TokenKind.Open or TokenKind.Close));
    }

    /// <summary>
    /// Skips what belongs to a failed directive, of which the last token is consumed: to a
    /// directive or the end of the line, or behind a block. Stops at a closing brace.
    /// </summary>
    private void SkipRest()
    {
        int line = _last.Line;
        for (int skipped = 0; _token.Kind is not (TokenKind.Close or TokenKind.End); skipped++)
        {
            bool isOpen = _token.Kind == TokenKind.Open;
            bool isLine = _token.Line == line;
            if (!isOpen && (!isLine || IsNext() || IsMisspelt(skipped))) { return; }
            Advance();
            if (isOpen)
            {
                SkipBraces();
                return;
            }
        }
    }

    /// <summary>Skips the rest of a removed directive, whose words mean something else.</summary>
    private void SkipRemoved()
    {
        int line = _last.Line;
        while (_token.Kind is not (TokenKind.Open or TokenKind.Close or TokenKind.End)
            && _token.Line == line) { Advance(); }
        SkipRest();
    }

    /// <summary>
    /// True if the current token is nearly a directive. Looking is slow: only the first words are
    /// looked at.
    /// </summary>
    private bool IsMisspelt(int skipped) => skipped < MisspeltMax && _token.Kind == TokenKind.Word
        && Spelling.Nearest(_source.TextOf(_token), NamesIn(Here.Block)) is not null;

    /// <summary>Skips to behind the brace that closes the one just consumed.</summary>
    private void SkipBraces()
    {
        _hasUnread = true;
        for (int depth = 1; depth > 0 && _token.Kind != TokenKind.End; Advance())
        {
            if (_token.Kind == TokenKind.Open) { depth++; }
            if (_token.Kind == TokenKind.Close) { depth--; }
        }
    }
}
