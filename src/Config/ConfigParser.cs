using System.Collections.Generic;
using System.Text;

namespace Conntrackd.Config;

/// <summary>Reads a configuration file: all errors in one run, warnings in file order.</summary>
/// <remarks>
/// A block is a loop over directives; what each does is one line of the table in
/// ConfigParser.Language.cs. A directive that fails is skipped to the end of its line, together
/// with the block behind it, and reading goes on. A section name inside another section means that
/// a brace is missing: then everything is closed and reading goes on at the top.
/// Nothing is thrown for bad input and every step consumes a token, so the time is linear.
/// </remarks>
internal sealed partial class ConfigParser
{
    // Ours: after so many the reader of the messages starts anew anyway. They bound the work too.
    private const int ErrorsMax = 100;
    private const int WarningsMax = 1000;

    /// <summary>A diagnostic with its place in the file, to sort by.</summary>
    private readonly record struct PlacedDiagnostic(int Offset, Diagnostic Diagnostic);

    // Ours: deeper than any file (Type may stand in Type); guards the stack.
    private const int DepthMax = 32;

    private readonly SourceText _source;
    private readonly Lexer _lexer;
    private readonly List<PlacedDiagnostic> _diagnostics = [];
    private readonly Dictionary<string, Token> _origins = [];
    private Token _token;                       // not consumed yet
    private Token _directive;                   // whose arguments are being read
    private string _directiveText = "";         // it and the arguments so far, for messages
    private Token? _pathWithBrace;              // last path that took a brace along
    private Block _block = Block.File;
    private string _blockName = "";
    private int _blockLine;
    private int _depth;
    private int _errorCount;
    private int _warningCount;
    private bool _isUnwinding;                  // a brace is missing: leave all blocks

    private ConfigParser(SourceText source)
    {
        _source = source;
        _lexer = new Lexer(source.Bytes);
        _token = _lexer.Next();
    }

    /// <summary>
    /// Reads <paramref name="text"/>; <paramref name="fileName"/> is only shown in messages.
    /// </summary>
    internal static ConfigResult Parse(string fileName, ReadOnlySpan<byte> text)
    {
        var parser = new ConfigParser(new SourceText(fileName, text));
        parser.ParseFile();
        Options options = parser.Finish();
        List<Diagnostic> diagnostics = parser._diagnostics.ConvertAll(static d => d.Diagnostic);
        return new ConfigResult(parser._errorCount == 0 ? options : null, diagnostics);
    }

    private void ParseFile()
    {
        while (_token.Kind != TokenKind.End && _errorCount < ErrorsMax)
        {
            ReadDirective();
            if (!_isUnwinding) { continue; }

            // The token is the section name that should not have been inside, or the end.
            _isUnwinding = false;
        }
    }

    /// <summary>
    /// Reads directives up to the closing brace of <paramref name="block"/>; the opening one is
    /// consumed. <paramref name="name"/> is how messages call the block.
    /// </summary>
    private void ReadBlock(Block block, string name)
    {
        (Block, string, int) outer = (_block, _blockName, _blockLine);
        (_block, _blockName, _blockLine) = (block, name, _directive.Line);
        while (!_isUnwinding && !TryClose()) { ReadDirective(); }
        (_block, _blockName, _blockLine) = outer;
    }

    /// <summary>
    /// True behind the closing brace of the block, or if the block must be given up because the
    /// file ended.
    /// </summary>
    private bool TryClose()
    {
        if (_token.Kind == TokenKind.Close)
        {
            Advance();
            return true;
        }
        if (_token.Kind == TokenKind.End) { MissingBrace(); }
        if (_errorCount >= ErrorsMax) { _isUnwinding = true; }
        return _isUnwinding;
    }

    /// <summary>Reads one directive of the current block, or reports why there is none.</summary>
    private void ReadDirective()
    {
        if (_token.Kind != TokenKind.Word)
        {
            Token unexpected = _token;
            ReportNoDirective();
            SkipRest(unexpected.Line);
            return;
        }
        string word = _source.TextOf(_token);
        Directive? directive = FindDirective(word, _block);
        bool isSection = FindDirective(word, Block.File) is not null;
        if (directive is null && isSection)
        {
            MissingBrace();
            return;
        }
        Token at = _token;
        if (directive is null)
        {
            Error(at, Unknown(word));
            Advance();
            SkipRest(at.Line);
            return;
        }
        Advance();
        (_directive, _directiveText) = (at, word);
        if (!directive.Read(this))
        {
            SkipRest(at.Line);
            return;
        }

        // Lists have no one origin. Timers and switches of a mode are options of Sync.
        const Block Scalars = Block.General | Block.Unix | Block.Scheduler | Block.Sync
            | Block.Modes | Block.Options | Block.Restore | Block.Stats | Block.Vrrp
            | Block.Sandbox;
        if ((_block & Scalars) == 0) { return; }
        string place = (_block & Block.Modes) != 0 ? "Sync" : _blockName;
        _origins[$"{place}.{directive.Canonical}"] = at;
    }

