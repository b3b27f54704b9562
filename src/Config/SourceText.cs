using System.Text;

namespace Conntrackd.Config;

/// <summary>The bytes of a configuration file, and how to show a place in them.</summary>
internal sealed class SourceText
{
    // Ours: longest source line shown under a message, and what stands left of the caret then.
    private const int ShownMax = 160;
    private const int ShownLeft = 60;

    // The place asked for last: counting goes on from there.
    private int _knownOffset;
    private int _knownLineStart;
    private int _knownColumn = 1;

    internal SourceText(string fileName, ReadOnlySpan<byte> bytes)
    {
        FileName = fileName;
        Bytes = bytes.ToArray();
    }

    internal string FileName { get; }
    internal byte[] Bytes { get; }

    /// <summary>True for what some editors of Windows call Unicode.</summary>
    internal bool IsUtf16 => Bytes is [0xff, 0xfe, ..] or [0xfe, 0xff, ..];

    /// <summary>The text of a token, byte for byte if it is ASCII.</summary>
    internal string TextOf(in Token token) =>
        Encoding.UTF8.GetString(Bytes, token.Start, token.Length);

    /// <summary>Makes a diagnostic about <paramref name="token"/>.</summary>
    internal Diagnostic Describe(Severity severity, in Token token, string message)
    {
        SourcePosition position = PositionOf(token);

        // No more than is shown is decoded: a file may be one line of many megabytes.
        int offset = token.Start;
        int lineStart = _knownLineStart;
        bool isLong = offset - lineStart > ShownMax - ShownLeft;
        int from = isLong ? offset - ShownLeft : lineStart;
        int end = Array.IndexOf(Bytes, (byte)'\n', offset);
        end = Math.Min(end < 0 ? Bytes.Length : end, from + ShownMax);
        string shown = Printable(Encoding.UTF8.GetString(Bytes, from, end - from));
        int caret = Encoding.UTF8.GetCharCount(Bytes, from, offset - from);
        return new Diagnostic(severity, FileName, position, message, shown, caret);
    }

    /// <summary>Where a token starts. Cheap if asked in the order of the file.</summary>
    internal SourcePosition PositionOf(in Token token)
    {
        if (token.Start < _knownOffset)
        {
            int start = Bytes.AsSpan(0, token.Start).LastIndexOf((byte)'\n') + 1;
            (_knownOffset, _knownLineStart, _knownColumn) = (start, start, 1);
        }
        ReadOnlySpan<byte> passed = Bytes.AsSpan(_knownOffset, token.Start - _knownOffset);
        int lineFeed = passed.LastIndexOf((byte)'\n');
        if (lineFeed >= 0)
        {
            _knownLineStart = _knownOffset + lineFeed + 1;
            _knownColumn = 1;
            passed = passed[(lineFeed + 1)..];
        }
        _knownColumn += Encoding.UTF8.GetCharCount(passed);
        _knownOffset = token.Start;
        return new SourcePosition(token.Line, _knownColumn);
    }

    /// <summary>Keeps control bytes away from the terminal and the log; tabs stay.</summary>
    internal static string Printable(string text)
    {
        var printable = new StringBuilder(text.Length);
        foreach (char c in text.TrimEnd())
        {
            printable.Append(c == '\t' || !char.IsControl(c) ? c : '?');
        }
        return printable.ToString();
    }
}
