namespace Conntrackd.Daemon;

/// <summary>Walks the tokens of a JSON text; enough to pick a few values out of it.</summary>
/// <remarks>
/// Commas and colons are passed over, nesting is counted and not checked further. A reader of the
/// whole language (System.Text.Json) would make the program 55 kB larger, for one small file.
/// </remarks>
internal ref struct JsonTokens
{
    private readonly ReadOnlySpan<byte> _text;
    private int _at;

    internal JsonTokens(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>How many objects and arrays the token is inside of, brackets with it.</summary>
    internal int Depth { get; private set; }

    /// <summary>The string without its quotes and with its escapes, the number, the word, or one
    /// of the four brackets.</summary>
    internal ReadOnlySpan<byte> Text { get; private set; }

    internal bool IsString { get; private set; }

    /// <summary>A string with a colon behind it.</summary>
    internal bool IsKey { get; private set; }

    /// <summary>True if the walk ended within a string or below an open bracket.</summary>
    internal bool IsCut { get; private set; }

    /// <summary>False at the end.</summary>
    internal bool TryNext()
    {
        if (IsBracket("]}"u8)) { Depth--; }
        IsString = IsKey = false;
        Skip(" \t\r\n,:"u8);
        if (_at >= _text.Length)
        {
            IsCut |= Depth != 0;
            Text = default;
            return false;
        }
        int start = _at;
        switch (_text[_at])
        {
            case (byte)'"':
                return TryString();
            case (byte)'{' or (byte)'[' or (byte)']' or (byte)'}':
                _at++;
                break;
            default:
                do { _at++; }
                while (_at < _text.Length && !" \t\r\n,:{}[]\""u8.Contains(_text[_at]));
                break;
        }
        Text = _text[start.._at];
        if (IsBracket("[{"u8)) { Depth++; }
        return true;
    }

    private readonly bool IsBracket(ReadOnlySpan<byte> of) =>
        !IsString && Text.Length == 1 && of.Contains(Text[0]);

    private void Skip(ReadOnlySpan<byte> what)
    {
        int found = _text[_at..].IndexOfAnyExcept(what);
        _at = found < 0 ? _text.Length : _at + found;
    }

    private bool TryString()
    {
        int start = ++_at;
        while (_at < _text.Length && _text[_at] != '"') { _at += _text[_at] == '\\' ? 2 : 1; }
        if (_at >= _text.Length)
        {
            // One behind the end if the last byte is a backslash.
            _at = _text.Length;
            IsCut = true;
            Text = default;
            return false;
        }
        Text = _text[start.._at++];
        IsString = true;
        int next = _text[_at..].IndexOfAnyExcept(" \t\r\n"u8);
        IsKey = next >= 0 && _text[_at + next] == ':';
        return true;
    }
}
