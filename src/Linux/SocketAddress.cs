using System.Buffers.Binary;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>
/// Socket addresses as the kernel takes them; each writer returns the length in bytes.
/// </summary>
/// <remarks><code>
/// sockaddr_nl   16:  u16 family | u16 0 | u32 port id | u32 groups          (12 bytes, host order)
/// sockaddr_in    2:  u16 family | be16 port | be32 address | 8 zero         (16 bytes)
/// sockaddr_in6  10:  u16 family | be16 port | u32 flow | 16 address | u32 scope   (28 bytes)
/// sockaddr_un    1:  u16 family | path                                (up to 110 bytes)
/// </code></remarks>
internal static class SocketAddress
{
    internal const int NetlinkSize = 12;
    internal const int Ipv4Size = 16;
    internal const int Ipv6Size = 28;
    internal const int UnixSizeMax = 110;

    /// <summary>Longest path of a UNIX socket, in bytes without the closing zero.</summary>
    internal const int UnixPathMax = 107;

    /// <summary>Enough for each of them.</summary>
    internal const int SizeMax = 112;

    private const int PortAt = 2;
    private const int Ipv4AddressAt = 4;
    private const int Ipv6AddressAt = 8;
    private const int ScopeAt = 24;
    private const int NetlinkPortIdAt = 4;
    private const int NetlinkGroupsAt = 8;
    private const int PathAt = 2;

    internal static int ReadFamily(ReadOnlySpan<byte> source) =>
        source.Length < sizeof(ushort) ? 0 : BitConverter.ToUInt16(source);

    /// <summary>Port id 0 is the kernel as a target, and "choose one" when binding.</summary>
    internal static int WriteNetlink(Span<byte> target, uint portId, uint groups)
    {
        target[..NetlinkSize].Clear();
        BitConverter.TryWriteBytes(target, (ushort)Libc.FamilyNetlink);
        BitConverter.TryWriteBytes(target[NetlinkPortIdAt..], portId);
        BitConverter.TryWriteBytes(target[NetlinkGroupsAt..], groups);
        return NetlinkSize;
    }

    /// <summary>The port id in a netlink address.</summary>
    internal static uint ReadNetlinkPortId(ReadOnlySpan<byte> source) =>
        BitConverter.ToUInt32(source[NetlinkPortIdAt..]);

    internal static int WriteIpv4(Span<byte> target, uint address, ushort port)
    {
        target[..Ipv4Size].Clear();
        BitConverter.TryWriteBytes(target, (ushort)Libc.FamilyIpv4);
        BinaryPrimitives.WriteUInt16BigEndian(target[PortAt..], port);
        BinaryPrimitives.WriteUInt32BigEndian(target[Ipv4AddressAt..], address);
        return Ipv4Size;
    }

    /// <summary>
    /// <paramref name="scope"/> is an interface index; the kernel heeds it for link-local only.
    /// </summary>
    internal static int WriteIpv6(
        Span<byte> target, ulong high, ulong low, ushort port, uint scope)
    {
        target[..Ipv6Size].Clear();
        BitConverter.TryWriteBytes(target, (ushort)Libc.FamilyIpv6);
        BinaryPrimitives.WriteUInt16BigEndian(target[PortAt..], port);
        BinaryPrimitives.WriteUInt64BigEndian(target[Ipv6AddressAt..], high);
        BinaryPrimitives.WriteUInt64BigEndian(target[(Ipv6AddressAt + 8)..], low);
        BitConverter.TryWriteBytes(target[ScopeAt..], scope);
        return Ipv6Size;
    }

    /// <summary>Port of an IPv4 or IPv6 address.</summary>
    internal static ushort ReadPort(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt16BigEndian(source[PortAt..]);

    /// <summary>The 4 octets of an IPv4 address.</summary>
    internal static ReadOnlySpan<byte> Ipv4Octets(ReadOnlySpan<byte> source) =>
        source.Slice(Ipv4AddressAt, 4);

    /// <summary>The 16 octets of an IPv6 address.</summary>
    internal static ReadOnlySpan<byte> Ipv6Octets(ReadOnlySpan<byte> source) =>
        source.Slice(Ipv6AddressAt, 16);

    /// <summary>
    /// A path, or with a leading @ a name in the abstract space. False if it is too long or empty.
    /// </summary>
    internal static bool TryWriteUnix(Span<byte> target, string path, out int bytes)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        bytes = 0;
        if (length == 0 || length > UnixPathMax || target.Length < UnixSizeMax) { return false; }
        target[..UnixSizeMax].Clear();
        BitConverter.TryWriteBytes(target, (ushort)Libc.FamilyUnix);
        Encoding.UTF8.GetBytes(path, target[PathAt..]);
        bool isAbstract = target[PathAt] == (byte)'@';
        if (isAbstract) { target[PathAt] = 0; }
        bytes = PathAt + length + (isAbstract ? 0 : 1);
        return true;
    }
}
