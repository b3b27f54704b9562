using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>Opens the sockets of a <see cref="DatagramChannel"/>, start-up only.</summary>
internal static class ChannelOpener
{
    /// <summary>
    /// Opens both sockets. <paramref name="failedAt"/> says what was refused, in words for a log.
    /// </summary>
    internal static Errno TryOpen(
        ChannelOptions options, ChannelCounters counters, out DatagramChannel? channel,
        out string failedAt)
    {
        channel = null;
        failedAt = $"interface '{options.Interface}'";
        Errno error = NetworkInterface.TryFind(options.Interface, out NetworkInterface link);
        if (error != Errno.None) { return error; }
        error = OpenReceiver(options, link, counters, out int receiver, out failedAt);
        if (error != Errno.None) { return error; }
        error = OpenSender(options, link, counters, out int sender, out failedAt);
        if (error != Errno.None)
        {
            Libc.Close(receiver);
            return error;
        }
        Span<byte> target = stackalloc byte[SocketAddress.SizeMax];
        int bytes = LinkAddress.Write(
            target, options.Family, options.Target, options.Port, link.Index);
        channel = new DatagramChannel(options, link, receiver, sender, target[..bytes], counters);
        return Errno.None;
    }

    private static Errno OpenReceiver(
        ChannelOptions options, NetworkInterface link, ChannelCounters counters, out int fd,
        out string failedAt)
    {
        bool multicast = options.Kind == ChannelKind.Multicast;
        Address listenOn = multicast ? options.Target : options.Local;
        Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
        int bytes = LinkAddress.Write(
            name, options.Family, listenOn, options.Port, link.Index);
        failedAt = "receiving socket";
        Errno error = OpenSocket(options.Family, out fd);
        if (error != Errno.None) { return error; }
        failedAt = "receiving socket, SO_REUSEADDR";
        error = Libc.SetOption(fd, SocketOption.ReuseAddress, 1);
        if (error == Errno.None && options.Family == AddressFamily.Ipv6)
        {
            failedAt = "receiving socket, IPV6_V6ONLY";
            error = Libc.SetOption(fd, SocketOption.Ipv6Only, 1);
        }
        if (error == Errno.None)
        {
            failedAt = "receiving socket, RcvSocketBuffer";
            error = SetReceiveBuffer(fd, options, counters);
        }
        if (error == Errno.None)
        {
            failedAt = $"receiving socket, bind to port {options.Port}";
            error = Libc.Bind(fd, name[..bytes]);
        }
        if (error == Errno.None && multicast)
        {
            failedAt = $"receiving socket, join on '{options.Interface}'";
            error = Join(fd, options, link);
        }
        return CloseIf(error, fd);
    }

    private static Errno OpenSender(
        ChannelOptions options, NetworkInterface link, ChannelCounters counters, out int fd,
        out string failedAt)
    {
        failedAt = "sending socket";
        Errno error = OpenSocket(options.Family, out fd);
        if (error != Errno.None) { return error; }
        if (!options.Checksum)
        {
            failedAt = "sending socket, Checksum";
            error = Libc.SetOption(fd, SocketOption.NoChecksum, 1);
        }
        if (error == Errno.None)
        {
            failedAt = "sending socket, SndSocketBuffer";
            error = SetSendBuffer(fd, options, counters);
        }
        if (error == Errno.None && options.Kind == ChannelKind.Multicast)
        {
            failedAt = $"sending socket, multicast through '{options.Interface}'";
            error = SendThrough(fd, options, link);
        }
        if (error == Errno.None)
        {
            failedAt = "sending socket, bind to the local address";
            error = BindSender(fd, options, link);
        }
        return CloseIf(error, fd);
    }

    // The peer knows us by the address we are configured with; routing may prefer another. It also
    // takes a new port for a new start, so a channel that is opened again asks for its old one.
    private static Errno BindSender(int fd, ChannelOptions options, NetworkInterface link)
    {
        Address local = options.Kind == ChannelKind.Unicast ? options.Local : default;
        Span<byte> name = stackalloc byte[SocketAddress.SizeMax];
        int bytes = LinkAddress.Write(
            name, options.Family, local, options.SourcePort, link.Index);
        Errno error = Libc.Bind(fd, name[..bytes]);
        if (error != Errno.Eaddrinuse || options.SourcePort == 0) { return error; }
        bytes = LinkAddress.Write(name, options.Family, local, 0, link.Index);
        return Libc.Bind(fd, name[..bytes]);
    }

