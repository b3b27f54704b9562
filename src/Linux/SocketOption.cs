namespace Conntrackd.Linux;

/// <summary>A socket option: its level and its number there.</summary>
internal readonly record struct SocketOption(int Level, int Name)
{
    private const int Socket = 1;       // SOL_SOCKET
    private const int Ip = 0;           // IPPROTO_IP
    private const int Udp = 17;         // SOL_UDP
    private const int Ipv6 = 41;        // IPPROTO_IPV6
    private const int Tcp = 6;          // IPPROTO_TCP
    private const int Netlink = 270;    // SOL_NETLINK

    internal static readonly SocketOption ReuseAddress = new(Socket, 2);        // SO_REUSEADDR
    internal static readonly SocketOption Error = new(Socket, 4);               // SO_ERROR
    internal static readonly SocketOption SendBuffer = new(Socket, 7);          // SO_SNDBUF
    internal static readonly SocketOption ReceiveBuffer = new(Socket, 8);       // SO_RCVBUF
    internal static readonly SocketOption KeepAlive = new(Socket, 9);           // SO_KEEPALIVE
    internal static readonly SocketOption NoChecksum = new(Socket, 11);         // SO_NO_CHECK
    internal static readonly SocketOption PeerCredentials = new(Socket, 17);    // SO_PEERCRED
    internal static readonly SocketOption SendBufferForce = new(Socket, 32);    // SO_SNDBUFFORCE
    internal static readonly SocketOption ReceiveBufferForce = new(Socket, 33); // SO_RCVBUFFORCE
    internal static readonly SocketOption MemoryInfo = new(Socket, 55);         // SO_MEMINFO

    internal static readonly SocketOption Ipv4MulticastInterface = new(Ip, 32); // IP_MULTICAST_IF
    internal static readonly SocketOption Ipv4MulticastLoop = new(Ip, 34);      // IP_MULTICAST_LOOP
    internal static readonly SocketOption Ipv4AddMembership = new(Ip, 35);      // IP_ADD_MEMBERSHIP
    internal static readonly SocketOption Ipv4MulticastAll = new(Ip, 49);       // IP_MULTICAST_ALL

    // IPV6_MULTICAST_IF
    internal static readonly SocketOption Ipv6MulticastInterface = new(Ipv6, 17);
    // IPV6_MULTICAST_LOOP
    internal static readonly SocketOption Ipv6MulticastLoop = new(Ipv6, 19);
    internal static readonly SocketOption Ipv6JoinGroup = new(Ipv6, 20);        // IPV6_JOIN_GROUP
    internal static readonly SocketOption Ipv6Only = new(Ipv6, 26);             // IPV6_V6ONLY
    // IPV6_MULTICAST_ALL
    internal static readonly SocketOption Ipv6MulticastAll = new(Ipv6, 29);

    internal static readonly SocketOption UdpSegment = new(Udp, 103);           // UDP_SEGMENT

    internal static readonly SocketOption TcpNoDelay = new(Tcp, 1);             // TCP_NODELAY
    internal static readonly SocketOption TcpKeepAliveIdle = new(Tcp, 4);       // TCP_KEEPIDLE
    internal static readonly SocketOption TcpKeepAliveInterval = new(Tcp, 5);   // TCP_KEEPINTVL
    internal static readonly SocketOption TcpKeepAliveProbes = new(Tcp, 6);     // TCP_KEEPCNT
    internal static readonly SocketOption TcpUserTimeout = new(Tcp, 18);        // TCP_USER_TIMEOUT

    internal static readonly SocketOption NetlinkAddMembership = new(Netlink, 1);
    internal static readonly SocketOption NetlinkDropMembership = new(Netlink, 2);
    internal static readonly SocketOption NetlinkBroadcastError = new(Netlink, 4);
    internal static readonly SocketOption NetlinkNoOverrunError = new(Netlink, 5); // NO_ENOBUFS
    internal static readonly SocketOption NetlinkCapAck = new(Netlink, 10);     // NETLINK_CAP_ACK
}
