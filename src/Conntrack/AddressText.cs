namespace Conntrackd.Conntrack;

/// <summary>Addresses as text, byte for byte what inet_ntop writes.</summary>
internal static class AddressText
{
    private const int Words = 8;            // of 16 bits in an IPv6 address
    private const int WordsBeforeIpv4 = 6;

    /// <summary>
    /// Appends the dotted or the compressed form; nothing if the family is neither IPv4 nor IPv6.
    /// </summary>
    internal static void Append(TextBuffer text, AddressFamily family, Address address)
    {
        switch (family)
        {
            case AddressFamily.Ipv4:
                AppendIpv4(text, (uint)address.Low);
                break;

            case AddressFamily.Ipv6:
                AppendIpv6(text, address);
                break;

            case AddressFamily.Unknown:
            default:
                break;
        }
    }

    private static void AppendIpv4(TextBuffer text, uint address)
    {
        text.AppendDecimal(address >> 24);
        text.Append((byte)'.');
        text.AppendDecimal((address >> 16) & 0xff);
        text.Append((byte)'.');
        text.AppendDecimal((address >> 8) & 0xff);
        text.Append((byte)'.');
        text.AppendDecimal(address & 0xff);
    }

    /// <summary>
    /// Lower-case hexadecimal words without leading zeros; the first of the longest runs of two or
    /// more zero words becomes <c>::</c>; mapped and compatible IPv4 addresses end dotted.
    /// </summary>
    private static void AppendIpv6(TextBuffer text, Address address)
    {
        (int zerosAt, int zeros) = FindLongestZeros(address);
        bool dotted = zerosAt == 0
            && (zeros == WordsBeforeIpv4 || (zeros == 5 && Word(address, 5) == 0xffff));
        int end = dotted ? WordsBeforeIpv4 : Words;
        bool afterZeros = false;
        for (int i = 0; i < end; i++)
        {
            if (i == zerosAt)
            {
                text.Append("::"u8);
                i += zeros - 1;
                afterZeros = true;
                continue;
            }
            if (i > 0 && !afterZeros) { text.Append((byte)':'); }
            text.AppendHex(Word(address, i));
            afterZeros = false;
        }
        if (!dotted) { return; }
        if (!afterZeros) { text.Append((byte)':'); }
        AppendIpv4(text, (uint)address.Low);
    }

    private static (int At, int Count) FindLongestZeros(Address address)
    {
        int bestAt = -1;
        int best = 1;                       // a single zero word is not compressed
        int run = 0;
        for (int i = 0; i < Words; i++)
        {
            run = Word(address, i) == 0 ? run + 1 : 0;
            if (run <= best) { continue; }
            best = run;
            bestAt = i - run + 1;
        }
        return (bestAt, best);
    }

    private static ushort Word(Address address, int index) => index < 4
        ? (ushort)(address.High >> (48 - (16 * index)))
        : (ushort)(address.Low >> (48 - (16 * (index - 4))));
}
