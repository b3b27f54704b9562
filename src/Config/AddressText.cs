using System.Globalization;
using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Reads addresses as the original does: inet_aton for IPv4, inet_pton for IPv6.</summary>
internal static class AddressText
{
    private const int Words = 8;            // of an IPv6 address
    private const int WordBits = 16;
    private const int WordDigits = 4;

    /// <summary>
    /// Reads four decimal or, with a leading zero, octal numbers of 0-255 between dots.
    /// <paramref name="hasOctal"/> tells of an octet that is not what it looks like.
    /// </summary>
    internal static bool TryReadIpv4(string text, out Address address, out bool hasOctal)
    {
        address = default;
        hasOctal = false;
        uint bits = 0;
        string[] octets = text.Split('.');
        if (octets.Length != 4) { return false; }
        foreach (string octet in octets)
        {
            bool isOctal = octet.Length > 1 && octet[0] == '0';
            if (!TryReadOctet(octet, isOctal ? 8u : 10u, out uint value)) { return false; }
            bits = bits << 8 | value;
            hasOctal |= isOctal && value >= 8;
        }
        address = new Address(0, bits);
        return true;
    }

    /// <summary>
    /// Reads eight words of one to four hex digits between colons, of which one run of zeros may
    /// be left out (<c>::</c>); the lexer lets no zone and no IPv4 tail through.
    /// </summary>
    internal static bool TryReadIpv6(ReadOnlySpan<char> text, out Address address)
    {
        address = default;
        int gap = text.IndexOf("::", StringComparison.Ordinal);
        UInt128 bits;
        int count;
        if (gap < 0)
        {
            if (!TryReadWords(text, out bits, out count) || count != Words) { return false; }
        }
        else
        {
            if (!TryReadWords(text[..gap], out UInt128 head, out int before)
                || !TryReadWords(text[(gap + 2)..], out bits, out count)
                || before + count >= Words)
            {
                return false;
            }
            if (before > 0) { bits |= head << (WordBits * (Words - before)); }
        }
        address = new Address((ulong)(bits >> 64), (ulong)bits);
        return true;
    }

    /// <summary>The usual text of an address.</summary>
    internal static string Format(AddressFamily family, Address address)
    {
        var text = new TextBuffer();
        Conntrack.AddressText.Append(text, family, address);
        return Encoding.ASCII.GetString(text.Written);
    }

    // Words between single colons, the last one lowest; none in an empty text.
    private static bool TryReadWords(ReadOnlySpan<char> text, out UInt128 bits, out int count)
    {
        bits = 0;
        count = 0;
        if (text.IsEmpty) { return true; }
        foreach (Range range in text.Split(':'))
        {
            ReadOnlySpan<char> word = text[range];
            if (word.Length > WordDigits || !ushort.TryParse(
                word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out ushort value))
            {
                return false;
            }
            if (++count > Words) { return false; }
            bits = bits << WordBits | value;
        }
        return true;
    }

    private static bool TryReadOctet(string octet, uint radix, out uint value)
    {
        value = 0;
        foreach (char c in octet)
        {
            uint digit = (uint)(c - '0');
            if (digit >= radix) { return false; }
            value = value * radix + digit;
            if (value > byte.MaxValue) { return false; }
        }
        return octet.Length > 0;
    }
}
