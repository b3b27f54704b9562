using System.Collections.Generic;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Daemon;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Daemon;

/// <summary>Peers heard on several links, as the engine is to know them.</summary>
public sealed class LinkPeersTests
{
    private static readonly Address s_destination = new(0, 0x0a21_0002);

    private static LinkPeers Peers(LinkKind kind, int links)
    {
        var options = new List<LinkOptions>();
        for (int i = 0; i < links; i++)
        {
            options.Add(new LinkOptions(kind, default)
            {
                Family = AddressFamily.Ipv4,
                DestinationAddress = i == 0 ? s_destination : new Address(0, (ulong)i),
            });
        }
        return new LinkPeers(options);
    }

    private static PeerAddress Sender(uint address, ushort port) =>
        new(AddressFamily.Ipv4, new Address(0, address), port);

    [Fact]
    public void On_unicast_links_there_is_one_peer_and_a_new_port_is_a_new_start_once()
    {
        LinkPeers peers = Peers(LinkKind.Udp, 2);
        PeerAddress first = peers.NameOf(0, Sender(1, 1000));
        Assert.Equal(s_destination, first.Address);
        Assert.Equal(first, peers.NameOf(1, Sender(2, 2000)));
        Assert.Equal(first, peers.NameOf(0, Sender(1, 1000)));

        PeerAddress second = peers.NameOf(0, Sender(1, 1001));
        Assert.Equal(first.Address, second.Address);
        Assert.NotEqual(first.Port, second.Port);
        // The other link hears of the same start later.
        Assert.Equal(second, peers.NameOf(1, Sender(2, 2001)));
        Assert.Equal(second, peers.NameOf(0, Sender(1, 1001)));
        Assert.NotEqual(second, peers.NameOf(1, Sender(2, 2002)));
    }

    [Fact]
    public void In_one_group_senders_are_who_they_say()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 1);
        Assert.Equal(Sender(1, 1000), peers.NameOf(0, Sender(1, 1000)));
        Assert.Equal(Sender(2, 1000), peers.NameOf(0, Sender(2, 1000)));
    }

    [Fact]
    public void Two_nodes_in_two_groups_are_one_peer_to_each_other()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        PeerAddress name = peers.NameOf(0, Sender(1, 1000));
        Assert.Equal(name, peers.NameOf(1, Sender(9, 2000)));
        Assert.NotEqual(name, peers.NameOf(1, Sender(9, 2001)));
    }

    [Fact]
    public void Three_nodes_in_two_groups_are_told_apart_on_each_link()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        PeerAddress one = peers.NameOf(0, Sender(1, 1000));
        PeerAddress oneElsewhere = peers.NameOf(1, Sender(11, 1000));
        Assert.Equal(one.Address, oneElsewhere.Address);
        PeerAddress two = peers.NameOf(0, Sender(2, 1000));
        Assert.NotEqual(one.Address, two.Address);
        Assert.Equal(one, peers.NameOf(0, Sender(1, 1000)));
        Assert.Equal(new Address(0, 11), peers.NameOf(1, Sender(11, 1000)).Address);
        Assert.Equal(new Address(0, 12), peers.NameOf(1, Sender(12, 1000)).Address);
    }

    [Fact]
    public void Noise_does_not_fill_the_memory()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        for (uint i = 0; i < 10_000; i++) { peers.NameOf((int)(i % 2), Sender(i, 1)); }
        Assert.Equal(new Address(0, 3), peers.NameOf(0, Sender(3, 1)).Address);
    }
}
