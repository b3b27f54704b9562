using System.Collections.Generic;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>One name for a peer, whichever of the links it is heard on.</summary>
/// <remarks>
/// The engine knows a peer by address, and by a port that changes when the peer starts anew. Both
/// differ from link to link, and an address may be lost, so the engine is given the address where
/// the peer was heard first and, as port, a number that grows with each start of the peer.
/// <code>
/// sender says its number   the same number on another link, or on a new connection: the same peer
/// (our own kind)           another number from a known address: it started anew
/// it does not              unicast: all links lead to one peer, but with RedundantLinks and two on
///                          one interface each leads to a peer of its own (several destinations)
/// (the original)           groups: one peer, until a link has carried a second sender; from then
///                          on each address is a peer of its own
///                          a new port of a datagram: it started anew
///                          a new connection: started anew if it says HELLO, else it goes on
/// </code>A new connection of the original that goes on continues its sequence: what the old one
/// lost shows as a gap, and is asked for.
/// </remarks>
internal sealed class LinkPeers
{
    /// <summary>More than the engine has peers, times links; noise begins the list anew.</summary>
    private const int SourcesMax = 64;

    private readonly List<Source> _sources = [];
    private readonly IReadOnlyList<LinkOptions> _links;
    private readonly ReceiveCounters _ignored = new();
    private readonly bool _isUnicast = true;
    private readonly bool _areNumbered;
    private readonly PeerAddress _unicastPeer;
    private bool _isManyNodes;

    /// <param name="links">As configured.</param>
    /// <param name="redundant">All of them carry all (RedundantLinks).</param>
    internal LinkPeers(IReadOnlyList<LinkOptions> links, bool redundant = false)
    {
        _links = links;
        foreach (LinkOptions link in links) { _isUnicast &= link.Kind != LinkKind.Multicast; }
        _areNumbered = AreNumbered(links);
        _isManyNodes = redundant && _isUnicast && ShareInterface(links);
        _unicastPeer = new PeerAddress(links[0].Family, links[0].DestinationAddress, 0);
    }

    /// <summary>
    /// True if our own kind says its number in every datagram, since the address and port of the
    /// sender do not tell who it is: on several links, on connections, and in groups of IPv6, where
    /// the kernel takes the addresses of a link away that goes down, so that a node speaks from
    /// another one when the cable is back.
    /// </summary>
    internal static bool AreNumbered(IReadOnlyList<LinkOptions> links)
    {
        if (links.Count > 1) { return true; }
        bool ipv6 = links[0].Family == AddressFamily.Ipv6;
        return links[0].Kind == LinkKind.Tcp || (links[0].Kind == LinkKind.Multicast && ipv6);
    }

    /// <summary>What the engine is to know the sender by.</summary>
    internal PeerAddress NameOf(int link, in PeerAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!_areNumbered && !_isUnicast) { return from; }
        (uint node, bool hello) = _areNumbered ? Read(datagram) : default;
        PeerAddress address = _isUnicast && !_isManyNodes
            ? _unicastPeer : new PeerAddress(from.Family, from.Address, 0);
        Source source = Find(link, address) ?? Add(link, address, node);
        if (node != 0) { Identify(source, node, from.Port); }
        else if (source.Port != from.Port)
        {
            bool goesOn = source.Port == 0 || (_links[link].Kind == LinkKind.Tcp && !hello);
            if (!goesOn) { Renew(source.Peer, node: 0); }
        }
        source.Port = from.Port;
        return source.Peer.Name;
    }

    // Nobody lays two links to one peer on one wire.
    private static bool ShareInterface(IReadOnlyList<LinkOptions> links)
    {
        for (int i = 1; i < links.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                bool same = links[i].InterfaceName == links[j].InterfaceName
                    && links[i].DestinationAddress != links[j].DestinationAddress;
                if (same) { return true; }
            }
        }
        return false;
    }

    // Its number, if any message says it, and whether the first says HELLO.
    private (uint Node, bool Hello) Read(ReadOnlySpan<byte> datagram)
    {
        uint node = 0;
        bool isFirst = true, hello = false;
        var reader = new SyncMessageReader(datagram, _ignored);
        while (reader.TryNext(out SyncMessage message))
        {
            if (isFirst) { hello = (message.Header.Flags & SyncFlags.Hello) != 0; }
            isFirst = false;
            if (message.Header.Class != SyncClass.Alive) { continue; }
            ReadOnlySpan<byte> body = message.Body;
            while (AliveBody.TryNext(ref body, out AliveAttribute attribute,
                out ReadOnlySpan<byte> value))
            {
                if (attribute != AliveAttribute.Sender) { continue; }
                AliveBody.TryReadSender(value, out node);
            }
        }
        return (node, hello);
    }

    private void Identify(Source source, uint node, ushort port)
    {
        if (source.Peer.Node == node) { return; }
        if (_sources.Find(other => other.Peer.Node == node) is Source known)
        {
            source.Peer = known.Peer;
            return;
        }
        // Until now it did not say, and it may be the one that was heard before.
        bool same = source.Peer.Node == 0 && (source.Port == 0 || source.Port == port);
        if (same) { source.Peer.Node = node; }
        else { Renew(source.Peer, node); }
    }

    private Source? Find(int link, PeerAddress address)
    {
        foreach (Source source in _sources)
        {
            if (source.Link == link && source.Address == address) { return source; }
        }
        return null;
    }

    private Source Add(int link, PeerAddress address, uint node)
    {
        if (_sources.Count == SourcesMax) { _sources.Clear(); }
        Source? known = node == 0 ? null : _sources.Find(source => source.Peer.Node == node);
        if (known is null && !_isManyNodes && _sources.Exists(source => source.Link == link))
        {
            Separate();
        }
        Peer? peer = known?.Peer;
        if (peer is null && !_isManyNodes && _sources.Count != 0)
        {
            // Two that say different numbers are two; but nobody else is at the end of a wire.
            Peer first = _sources[0].Peer;
            bool other = node != 0 && first.Node != 0;
            if (_isUnicast || !other) { peer = first; }
        }
        var added = new Source(link, address, peer ?? new Peer(address));
        _sources.Add(added);
        return added;
    }

    // A second sender on one link: what was taken for one peer may have been two.
    private void Separate()
    {
        _isManyNodes = true;
        foreach (Source source in _sources)
        {
            bool certain = source.Peer.Node != 0
                || source.Address.Address == source.Peer.Name.Address;
            if (!certain) { source.Peer = new Peer(source.Address); }
        }
    }

    // Its ports on the other links will be others as well: that is the same start.
    private void Renew(Peer peer, uint node)
    {
        peer.Node = node;
        peer.Name = peer.Name with { Port = (ushort)(peer.Name.Port + 1) };
        foreach (Source source in _sources)
        {
            if (source.Peer == peer) { source.Port = 0; }
        }
    }

    /// <summary>One peer as the engine knows it; Node 0: it does not say.</summary>
    private sealed class Peer(PeerAddress name)
    {
        internal PeerAddress Name { get; set; } = name;

        internal uint Node { get; set; }
    }

    /// <summary>An address that was heard on a link; Port 0 until it is heard again.</summary>
    private sealed class Source(int link, PeerAddress address, Peer peer)
    {
        internal int Link => link;

        internal PeerAddress Address => address;

        internal Peer Peer { get; set; } = peer;

        internal ushort Port { get; set; }
    }
}
