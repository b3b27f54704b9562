using System.Collections.Generic;
using System.Text;

namespace Conntrackd.Config;

/// <summary>Reads a configuration file: all errors in one run, warnings in file order.</summary>
/// <remarks>
/// A block is a loop over directives; what each does is one line of the table in
/// ConfigParser.Language.cs. How reading goes on behind an error, so that each is told and none
/// twice, is in ConfigParser.Recovery.cs.
/// Nothing is thrown for bad input and every step consumes a token, so the time is linear.
/// </remarks>
internal sealed partial class ConfigParser
{
    // Ours: after so many the reader of the messages starts anew anyway. They bound the work too.
    private const int ErrorsMax = 100;
    private const int WarningsMax = 1000;

    /// <summary>A diagnostic with its place in the file, to sort by.</summary>
    private readonly record struct PlacedDiagnostic(int Offset, Diagnostic Diagnostic);

    /// <summary>A block whose closing brace is still to come.</summary>
    private readonly record struct OpenBlock(Block Block, string Name, int Line);

    // Ours: deeper than any file (Type may stand in Type); guards the stack.
    private const int DepthMax = 32;

    private readonly SourceText _source;
    private readonly Lexer _lexer;
    private readonly List<PlacedDiagnostic> _diagnostics = [];
    private readonly Dictionary<string, Token> _origins = [];
    private Token _token;                       // not consumed yet
    private Token _last;                        // consumed last
    private Token _directive;                   // whose arguments are being read
    private string _directiveText = "";         // it and the arguments so far, for messages
    private Token? _pathWithBrace;              // last path that took a brace along
    private readonly List<OpenBlock> _open = [];    // outermost first
    private int _errorCount;
    private int _warningCount;

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

    /// <summary>Where reading is: the innermost open block.</summary>
    private OpenBlock Here => _open.Count > 0 ? _open[^1] : new OpenBlock(Block.File, "", 0);

    private void ParseFile()
    {
        if (_source.IsUtf16)
        {
            Error(_token, "the file is UTF-16 text, expected ASCII (UTF-8 in comments and paths)");
            return;
        }
        while (_token.Kind != TokenKind.End && _errorCount < ErrorsMax) { ReadDirective(); }
    }

    /// <summary>
    /// Reads directives up to the closing brace of <paramref name="block"/>; the opening one is
    /// consumed.
    /// </summary>
    private void ReadBlock(in OpenBlock block)
    {
        Enter(block);
        while (!IsLeaving && !TryClose()) { ReadDirective(); }
        Leave();
    }

    private void Enter(in OpenBlock block) => _open.Add(block);

    private void Leave()
    {
        if (_open.Count == 1) { (_lastSection, _lastSectionEnd) = (_open[0], _last); }
        _open.RemoveAt(_open.Count - 1);
        if (_open.Count <= _keptBlocks) { _keptBlocks = int.MaxValue; }
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
        if (_token.Kind == TokenKind.End) { MissingBrace(keep: 0); }
        if (_errorCount >= ErrorsMax) { _keptBlocks = 0; }
        return IsLeaving;
    }

    /// <summary>Reads one directive of the current block, or reports why there is none.</summary>
    private void ReadDirective()
    {
        if (_token.Kind != TokenKind.Word)
        {
            ReportNoDirective();
            SkipRest();
            return;
        }
        string word = _source.TextOf(_token);
        if (FindDirective(word, Here.Block) is not Directive directive)
        {
            ReadStranger(word);
            return;
        }
        Token at = _token;
        if (!ReadAs(directive)) { return; }

        // Lists have no one origin. Timers and switches of a mode are options of Sync.
        const Block Scalars = Block.General | Block.Unix | Block.Scheduler | Block.Sync
            | Block.Modes | Block.Options | Block.Restore | Block.Stats | Block.Vrrp
            | Block.Sandbox;
        if ((Here.Block & Scalars) == 0) { return; }
        string place = (Here.Block & Block.Modes) != 0 ? "Sync" : Here.Name;
        _origins[$"{place}.{directive.Canonical}"] = at;
    }

    /// <summary>Consumes the current word and what follows it; false if that was wrong.</summary>
    private bool ReadAs(Directive directive)
    {
        int errorsBefore = _errorCount;
        (_directive, _directiveText) = (_token, _source.TextOf(_token));
        Advance();
        bool isRead = directive.Read(this);
        if (!isRead) { SkipRest(); }
        if (_errorCount > errorsBefore) { _failed.Add(directive.Name); }
        return isRead;
    }

    /// <summary>Runs a block directive: brace, content, brace.</summary>
    private bool Braces(Block block, string name)
    {
        int line = _directive.Line;
        if (!Open(block)) { return false; }
        if (_open.Count == DepthMax)
        {
            Error(_directive, $"'{name}' is nested too deep, at most {DepthMax} blocks");
            SkipBraces();
            return true;
        }
        ReadBlock(new OpenBlock(block, name, line));
        return true;
    }

    private void Advance()
    {
        if (_token.Kind == TokenKind.Path
            && _source.Bytes.AsSpan(_token.Start, _token.Length).ContainsAny("{}"u8))
        {
            _pathWithBrace = _token;
        }
        _last = _token;
        _token = _lexer.Next();
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