    private static Errno OpenSocket(AddressFamily family, out int fd) =>
        Libc.Socket((int)family, Libc.SocketDatagram | Libc.SocketNonBlocking, 0, out fd);

    private static Errno CloseIf(Errno error, int fd)
    {
        if (error != Errno.None) { Libc.Close(fd); }
        return error;
    }

    /// <summary>Sets the buffer of what comes in.</summary>
    internal static Errno SetReceiveBuffer(
        int fd, ChannelOptions options, ChannelCounters counters) => SetBuffer(
            fd, SocketOption.ReceiveBufferForce, SocketOption.ReceiveBuffer,
            options.ReceiveBufferBytes, out counters.ReceiveBufferBytes);

    /// <summary>Sets the buffer of what goes out.</summary>
    internal static Errno SetSendBuffer(
        int fd, ChannelOptions options, ChannelCounters counters) => SetBuffer(
            fd, SocketOption.SendBufferForce, SocketOption.SendBuffer,
            options.SendBufferBytes, out counters.SendBufferBytes);

    /// <summary>
    /// Sets a buffer beyond the system's limit if allowed; 0 keeps it. The kernel doubles what it
    /// is given; <paramref name="given"/> is without that.
    /// </summary>
    private static Errno SetBuffer(
        int fd, SocketOption force, SocketOption plain, int bytes, out int given)
    {
        given = 0;
        if (bytes == 0) { return Errno.None; }
        Errno error = Libc.SetBuffer(fd, force, plain, bytes, out _);
        if (error == Errno.Enoprotoopt) { return Errno.None; }      // as the original does
        if (error == Errno.None && Libc.GetOption(fd, plain, out int doubled) == Errno.None)
        {
            given = doubled / 2;
        }
        return error;
    }

    /// <summary>
    /// Joins the group on this link only: other groups and links that some program of this machine
    /// joined stay out, so that redundant links with one group do not mix.
    /// </summary>
    private static Errno Join(int fd, ChannelOptions options, NetworkInterface link)
    {
        Span<byte> request = stackalloc byte[Address.Ipv6Size + sizeof(int)];
        if (options.Family == AddressFamily.Ipv6)
        {
            // struct ipv6_mreq: group, interface index.
            options.Target.WriteIpv6(request);
            BitConverter.TryWriteBytes(request[Address.Ipv6Size..], link.Index);
            _ = Libc.SetOption(fd, SocketOption.Ipv6MulticastAll, 0); // unknown before Linux 4.20
            return Libc.SetOption(fd, SocketOption.Ipv6JoinGroup, request);
        }
        int bytes = WriteMembership(request, options, link);
        _ = Libc.SetOption(fd, SocketOption.Ipv4MulticastAll, 0);
        return Libc.SetOption(fd, SocketOption.Ipv4AddMembership, request[..bytes]);
    }

    private static Errno SendThrough(int fd, ChannelOptions options, NetworkInterface link)
    {
        if (options.Family == AddressFamily.Ipv6)
        {
            Errno failed = Libc.SetOption(fd, SocketOption.Ipv6MulticastInterface, link.Index);
            return failed == Errno.None
                ? Libc.SetOption(fd, SocketOption.Ipv6MulticastLoop, 0)
                : failed;
        }
        Span<byte> request = stackalloc byte[Address.Ipv6Size];
        int bytes = WriteMembership(request, options, link);
        Errno error = Libc.SetOption(fd, SocketOption.Ipv4MulticastInterface, request[..bytes]);
        return error == Errno.None
            ? Libc.SetOption(fd, SocketOption.Ipv4MulticastLoop, 0)
            : error;
    }

    /// <summary>
    /// struct ip_mreqn: group, address of the interface, its index. The address decides if one is
    /// configured (IPv4_interface), else the index: the original fails there without a route.
    /// </summary>
    private static int WriteMembership(
        Span<byte> target, ChannelOptions options, NetworkInterface link)
    {
        const int Size = 12, LocalAt = 4, IndexAt = 8;
        options.Target.WriteIpv4(target);
        options.Local.WriteIpv4(target[LocalAt..]);
        BitConverter.TryWriteBytes(
            target[IndexAt..], options.Local == default ? link.Index : 0);
        return Size;
    }
}
