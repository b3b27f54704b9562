namespace Conntrackd.Linux;

/// <summary>Opens sockets to the kernel.</summary>
internal static class NetlinkSocket
{
    internal const int Route = 0;           // NETLINK_ROUTE
    internal const int Netfilter = 12;      // NETLINK_NETFILTER

    private static readonly byte[] s_kernel = KernelAddress();

    /// <summary>
    /// A non-blocking socket bound to a port id that the kernel chose; that is a plain number that
    /// may exceed 2^31 and says nothing about the process.
    /// </summary>
    internal static Errno Open(int protocol, out int fd, out uint portId)
    {
        portId = 0;
        const int Type = Libc.SocketRaw | Libc.SocketNonBlocking;
        Errno error = Libc.Socket(Libc.FamilyNetlink, Type, protocol, out fd);
        if (error != Errno.None) { return error; }
        Span<byte> name = stackalloc byte[SocketAddress.NetlinkSize];
        SocketAddress.WriteNetlink(name, 0, 0);
        error = Libc.Bind(fd, name);
        if (error == Errno.None) { error = Libc.GetName(fd, name, out _); }
        if (error == Errno.None)
        {
            portId = SocketAddress.ReadNetlinkPortId(name);
            return Errno.None;
        }
        Libc.Close(fd);
        fd = -1;
        return error;
    }

    /// <summary>Joins a group by its number, not its bit.</summary>
    internal static Errno Join(int fd, int group) =>
        Libc.SetOption(fd, SocketOption.NetlinkAddMembership, group);

    /// <summary>Leaves a group; what it has sent before is still to be read.</summary>
    internal static Errno Leave(int fd, int group) =>
        Libc.SetOption(fd, SocketOption.NetlinkDropMembership, group);

    /// <summary>Hands requests to the kernel, which executes them before this returns.</summary>
    internal static Errno Send(int fd, ReadOnlySpan<byte> requests) =>
        Libc.SendTo(fd, requests, s_kernel, out _);

    /// <summary>
    /// True if the kernel itself sent the datagram; anybody may send to a netlink socket.
    /// </summary>
    internal static bool IsFromKernel(ReadOnlySpan<byte> source) =>
        source.Length >= SocketAddress.NetlinkSize
        && SocketAddress.ReadNetlinkPortId(source) == 0;

    private static byte[] KernelAddress()
    {
        byte[] address = new byte[SocketAddress.NetlinkSize];
        SocketAddress.WriteNetlink(address, 0, 0);
        return address;
    }
}
