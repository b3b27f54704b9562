using System.Net;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Reads addresses as the original does: inet_aton for IPv4, inet_pton for IPv6.</summary>
internal static class AddressText
{
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

    /// <summary>Reads hex groups; the lexer lets no zone and no IPv4 tail through.</summary>
    internal static bool TryReadIpv6(string text, out Address address)
    {
        address = default;
        if (!IPAddress.TryParse(text, out IPAddress? parsed)
            || parsed.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
        {
            return false;
        }
        Span<byte> octets = stackalloc byte[Address.Ipv6Size];
        if (!parsed.TryWriteBytes(octets, out _)) { return false; }
        address = Address.ReadIpv6(octets);
        return true;
    }

    /// <summary>The usual text of an address.</summary>
    internal static string Format(Conntrack.AddressFamily family, Address address)
    {
        Span<byte> octets = stackalloc byte[Address.Ipv6Size];
        if (family == Conntrack.AddressFamily.Ipv4)
        {
            octets = octets[..Address.Ipv4Size];
            address.WriteIpv4(octets);
        }
        else
        {
            address.WriteIpv6(octets);
        }
        return new IPAddress(octets).ToString();
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
