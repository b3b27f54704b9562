using System.Buffers;

namespace Conntrackd.Config;

/// <summary>Cuts a configuration file into tokens.</summary>
/// <remarks>
/// The longest match wins, as in the original, so "1024HashLimit" is a number and a word.
/// Differences, all of them for files that the original refuses or misreads: a path ends at tab and
/// CR too, a comment may end with the file, a byte order mark at the start is skipped, and words
/// that look like hex digits stay words (the parser knows by place what it wants).
/// Source: shared spec config, section 1.
/// </remarks>
internal sealed class Lexer
{
    private static readonly SearchValues<byte> s_digits = SearchValues.Create("0123456789"u8);

    private static readonly SearchValues<byte> s_hexDigits =
        SearchValues.Create("0123456789abcdefABCDEF"u8);

    private static readonly SearchValues<byte> s_wordBytes = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    // Names stand where nothing else can, so more is allowed: 6in4-wan, eth0:1, peer@if7, tp++.
    private static readonly SearchValues<byte> s_nameBytes = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:@+"u8);

    private static readonly SearchValues<byte> s_pathEnds = SearchValues.Create(" \t\r\n\v\f\""u8);

    private readonly byte[] _bytes;
    private int _at;
    private int _line = 1;

    internal Lexer(byte[] bytes)
    {
        _bytes = bytes;
        ReadOnlySpan<byte> byteOrderMark = [0xef, 0xbb, 0xbf];
        _at = bytes.AsSpan().StartsWith(byteOrderMark) ? byteOrderMark.Length : 0;
    }

    /// <summary>Reads the next token; at the end always <see cref="TokenKind.End"/>.</summary>
    internal Token Next()
    {
        SkipBlanks();
        if (_at == _bytes.Length) { return new Token(TokenKind.End, _at, 0, _line); }
        ReadOnlySpan<byte> rest = _bytes.AsSpan(_at);
        byte first = rest[0];
        return first switch
        {
            (byte)'{' => Take(TokenKind.Open, 1),
            (byte)'}' => Take(TokenKind.Close, 1),
            (byte)'/' => Take(TokenKind.Path, PathLength(rest)),
            (byte)'+' or (byte)'-' when DigitCount(rest[1..]) > 0 =>
                Take(TokenKind.SignedNumber, 1 + DigitCount(rest[1..])),
            >= 0x80 => Take(TokenKind.Bad, HighLength(rest)),
            _ => NextPlain(rest),
        };
    }

    /// <summary>
    /// Reads <paramref name="token"/> again as a name (interface, helper, protocol), whatever it
    /// looks like. Length 0 if no name can start there; then nothing is consumed.
    /// </summary>
    internal Token ReadName(in Token token)
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan(token.Start);
        int end = rest.IndexOfAnyExcept(s_nameBytes);
        int length = end < 0 ? rest.Length : end;
        if (length > 0) { (_at, _line) = (token.Start + length, token.Line); }
        return new Token(TokenKind.Word, token.Start, length, token.Line);
    }

    /// <summary>Numbers, addresses and words share first bytes: the longest one wins.</summary>
    private Token NextPlain(ReadOnlySpan<byte> rest)
    {
        int word = char.IsAsciiLetter((char)rest[0]) ? LengthOf(rest, s_wordBytes) : 0;
        int number = DigitCount(rest);
        int ipv4 = number > 0 ? Ipv4Length(rest) : 0;
        int ipv6 = Ipv6Length(rest);
        if (ipv4 > 0 && ipv4 >= ipv6) { return Take(TokenKind.Ipv4, ipv4); }
        if (ipv6 > Math.Max(word, number)) { return Take(TokenKind.Ipv6, ipv6); }
        if (word > 0) { return Take(TokenKind.Word, word); }
        return number > 0 ? Take(TokenKind.Number, number) : Take(TokenKind.Bad, 1);
    }

    private Token Take(TokenKind kind, int length)
    {
        var token = new Token(kind, _at, length, _line);
        _at += length;
        return token;
    }

    /// <summary>Skips blanks and comments; these end at a line feed or with the file.</summary>
    private void SkipBlanks()
    {
        for (; _at < _bytes.Length; _at++)
        {
            switch (_bytes[_at])
            {
                case (byte)'\n':
                    _line++;
                    break;
                case (byte)' ' or (byte)'\t' or (byte)'\r':
                    break;
                case (byte)'#':
                    int end = _bytes.AsSpan(_at).IndexOf((byte)'\n');
                    if (end < 0)
                    {
                        _at = _bytes.Length;
                        return;
                    }
                    _at += end - 1;             // the loop steps onto the line feed
                    break;
                default:
                    return;
            }
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> rest, SearchValues<byte> allowed)
    {
        int end = rest.IndexOfAnyExcept(allowed);
        return end < 0 ? rest.Length : end;
    }

    private static int DigitCount(ReadOnlySpan<byte> rest) => LengthOf(rest, s_digits);

    private static int HighLength(ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOfAnyInRange((byte)0, (byte)0x7f);
        return end < 0 ? rest.Length : end;
    }

    private static int PathLength(ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOfAny(s_pathEnds);
        return end < 0 ? rest.Length : end;
    }

    /// <summary>Length of digits.digits.digits.digits[/digits], 0 if there is none.</summary>
    private static int Ipv4Length(ReadOnlySpan<byte> rest)
    {
        int at = DigitCount(rest);
        for (int group = 1; group < 4; group++)
        {
            if (at >= rest.Length || rest[at] != '.') { return 0; }
            int digits = DigitCount(rest[(at + 1)..]);
            if (digits == 0) { return 0; }
            at += 1 + digits;
        }
        return at + PrefixLength(rest[at..]);
    }

    /// <summary>Length of hex groups with colons and at most one pair of them, else 0.</summary>
    private static int Ipv6Length(ReadOnlySpan<byte> rest)
    {
        int at = HexLength(rest);
        bool hasPair = false;
        while (at < rest.Length && rest[at] == ':')
        {
            bool isPair = !hasPair && rest[at..].StartsWith("::"u8);
            int group = HexLength(rest[(at + (isPair ? 2 : 1))..]);
            if ((group == 0 || at == 0) && !isPair) { break; }
            hasPair |= isPair;
            at += (isPair ? 2 : 1) + group;
        }
        return at == 0 ? 0 : at + PrefixLength(rest[at..]);
    }

    private static int HexLength(ReadOnlySpan<byte> rest) =>
        Math.Min(4, LengthOf(rest[..Math.Min(4, rest.Length)], s_hexDigits));

    private static int PrefixLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2 || rest[0] != '/') { return 0; }
        int digits = DigitCount(rest[1..]);
        return digits == 0 ? 0 : 1 + digits;
    }
}
