namespace Conntrackd.Conntrack;

/// <summary>A network: the leading <paramref name="Length"/> bits of an address.</summary>
/// <param name="Family">Decides the width: 32 or 128 bits.</param>
/// <param name="Address">Bits behind the prefix are allowed and ignored.</param>
/// <param name="Length">0-32 or 0-128. 0 is every address, the full width is one host.</param>
internal readonly record struct AddressPrefix(AddressFamily Family, Address Address, int Length)
{
    internal const int Ipv4LengthMax = 32;
    internal const int Ipv6LengthMax = 128;

    /// <summary>The prefix of one address.</summary>
    internal static AddressPrefix Host(AddressFamily family, Address address) =>
        new(family, address, family == AddressFamily.Ipv4 ? Ipv4LengthMax : Ipv6LengthMax);

    /// <summary>The lowest address of the network.</summary>
    internal Address First
    {
        get
        {
            UInt128 bits = new UInt128(Address.High, Address.Low) & ~HostMask;
            return new Address((ulong)(bits >> 64), (ulong)bits);
        }
    }

    /// <summary>The highest address of the network.</summary>
    internal Address Last
    {
        get
        {
            UInt128 bits = new UInt128(Address.High, Address.Low) | HostMask;
            return new Address((ulong)(bits >> 64), (ulong)bits);
        }
    }

    /// <summary>Ones in the bits behind the prefix.</summary>
    private UInt128 HostMask
    {
        get
        {
            int hostBits = (Family == AddressFamily.Ipv4 ? Ipv4LengthMax : Ipv6LengthMax) - Length;
            return hostBits == Ipv6LengthMax ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        }
    }
}
