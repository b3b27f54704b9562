using System.Collections.Generic;
using Conntrackd.Config;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>One name for a peer, whichever of the links it is heard on.</summary>
/// <remarks>
/// The engine knows a peer by address, and by a port that changes when the peer starts anew. Both
/// differ from link to link, so the engine is given the address on the link where the peer was
/// heard first and, as port, a number that grows when the port changes on any link.
/// <para>Unicast: all links lead to one peer. Multicast over several links: as long as no link has
/// carried a second sender there are two nodes, and what is heard on different links is one peer.
/// With three nodes and more nothing tells which of the addresses on two links belong together:
/// each is a peer of its own then, and a switch of links costs a bulk of each node.</para>
/// </remarks>
internal sealed class LinkPeers
{
    /// <summary>More than the engine has peers, times links; noise begins the list anew.</summary>
    private const int SourcesMax = 64;

    private readonly List<Source> _sources = [];
    private readonly bool _isUnicast;
    private readonly bool _isSingleGroup;
    private readonly PeerAddress _unicastPeer;
    private bool _isManyNodes;

    internal LinkPeers(IReadOnlyList<LinkOptions> links)
    {
        LinkOptions first = links[0];
        _isUnicast = first.Kind != LinkKind.Multicast;
        _isSingleGroup = !_isUnicast && links.Count == 1;
        _unicastPeer = new PeerAddress(first.Family, first.DestinationAddress, 0);
    }

    /// <summary>What the engine is to know the sender by.</summary>
    internal PeerAddress NameOf(int link, in PeerAddress from)
    {
        if (_isSingleGroup) { return from; }
        PeerAddress address =
            _isUnicast ? _unicastPeer : new PeerAddress(from.Family, from.Address, 0);
        Source source = Find(link, in address) ?? Add(link, in address);
        if (source.Port != from.Port)
        {
            if (source.Port != 0) { Renew(source.Peer); }
            source.Port = from.Port;
        }
        return source.Peer.Name;
    }

    private Source? Find(int link, in PeerAddress address)
    {
        foreach (Source source in _sources)
        {
            if (source.Link == link && source.Address == address) { return source; }
        }
        return null;
    }

    private Source Add(int link, in PeerAddress address)
    {
        if (_sources.Count == SourcesMax) { _sources.Clear(); }
        if (!_isManyNodes && _sources.Exists(source => source.Link == link)) { Separate(); }
        bool alone = _isManyNodes || _sources.Count == 0;
        var added = new Source(link, address, alone ? new Peer(address) : _sources[0].Peer);
        _sources.Add(added);
        return added;
    }

    // A second sender on one link: what was taken for one peer may have been two.
    private void Separate()
    {
        _isManyNodes = true;
        foreach (Source source in _sources)
        {
            if (source.Address.Address != source.Peer.Name.Address)
            {
                source.Peer = new Peer(source.Address);
            }
        }
    }

    // Its ports on the other links will be others as well: that is the same start.
    private void Renew(Peer peer)
    {
        peer.Name = peer.Name with { Port = (ushort)(peer.Name.Port + 1) };
        foreach (Source source in _sources)
        {
            if (source.Peer == peer) { source.Port = 0; }
        }
    }

    /// <summary>One peer as the engine knows it.</summary>
    private sealed class Peer(PeerAddress name)
    {
        internal PeerAddress Name { get; set; } = name;
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
