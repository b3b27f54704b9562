using System.Text;

namespace Conntrackd.Linux;

/// <summary>One interface as the kernel describes it now.</summary>
/// <param name="Index">Its number, 1 and up.</param>
/// <param name="Mtu">Largest IP packet, in bytes.</param>
/// <param name="Flags">IFF_*.</param>
internal readonly record struct NetworkInterface(int Index, int Mtu, InterfaceFlags Flags)
{
    /// <summary>Longest name, in bytes (IFNAMSIZ is 16 with the closing zero).</summary>
    internal const int NameMax = 15;

    private const uint GetFlags = 0x8913;   // SIOCGIFFLAGS
    private const uint SetFlags = 0x8914;   // SIOCSIFFLAGS
    private const uint GetMtu = 0x8921;     // SIOCGIFMTU
    private const uint GetIndex = 0x8933;   // SIOCGIFINDEX

    // struct ifreq, linux/if.h: 16 bytes of name, then a union; 40 bytes.
    private const int RequestSize = 40, ValueAt = 16;

    internal bool IsUp => (Flags & InterfaceFlags.Up) != 0;

    /// <summary>Up, and with a carrier: only such a link carries anything.</summary>
    internal bool IsRunning =>
        (Flags & (InterfaceFlags.Up | InterfaceFlags.Running))
            == (InterfaceFlags.Up | InterfaceFlags.Running);

    /// <summary>
    /// Looks an interface up in this thread's namespace; Enodev if there is none.
    /// </summary>
    internal static Errno TryFind(string name, out NetworkInterface found)
    {
        found = default;
        Span<byte> request = stackalloc byte[RequestSize];
        if (!TryWriteName(request, name)) { return Errno.Enodev; }
        Errno error = Libc.Socket(Libc.FamilyIpv4, Libc.SocketDatagram, 0, out int fd);
        if (error == Errno.Eafnosupport)
        {
            error = Libc.Socket(Libc.FamilyIpv6, Libc.SocketDatagram, 0, out fd);
        }
        if (error != Errno.None) { return error; }
        error = Read(fd, request, out found);
        Libc.Close(fd);
        return error;
    }

    /// <summary>Sets flags in addition to those that are set.</summary>
    internal static Errno AddFlags(string name, InterfaceFlags flags)
    {
        Span<byte> request = stackalloc byte[RequestSize];
        if (!TryWriteName(request, name)) { return Errno.Enodev; }
        Errno error = Libc.Socket(Libc.FamilyIpv4, Libc.SocketDatagram, 0, out int fd);
        if (error != Errno.None) { return error; }
        error = Libc.Control(fd, GetFlags, request);
        if (error == Errno.None)
        {
            ushort wanted = (ushort)(BitConverter.ToUInt16(request[ValueAt..]) | (ushort)flags);
            BitConverter.TryWriteBytes(request[ValueAt..], wanted);
            error = Libc.Control(fd, SetFlags, request);
        }
        Libc.Close(fd);
        return error;
    }

    private static Errno Read(int fd, Span<byte> request, out NetworkInterface found)
    {
        found = default;
        Errno error = Libc.Control(fd, GetIndex, request);
        if (error != Errno.None) { return error; }
        int index = BitConverter.ToInt32(request[ValueAt..]);
        error = Libc.Control(fd, GetMtu, request);
        if (error != Errno.None) { return error; }
        int mtu = BitConverter.ToInt32(request[ValueAt..]);
        error = Libc.Control(fd, GetFlags, request);
        found = new NetworkInterface(
            index, mtu, (InterfaceFlags)BitConverter.ToUInt16(request[ValueAt..]));
        return error;
    }

    private static bool TryWriteName(Span<byte> request, string name)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or > NameMax) { return false; }
        request.Clear();
        Encoding.UTF8.GetBytes(name, request);
        return true;
    }
}

/// <summary>Flags of an interface (linux/if.h); only those somebody asks for.</summary>
[Flags]
internal enum InterfaceFlags : uint
{
    None = 0,
    Up = 0x1,                   // IFF_UP: switched on by the operator
    Running = 0x40,             // IFF_RUNNING: there is a carrier
    Multicast = 0x1000,         // IFF_MULTICAST
}
