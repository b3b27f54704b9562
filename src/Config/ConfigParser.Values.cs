using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Arguments: each reader consumes one or reports what should be there.</summary>
internal sealed partial class ConfigParser
{
    private const uint NumberMax = int.MaxValue;
    private const int PathLengthMax = 256;

    /// <summary>Reads decimal digits; the value must be in the range.</summary>
    private bool Number(out uint value, string what, uint min, uint max) =>
        Digits(out value, $"{what} {min}-{max}", min, max);

    private bool Digits(out uint value, string wanted, uint min, uint max)
    {
        value = min;
        if (_token.Kind != TokenKind.Number) { return Expected(wanted); }
        Token number = _token;
        Advance();
        if (IsGlued(number))
        {
            Token glued = number with { Length = _token.End - number.Start };
            Error(number, $"expected {wanted} after '{_directiveText}', found {Found(glued)}");
            SkipWord();
            return false;
        }
        if (!TryReadDigits(number, out value) || value < min || value > max)
        {
            Error(number, $"expected {wanted} after '{_directiveText}', found {Found(number)}");
            value = min;
        }
        return true;
    }

    private bool Number(out uint value, string what) => Number(out value, what, 0, NumberMax);

    /// <summary>Seconds; 0 stands for the default everywhere.</summary>
    private bool Seconds(out uint value) => Number(out value, "seconds", 0, NumberMax);

    /// <summary>Bytes of a buffer; the kernel counts them in 31 bits.</summary>
    private bool BufferBytes(out int value)
    {
        Token at = _token;
        bool isRead = Number(out uint bytes, "bytes", 0, uint.MaxValue);
        value = (int)Math.Min(bytes, NumberMax);
        if (isRead && bytes > NumberMax)
        {
            Warning(at, $"{bytes} bytes are more than a buffer can have, using {NumberMax}");
        }
        return isRead;
    }

    /// <summary>
    /// A number that the original cuts to 16 bits without a word: cut with a warning, because such
    /// a pair works (both sides cut alike).
    /// </summary>
    private bool Short(out ushort value, string what, uint min)
    {
        Token at = _token;
        bool isRead = Digits(out uint number, $"{what} {min}-65535", 0, uint.MaxValue);
        value = (ushort)number;
        if (isRead && number > ushort.MaxValue)
        {
            Warning(at, $"{number} does not fit '{_directiveText}' (at most 65535), using {value}");
        }
        return isRead;
    }

    /// <summary>Reads on, yes, off or no in any letter case.</summary>
    private bool Bool(out bool value)
    {
        if (TryBool(out value)) { return true; }
        return Expected("on or off");
    }

    /// <summary>Consumes a boolean if there is one.</summary>
    private bool TryBool(out bool value)
    {
        value = false;
        if (_token.Kind != TokenKind.Word) { return false; }
        switch (_source.TextOf(_token).ToUpperInvariant())
        {
            case "ON" or "YES":
                value = true;
                break;
            case "OFF" or "NO":
                break;
            default:
                return false;
        }
        Advance();
        return true;
    }

    /// <summary>Reads a path of at most <paramref name="lengthMax"/> bytes.</summary>
    private bool Path(out string value, string wanted, int lengthMax = PathLengthMax)
    {
        value = "";
        if (_token.Kind != TokenKind.Path) { return Expected(wanted); }
        Token path = _token;
        Advance();
        ReadOnlySpan<byte> bytes = _source.Bytes.AsSpan(path.Start, path.Length);
        if (path.Length > lengthMax)
        {
            Error(path,
                $"the path after '{_directiveText}' has {path.Length} bytes, "
                    + $"at most {lengthMax} fit");
            return true;
        }
        string? wrong = bytes.Contains((byte)0) ? "has a NUL byte"
            : System.Text.Unicode.Utf8.IsValid(bytes) ? null : "is not UTF-8 text";
        if (wrong is not null)
        {
            Error(path, $"the path after '{_directiveText}' {wrong}");
            return true;
        }
        value = Encoding.UTF8.GetString(bytes);
        return true;
    }

    /// <summary>
    /// Reads a name, whatever it looks like: keywords and hex digits are names here. But a
    /// directive on a later line is the next directive; then the name is missing. What touches it
    /// is wrong, unless the caller reads that too.
    /// </summary>
    private bool Name(out string value, out Token at, string what, bool mayTouch = false)
    {
        value = "";
        at = _token;
        if (_token.Kind is TokenKind.End or TokenKind.Open or TokenKind.Close)
        {
            return Expected(what);
        }
        if (_token.Kind == TokenKind.Word
            && _token.Line != _directive.Line
            && IsDirectiveHere(_source.TextOf(_token)))
        {
            return Expected(what);
        }
        Token name = _lexer.ReadName(_token);
        if (name.Length == 0) { return Expected(what); }
        at = _token = name;
        Advance();
        if (!mayTouch && IsGlued(name))
        {
            Token glued = name with { Length = _token.End - name.Start };
            Error(name, $"expected {what} after '{_directiveText}', found {Found(glued)}");
            SkipWord();
            return false;
        }
        value = _source.TextOf(name);
        _directiveText = $"{_directiveText} {Shorten(value)}";
        return true;
    }

