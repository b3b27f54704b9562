using System.Collections.Generic;
using Conntrackd.Config;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>The dedicated links: all are listened on, one is sent on.</summary>
/// <remarks>
/// A peer that is heard on another link than the current one makes that link current, and so does a
/// current link that goes down while another is up (wire.md 13). With several links to one
/// peer its addresses differ; the engine is told the address on the first link, so that
/// it stays one peer.
/// </remarks>
internal sealed class Links : ILinkSink, IDisposable
{
    private const int DatagramsPerTurn = 64;

    // With nobody listening nothing else would hold back the walk through a whole table.
    private const int SendsPerTurn = 256;

    private readonly List<Link> _links = [];
    private readonly SyncEngine _engine;
    private readonly Log _log;
    private readonly long _started;
    private InterfaceMonitor? _monitor;
    private int _current;

    internal Links(SyncEngine engine, long started, Log log)
    {
        _engine = engine;
        _started = started;
        _log = log;
    }

    /// <summary>Links in the order of the configuration.</summary>
    internal IReadOnlyList<Link> All => _links;

    /// <summary>The link that is sent on.</summary>
    internal Link Current => _links[_current];

    /// <summary>True if datagrams are staged that the socket did not take.</summary>
    internal bool IsStalled { get; private set; }

    /// <summary>
    /// Opens all links and watches their interfaces. Null, or which call failed and why.
    /// </summary>
    internal string? TryOpen(IReadOnlyList<LinkOptions> options, EventLoop loop)
    {
        Errno error = InterfaceMonitor.TryOpen(this, out _monitor);
        if (error != Errno.None) { return $"cannot watch interfaces: {error.Describe()}"; }
        foreach (LinkOptions link in options)
        {
            ChannelOptions channelOptions = Describe(link);
            error = ChannelOpener.TryOpen(
                channelOptions, out DatagramChannel? channel, out string at);
            if (error != Errno.None)
            {
                return $"link on line {link.Position.Line}: {at}: {error.Describe()}";
            }
            var opened = new Link(this, _links.Count, link, channel!);
            if (link.IsDefault) { _current = _links.Count; }
            _links.Add(opened);
            _monitor!.Watch(link.InterfaceName);
            error = loop.Add(channel!.FileDescriptor, EventMask.In, opened);
            if (error != Errno.None) { return $"event loop: {error.Describe()}"; }
        }
        error = loop.Add(_monitor!.FileDescriptor, EventMask.In, new MonitorReader(_monitor));
        return error == Errno.None ? null : $"event loop: {error.Describe()}";
    }

    /// <summary>Sends what the engine has for the peers, as much as the socket takes.</summary>
    internal void Send(long now)
    {
        DatagramChannel channel = Current.Channel;
        for (int i = 0; i < SendsPerTurn; i++)
        {
            Span<byte> room = channel.Reserve();
            if (room.IsEmpty)
            {
                if (!channel.Flush()) { break; }
                continue;
            }
            room = room[..channel.PayloadMax];
            if (!_engine.TryTakeDatagram(room, now, out int length)) { break; }
            channel.Commit(length);
        }
        IsStalled = channel.StagedCount != 0 && !channel.Flush();
    }

    /// <inheritdoc/>
    public void OnLinkChanged(string name, in NetworkInterface before, in NetworkInterface now)
    {
        if (Current.Options.InterfaceName != name || (now.IsUp && now.IsRunning)) { return; }
        for (int i = 0; i < _links.Count; i++)
        {
            NetworkInterface state = StateOf(_links[i]);
            if (i == _current || !state.IsUp || !state.IsRunning) { continue; }
            Switch(i);
            return;
        }
        _log.Warning("no dedicated links available!");
    }

    /// <summary>State of a link's interface as last heard.</summary>
    internal NetworkInterface StateOf(Link link) =>
        _monitor!.StateOf(link.Options.InterfaceName);

    public void Dispose()
    {
        foreach (Link link in _links) { link.Channel.Dispose(); }
        _monitor?.Dispose();
    }

    private void Switch(int to)
    {
        _current = to;
        _log.Notice($"device `{Current.Options.InterfaceName}' becomes dedicated link");
    }

    private void OnDatagram(Link link, in PeerAddress from, ReadOnlySpan<byte> datagram)
    {
        if (link.Index != _current) { Switch(link.Index); }
        PeerAddress peer = from;
        if (link.Options.Kind == LinkKind.Udp && _links.Count > 1)
        {
            LinkOptions first = _links[0].Options;
            peer = new PeerAddress(
                first.Family, first.DestinationAddress, Incarnation(link, from));
        }
        _engine.OnDatagram(in peer, datagram, Clock.MonotonicMicroseconds() - _started);
    }

    // The peer's port differs from link to link; a new port on one link means that it started anew.
    private ushort _incarnation;

    private ushort Incarnation(Link link, in PeerAddress from)
    {
        if (link.PeerPort != 0 && link.PeerPort != from.Port)
        {
            _incarnation++;
            // Its ports on the other links are new as well: no second start when they are heard.
            foreach (Link other in _links) { other.PeerPort = 0; }
        }
        link.PeerPort = from.Port;
        return _incarnation;
    }

    private static ChannelOptions Describe(LinkOptions link) =>
        new()
        {
            Kind = link.Kind == LinkKind.Multicast ? ChannelKind.Multicast : ChannelKind.Unicast,
            Family = link.Family,
            Local = (link.Kind == LinkKind.Multicast ? link.InterfaceAddress : link.LocalAddress)
                ?? default,
            Target = link.Kind == LinkKind.Multicast ? link.GroupAddress : link.DestinationAddress,
            Port = link.Port,
            Interface = link.InterfaceName,
            SendBufferBytes = link.SendBufferBytes,
            ReceiveBufferBytes = link.ReceiveBufferBytes,
            Checksum = link.Checksum,
        };

    /// <summary>One link and its channel.</summary>
    internal sealed class Link(Links owner, int index, LinkOptions options, DatagramChannel channel)
        : IReadyHandler, IDatagramHandler
    {
        internal int Index => index;

        internal LinkOptions Options => options;

        internal DatagramChannel Channel => channel;

        internal ushort PeerPort { get; set; }

        public void OnReady(int fd, EventMask mask) => channel.Receive(this, DatagramsPerTurn);

        public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram) =>
            owner.OnDatagram(this, in from, datagram);
    }

    /// <summary>Reads changes of interfaces.</summary>
    private sealed class MonitorReader(InterfaceMonitor monitor) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask) => monitor.Read(DatagramsPerTurn);
    }
}