    /// <summary>Runs a block directive: brace, content, brace.</summary>
    private bool Braces(Block block, string name)
    {
        if (!Open()) { return false; }
        if (_depth == DepthMax)
        {
            Error(_directive, $"'{name}' is nested too deep, at most {DepthMax} blocks");
            SkipBraces();
            return true;
        }
        _depth++;
        ReadBlock(block, name);
        _depth--;
        return true;
    }

    /// <summary>Consumes an opening brace or reports that it is missing.</summary>
    private bool Open()
    {
        if (_token.Kind != TokenKind.Open) { return Expected("'{'"); }
        Advance();
        return true;
    }

    private void Advance()
    {
        if (_token.Kind == TokenKind.Path
            && _source.Bytes.AsSpan(_token.Start, _token.Length).ContainsAny("{}"u8))
        {
            _pathWithBrace = _token;
        }
        _token = _lexer.Next();
    }

    /// <summary>
    /// Skips what belongs to a failed directive: the rest of its line, a block behind it. Stops at
    /// a closing brace.
    /// </summary>
    private void SkipRest(int line)
    {
        while (_token.Kind is not (TokenKind.Close or TokenKind.End))
        {
            bool isOpen = _token.Kind == TokenKind.Open;
            if (!isOpen && _token.Line != line) { return; }
            Advance();
            if (isOpen)
            {
                SkipBraces();
                return;
            }
        }
    }

    /// <summary>Skips to behind the brace that closes the one just consumed.</summary>
    private void SkipBraces()
    {
        for (int depth = 1; depth > 0 && _token.Kind != TokenKind.End; Advance())
        {
            if (_token.Kind == TokenKind.Open) { depth++; }
            if (_token.Kind == TokenKind.Close) { depth--; }
        }
    }

    private void Error(in Token at, string message)
    {
        _errorCount++;
        if (_errorCount == ErrorsMax) { message = "too many errors, the rest is not read"; }
        if (_errorCount <= ErrorsMax) { Add(Severity.Error, at, message); }
    }

    private void Warning(in Token at, string message)
    {
        _warningCount++;
        if (_warningCount == WarningsMax) { message = "too many warnings, the rest is not shown"; }
        if (_warningCount <= WarningsMax) { Add(Severity.Warning, at, message); }
    }

    // In the order of the file; what is said of one place stays in the order of its finding.
    private void Add(Severity severity, in Token at, string message)
    {
        int place = _diagnostics.Count;
        while (place > 0 && _diagnostics[place - 1].Offset > at.Start) { place--; }
        _diagnostics.Insert(
            place, new PlacedDiagnostic(at.Start, _source.Describe(severity, at, message)));
    }

    /// <summary>Reports what should stand at the current token and consumes what does.</summary>
    private bool Expected(string what)
    {
        Error(_token, $"expected {what} after '{_directiveText}', found {Found(_token)}");

        // A directive or section that stands there is read as one: only the argument is missing.
        bool isNext = _token.Kind is TokenKind.End or TokenKind.Open or TokenKind.Close
            || (_token.Kind == TokenKind.Word && IsDirectiveHere(_source.TextOf(_token)));
        int line = _token.Line;
        if (!isNext)
        {
            Advance();
            SkipRest(line);
        }
        return false;
    }

    private bool IsDirectiveHere(string word) =>
        FindDirective(word, _block) is not null || FindDirective(word, Block.File) is not null;

    /// <summary>A token as messages show it: quoted, printable and not too long.</summary>
    private string Found(in Token token)
    {
        const int ShownMax = 40;
        if (token.Kind == TokenKind.End) { return "the end of the file"; }
        byte first = _source.Bytes[token.Start];
        if (token.Kind == TokenKind.Bad && (first is < 0x20 or >= 0x7f))
        {
            return $"byte 0x{first:x2} (only ASCII is allowed outside comments and paths)";
        }
        int length = Math.Min(token.Length, ShownMax);
        string text = SourceText.Printable(
            Encoding.UTF8.GetString(_source.Bytes, token.Start, length));
        string quoted = $"'{text}{(length < token.Length ? "..." : "")}'";
        return first == '"' ? $"{quoted} (values are written without quotes)" : quoted;
    }
}