    /// <summary>Consumes <paramref name="word"/> if it stands there.</summary>
    private bool TryWord(string word)
    {
        if (_token.Kind != TokenKind.Word || _source.TextOf(_token) != word) { return false; }
        _directiveText = $"{_directiveText} {word}";
        Advance();
        return true;
    }

    /// <summary>
    /// Reads an address token. <paramref name="prefix"/> is null if it was not valid, which is a
    /// warning as in the original; false only if there is nothing like an address.
    /// </summary>
    private bool Prefix(AddressFamily family, bool isHost, out AddressPrefix? prefix)
    {
        prefix = null;
        string name = family == AddressFamily.Ipv4 ? "IPv4" : "IPv6";
        Token at = _token;
        bool isHexWord = at.Kind == TokenKind.Word && IsHexWord(at);
        if (at.Kind is not (TokenKind.Ipv4 or TokenKind.Ipv6) && !isHexWord)
        {
            return Expected($"an {name} address");
        }
        Advance();
        if (ReportTail(at, name)) { return false; }
        string text = _source.TextOf(at);
        int slash = text.IndexOf('/');
        if (isHost && slash >= 0)
        {
            Warning(at, $"{Found(at)} is not a valid {name} address (no prefix here), ignoring");
            return true;
        }
        prefix = ToPrefix(family, at, slash < 0 ? text : text[..slash]);
        if (prefix is null)
        {
            Warning(at, $"{Found(at)} is not a valid {name} address, ignoring");
            return true;
        }
        if (slash < 0) { return true; }
        prefix = ReadLength(prefix.Value, text[(slash + 1)..]);
        if (prefix is null) { Warning(at, $"{Found(at)} is not a valid network, ignoring"); }
        return true;
    }

    private AddressPrefix? ToPrefix(AddressFamily family, in Token at, string text)
    {
        if (family == AddressFamily.Ipv6)
        {
            return AddressText.TryReadIpv6(text, out Address ipv6)
                ? AddressPrefix.Host(family, ipv6)
                : null;
        }
        if (!AddressText.TryReadIpv4(text, out Address ipv4, out bool hasOctal)) { return null; }
        if (hasOctal)
        {
            string meaning = AddressText.Format(family, ipv4);
            Warning(at, $"a leading zero makes an octet octal: '{text}' is {meaning}");
        }
        return AddressPrefix.Host(family, ipv4);
    }

    /// <summary>Takes the length behind the slash; null if it does not fit the family.</summary>
    private static AddressPrefix? ReadLength(AddressPrefix host, string digits)
    {
        int length = 0;
        foreach (char digit in digits)
        {
            length = length * 10 + digit - '0';
            if (length > host.Length) { return null; }
        }
        return host with { Length = length };
    }

    /// <summary>Reports a zone or an IPv4 tail glued to an address, which no one can use.</summary>
    private bool ReportTail(in Token at, string name)
    {
        if (_token.Kind != TokenKind.Bad || _token.Start != at.End) { return false; }
        string advice = _source.Bytes[_token.Start] switch
        {
            (byte)'%' => "a zone is not part of it, 'Interface' names the interface",
            (byte)'.' => "an IPv4 address is written with IPv4_address, not mapped",
            _ => "a blank must follow",
        };
        Error(_token, $"unexpected {Found(_token)} in an {name} address: {advice}");
        SkipWord();
        return true;
    }

    // Up to four hex digits are an IPv6 address to the original's scanner, a wrong one.
    private bool IsHexWord(in Token token)
    {
        if (token.Length > 4) { return false; }
        foreach (byte b in _source.Bytes.AsSpan(token.Start, token.Length))
        {
            if (!char.IsAsciiHexDigit((char)b)) { return false; }
        }
        return true;
    }

    /// <summary>True if the current token touches the one before and is no directive.</summary>
    private bool IsGlued(in Token before)
    {
        if (_token.Start != before.End) { return false; }
        return _token.Kind switch
        {
            TokenKind.End or TokenKind.Open or TokenKind.Close => false,
            TokenKind.Word => !IsDirectiveHere(_source.TextOf(_token)),
            _ => true,
        };
    }

    private bool TryReadDigits(in Token token, out uint value)
    {
        ulong number = 0;
        value = 0;
        foreach (byte digit in _source.Bytes.AsSpan(token.Start, token.Length))
        {
            number = number * 10 + digit - '0';
            if (number > uint.MaxValue) { return false; }
        }
        value = (uint)number;
        return true;
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
