using System.Collections.Generic;
using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>Watches whether the interfaces of the dedicated links are usable.</summary>
/// <remarks>
/// The kernel's link messages (RTNETLINK, group RTNLGRP_LINK) only say that it is time to look; the
/// state itself is asked for by name. So nothing is missed when messages are lost, and an interface
/// that vanishes and returns under another index is found again. Links change rarely; a machine
/// with many interfaces of containers costs a few calls per burst.
/// </remarks>
internal sealed class InterfaceMonitor : IDisposable
{
    private const int LinkGroup = 1;        // RTNLGRP_LINK
    private const int BufferBytes = 16 * 1024;

    private readonly int _fd;
    private readonly ILinkSink _sink;
    private readonly NativeBuffer _buffer = new(BufferBytes);
    private readonly List<(string Name, NetworkInterface State)> _watched = [];

    private InterfaceMonitor(int fd, ILinkSink sink)
    {
        _fd = fd;
        _sink = sink;
    }

    internal int FileDescriptor => _fd;

    internal static Errno TryOpen(ILinkSink sink, out InterfaceMonitor? monitor)
    {
        monitor = null;
        Errno error = NetlinkSocket.Open(NetlinkSocket.Route, out int fd, out _);
        if (error != Errno.None) { return error; }
        error = NetlinkSocket.Join(fd, LinkGroup);
        if (error == Errno.None) { monitor = new InterfaceMonitor(fd, sink); }
        else { Libc.Close(fd); }
        return error;
    }

    /// <summary>Adds an interface, which need not exist; returns its state now.</summary>
    internal NetworkInterface Watch(string name)
    {
        NetworkInterface state = Find(name);
        _watched.Add((name, state));
        return state;
    }

    /// <summary>The state as last seen; Index 0 if it does not exist or is not watched.</summary>
    internal NetworkInterface StateOf(string name)
    {
        foreach ((string watched, NetworkInterface state) in _watched)
        {
            if (watched == name) { return state; }
        }
        return default;
    }

    /// <summary>Takes what is waiting, reports changes; true if more may be waiting.</summary>
    internal bool Read(int datagramsMax)
    {
        bool more = true;
        for (int i = 0; i < datagramsMax && more; i++)
        {
            // An overrun (ENOBUFS) only means that something changed, too.
            Errno error = Libc.Receive(_fd, _buffer.Span, out _);
            more = error != Errno.Eagain;
        }
        for (int i = 0; i < _watched.Count; i++)
        {
            (string name, NetworkInterface before) = _watched[i];
            NetworkInterface now = Find(name);
            if (now == before) { continue; }
            _watched[i] = (name, now);
            _sink.OnLinkChanged(name, before, now);
        }
        return more;
    }

    public void Dispose()
    {
        Libc.Close(_fd);
        _buffer.Dispose();
    }

    private static NetworkInterface Find(string name) =>
        NetworkInterface.TryFind(name, out NetworkInterface found) == Errno.None ? found : default;
}
