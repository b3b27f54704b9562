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

    private static byte[] Says(uint node, bool hello = false)
    {
        byte[] body = new byte[AliveBody.SenderSize];
        AliveBody.WriteSender(body, node);
        byte[] datagram = new byte[SyncHeader.Size + body.Length];
        SyncFlags flags = SyncFlags.Alive | (hello ? SyncFlags.Hello : SyncFlags.None);
        ControlMessage.WriteAlive(datagram, flags, 7, node == 0 ? [] : body);
        return node == 0 ? datagram[..SyncHeader.Size] : datagram;
    }

    private static LinkPeers Peers(
        LinkKind kind, int links, AddressFamily family = AddressFamily.Ipv4)
    {
        var options = new List<LinkOptions>();
        for (int i = 0; i < links; i++)
        {
            options.Add(new LinkOptions(kind, default)
            {
                Family = family,
                DestinationAddress = i == 0 ? s_destination : new Address(0, (ulong)i),
            });
        }
        return new LinkPeers(options);
    }

    [Fact]
    public void On_redundant_unicast_links_of_one_interface_each_leads_to_a_peer_of_its_own()
    {
        var links = new LinkOptions[2];
        for (int i = 0; i < 2; i++)
        {
            links[i] = new LinkOptions(LinkKind.Udp, default)
            {
                InterfaceName = "eth2",
                DestinationAddress = new Address(0, 1 + (ulong)i),
            };
        }
        var peers = new LinkPeers(links, redundant: true);
        PeerAddress one = peers.NameOf(0, Sender(1, 1000), Says(11));
        PeerAddress two = peers.NameOf(1, Sender(2, 2000), Says(12));
        Assert.NotEqual(one.Address, two.Address);
        Assert.Equal(one, peers.NameOf(0, Sender(1, 1000), Says(11)));
        Assert.NotEqual(one, peers.NameOf(0, Sender(1, 1000), Says(13)));
        Assert.Equal(two, peers.NameOf(1, Sender(2, 2000), Says(12)));
    }

    private static PeerAddress Sender(uint address, ushort port) =>
        new(AddressFamily.Ipv4, new Address(0, address), port);

    [Fact]
    public void On_unicast_links_there_is_one_peer_and_a_new_port_is_a_new_start_once()
    {
        LinkPeers peers = Peers(LinkKind.Udp, 2);
        PeerAddress first = peers.NameOf(0, Sender(1, 1000), default);
        Assert.Equal(s_destination, first.Address);
        Assert.Equal(first, peers.NameOf(1, Sender(2, 2000), default));
        Assert.Equal(first, peers.NameOf(0, Sender(1, 1000), default));

        PeerAddress second = peers.NameOf(0, Sender(1, 1001), default);
        Assert.Equal(first.Address, second.Address);
        Assert.NotEqual(first.Port, second.Port);
        // The other link hears of the same start later.
        Assert.Equal(second, peers.NameOf(1, Sender(2, 2001), default));
        Assert.Equal(second, peers.NameOf(0, Sender(1, 1001), default));
        Assert.NotEqual(second, peers.NameOf(1, Sender(2, 2002), default));
    }

    [Fact]
    public void In_one_group_senders_are_who_they_say()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 1);
        Assert.Equal(Sender(1, 1000), peers.NameOf(0, Sender(1, 1000), default));
        Assert.Equal(Sender(2, 1000), peers.NameOf(0, Sender(2, 1000), default));
    }

    /// <remarks>Its cable was out, and IPv6 addresses do not survive that.</remarks>
    [Fact]
    public void In_a_group_of_ipv6_a_node_that_lost_its_address_is_who_it_was()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 1, AddressFamily.Ipv6);
        PeerAddress one = peers.NameOf(0, Sender(1, 1000), Says(71));
        PeerAddress two = peers.NameOf(0, Sender(2, 1000), Says(72));
        Assert.NotEqual(one.Address, two.Address);
        Assert.Equal(one, peers.NameOf(0, Sender(99, 1000), Says(71)));
        Assert.Equal(one, peers.NameOf(0, Sender(1, 1000), Says(71)));
        Assert.Equal(two, peers.NameOf(0, Sender(2, 1000), Says(72)));
        // The original says no number: an address that is new is somebody new.
        Assert.Equal(new Address(0, 3), peers.NameOf(0, Sender(3, 1000), Says(0)).Address);
    }

    [Fact]
    public void Two_nodes_in_two_groups_are_one_peer_to_each_other()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        PeerAddress name = peers.NameOf(0, Sender(1, 1000), default);
        Assert.Equal(name, peers.NameOf(1, Sender(9, 2000), default));
        Assert.NotEqual(name, peers.NameOf(1, Sender(9, 2001), default));
    }

    [Fact]
    public void Three_nodes_in_two_groups_are_told_apart_on_each_link()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        PeerAddress one = peers.NameOf(0, Sender(1, 1000), default);
        PeerAddress oneElsewhere = peers.NameOf(1, Sender(11, 1000), default);
        Assert.Equal(one.Address, oneElsewhere.Address);
        PeerAddress two = peers.NameOf(0, Sender(2, 1000), default);
        Assert.NotEqual(one.Address, two.Address);
        Assert.Equal(one, peers.NameOf(0, Sender(1, 1000), default));
        Assert.Equal(new Address(0, 11), peers.NameOf(1, Sender(11, 1000), default).Address);
        Assert.Equal(new Address(0, 12), peers.NameOf(1, Sender(12, 1000), default).Address);
    }

    [Fact]
    public void Noise_does_not_fill_the_memory()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        for (uint i = 0; i < 10_000; i++) { peers.NameOf((int)(i % 2), Sender(i, 1), default); }
        Assert.Equal(new Address(0, 3), peers.NameOf(0, Sender(3, 1), default).Address);
    }

    [Fact]
    public void A_node_that_says_its_number_is_known_on_every_link_however_many_there_are()
    {
        LinkPeers peers = Peers(LinkKind.Multicast, 2);
        PeerAddress one = peers.NameOf(0, Sender(1, 1000), Says(71));
        PeerAddress two = peers.NameOf(0, Sender(2, 1000), Says(72));
        PeerAddress three = peers.NameOf(1, Sender(13, 1000), Says(73));
        Assert.Equal(3, new HashSet<Address> { one.Address, two.Address, three.Address }.Count);
        Assert.Equal(one, peers.NameOf(1, Sender(11, 2000), Says(71)));
        Assert.Equal(two, peers.NameOf(1, Sender(12, 2000), Says(72)));
        Assert.Equal(three, peers.NameOf(0, Sender(3, 2000), Says(73)));

        PeerAddress again = peers.NameOf(1, Sender(11, 2001), Says(171));
        Assert.Equal(one.Address, again.Address);
        Assert.NotEqual(one.Port, again.Port);
        Assert.Equal(again, peers.NameOf(0, Sender(1, 1001), Says(171)));
        Assert.Equal(two, peers.NameOf(0, Sender(2, 1000), Says(72)));
    }

    [Fact]
    public void A_new_connection_is_a_new_start_only_of_another_number_or_with_a_hello()
    {
        LinkPeers peers = Peers(LinkKind.Tcp, 1);
        PeerAddress first = peers.NameOf(0, Sender(1, 1000), Says(71, hello: true));
        Assert.Equal(first, peers.NameOf(0, Sender(1, 1001), Says(71, hello: true)));
        Assert.NotEqual(first, peers.NameOf(0, Sender(1, 1001), Says(72)));

        peers = Peers(LinkKind.Tcp, 1);
        first = peers.NameOf(0, Sender(1, 1000), Says(0, hello: true));
        Assert.Equal(first, peers.NameOf(0, Sender(1, 1001), Says(0)));
        Assert.NotEqual(first, peers.NameOf(0, Sender(1, 1002), Says(0, hello: true)));
    }
}
