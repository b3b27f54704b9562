using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>Addresses of links as the kernel takes and gives them.</summary>
internal static class LinkAddress
{
    /// <summary>
    /// Writes a socket address, returns its bytes. The interface is the scope of an IPv6 one: the
    /// kernel heeds it for link-local addresses only.
    /// </summary>
    internal static int Write(
        Span<byte> target, AddressFamily family, Address address, ushort port,
        int interfaceIndex) => family == AddressFamily.Ipv6
            ? SocketAddress.WriteIpv6(
                target, address.High, address.Low, port, (uint)interfaceIndex)
            : SocketAddress.WriteIpv4(target, (uint)address.Low, port);

    /// <summary>False if it is no IPv4 or IPv6 address.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, out PeerAddress peer)
    {
        switch (SocketAddress.ReadFamily(source))
        {
            case Libc.FamilyIpv4 when source.Length >= SocketAddress.Ipv4Size:
                peer = new PeerAddress(
                    AddressFamily.Ipv4, Address.ReadIpv4(SocketAddress.Ipv4Octets(source)),
                    SocketAddress.ReadPort(source));
                return true;
            case Libc.FamilyIpv6 when source.Length >= SocketAddress.Ipv6Size:
                peer = new PeerAddress(
                    AddressFamily.Ipv6, Address.ReadIpv6(SocketAddress.Ipv6Octets(source)),
                    SocketAddress.ReadPort(source));
                return true;
            default:
                peer = default;
                return false;
        }
    }
}
