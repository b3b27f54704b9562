using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Tests.Kernel;
using Conntrackd.Transport;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Transport;

/// <remarks>
/// Everything runs over "lo" of a private namespace, where a node hears what it sends: as if the
/// peer had sent it.
/// </remarks>
public sealed class DatagramChannelTests
{
    private static readonly Address s_ipv4 = new(0, 0x7f00_0001);
    private static readonly Address s_ipv6 = new(0, 1);

    private static ChannelOptions Unicast(AddressFamily family, Address address) => new()
    {
        Kind = ChannelKind.Unicast,
        Family = family,
        Local = address,
        Target = address,
        Port = 3780,
        Interface = "lo",
    };

    private static ChannelOptions Multicast(AddressFamily family, Address group) => new()
    {
        Kind = ChannelKind.Multicast,
        Family = family,
        Target = group,
        Port = 3780,
        Interface = "lo",
    };

    private static DatagramChannel Open(ChannelOptions options)
    {
        Errno error = ChannelOpener.TryOpen(
            options, new ChannelCounters(), out DatagramChannel? channel, out string what);
        Assert.True(error == Errno.None, $"{what}: {error}");
        return channel!;
    }

    private static void Stage(DatagramChannel channel, byte first, int bytes)
    {
        Span<byte> room = channel.Reserve();
        Assert.True(room.Length >= bytes);
        room[..bytes].Fill(first);
        channel.Commit(bytes);
    }

    private static void SendAndReceive(ChannelOptions options)
    {
        using DatagramChannel channel = Open(options);
        Recorder recorder = new();
        Stage(channel, 1, 8);
        Stage(channel, 2, 1200);
        Assert.Equal(2, channel.StagedCount);
        Assert.True(channel.Flush());
        Assert.Equal(Errno.None, Libc.WaitReadable(channel.FileDescriptor, 2000));
        Assert.False(channel.Receive(recorder, 100));
        Assert.Equal([(1, 8), (2, 1200)], recorder.Datagrams);
        Assert.Equal(options.Family, recorder.From.Family);
        Assert.NotEqual(3780, recorder.From.Port);
        Assert.Equal(2ul, channel.Counters.PacketsSent);
        Assert.Equal(1208ul, channel.Counters.BytesSent);
        Assert.Equal(2ul, channel.Counters.PacketsReceived);
        Assert.Equal(1208ul, channel.Counters.BytesReceived);
        Assert.Equal(0ul, channel.Counters.Foreign);
    }

    /// <summary>Without the privilege net.core.rmem_max and wmem_max hold.</summary>
    [RootFact]
    public void A_buffer_that_the_kernel_caps_is_known() => PrivateNetwork.Run(() =>
    {
        const int Wanted = 1 << 28;
        ChannelOptions options = Unicast(AddressFamily.Ipv4, s_ipv4) with
        {
            ReceiveBufferBytes = Wanted,
            SendBufferBytes = Wanted,
        };
        using (DatagramChannel free = Open(options))
        {
            Assert.Equal(Wanted, free.Counters.ReceiveBufferBytes);
            Assert.Equal(Wanted, free.Counters.SendBufferBytes);
        }
        CapabilitySet before = Capabilities.Effective;
        Assert.Equal(Errno.None, Capabilities.Use(before & ~CapabilitySet.NetAdmin));
        using DatagramChannel capped = Open(options);
        Assert.InRange(capped.Counters.ReceiveBufferBytes, 1, Wanted - 1);
        Assert.InRange(capped.Counters.SendBufferBytes, 1, Wanted - 1);
        Assert.Equal(Errno.None, Capabilities.Use(before));
    });

    [RootFact]
    public void Unicast_over_ipv4() =>
        PrivateNetwork.Run(() => SendAndReceive(Unicast(AddressFamily.Ipv4, s_ipv4)));

    [RootFact]
    public void Unicast_over_ipv6() =>
        PrivateNetwork.Run(() => SendAndReceive(Unicast(AddressFamily.Ipv6, s_ipv6)));

    [RootFact]
    [Trait("Defect", "W8")]
    public void Multicast_over_ipv4() =>
        PrivateNetwork.Run(() =>
            SendAndReceive(Multicast(AddressFamily.Ipv4, new Address(0, 0xe100_0032))));

    [RootFact]
    public void Multicast_over_ipv4_by_the_address_of_the_interface() =>
        PrivateNetwork.Run(() => SendAndReceive(
            Multicast(AddressFamily.Ipv4, new Address(0, 0xe100_0032)) with { Local = s_ipv4 }));

    /// <remarks><code>  a0 ---- a1   both ends here, a group joined on each</code></remarks>
    [RootFact]
    public void Multicast_is_heard_at_the_other_end_of_the_cable_only() =>
        PrivateNetwork.Run(() =>
        {
            PrivateNetwork.Command("ip", "link add a0 type veth peer name a1");
            foreach (string end in (string[])["0", "1"])
            {
                // Both addresses are ours, which the receiving end would take for a forgery.
                PrivateNetwork.Command("sysctl", $"-q net.ipv4.conf.a{end}.accept_local=1");
                PrivateNetwork.Command("sysctl", $"-q net.ipv4.conf.a{end}.rp_filter=0");
                PrivateNetwork.Command("ip", $"link set a{end} addrgenmode none");
                PrivateNetwork.Command("ip", $"link set a{end} up");
                PrivateNetwork.Command("ip", $"addr add 10.0.0.{end}/31 dev a{end}");
                PrivateNetwork.Command("ip", $"addr add fe80::{end}1/64 dev a{end} nodad");
            }
            PrivateNetwork.Command("sysctl", "-q net.ipv4.conf.all.rp_filter=0");
            HearAtTheOtherEnd(Multicast(AddressFamily.Ipv6, new Address(0xff02UL << 48, 0x50)));
            HearAtTheOtherEnd(Multicast(AddressFamily.Ipv4, new Address(0, 0xe100_0032)));
        });

    private static void HearAtTheOtherEnd(ChannelOptions options)
    {
        using DatagramChannel near = Open(options with { Interface = "a0" });
        using DatagramChannel far = Open(options with { Interface = "a1" });
        Assert.Equal(1500 - (options.Family == AddressFamily.Ipv4 ? 29 : 49), near.PayloadMax);
        Recorder nearRecorder = new(), farRecorder = new();
        // The kernel drops what is sent before it has noticed the carrier, within a second.
        Errno heard = Errno.Etimedout;
        for (int tries = 0; tries < 20 && heard != Errno.None; tries++)
        {
            Stage(near, 9, 100);
            Assert.True(near.Flush());
            Assert.Equal(0ul, near.Counters.ErrorsSent);
            heard = Libc.WaitReadable(far.FileDescriptor, 200);
        }
        Assert.Equal(Errno.None, heard);
        far.Receive(farRecorder, 100);
        near.Receive(nearRecorder, 100);
        Assert.NotEmpty(farRecorder.Datagrams);
        Assert.All(farRecorder.Datagrams, datagram => Assert.Equal((9, 100), datagram));
        Assert.Empty(nearRecorder.Datagrams);
    }

    [RootFact]
    public void A_changed_mtu_is_followed_as_far_as_the_slots_reach() =>
        PrivateNetwork.Run(() =>
        {
            PrivateNetwork.Command("ip", "link set lo mtu 1500");
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4));
            Assert.Equal(1471, channel.PayloadMax);
            Assert.True(channel.TryFollow(9000));
            Assert.Equal(8971, channel.PayloadMax);
            Assert.True(channel.TryFollow(576));
            Assert.Equal(547, channel.PayloadMax);
            Assert.False(channel.TryFollow(65536));
        });

    [RootFact]
    public void Without_checksum_and_with_buffers() =>
        PrivateNetwork.Run(() => SendAndReceive(
            Unicast(AddressFamily.Ipv4, s_ipv4) with
            {
                Checksum = false,
                SendBufferBytes = 1 << 20,
                ReceiveBufferBytes = 8 << 20,
            }));

    [RootFact]
    [Trait("Defect", "W1")]
    public void The_payload_leaves_room_for_the_headers() =>
        PrivateNetwork.Run(() =>
        {
            PrivateNetwork.Command("ip", "link set lo mtu 1500");
            using DatagramChannel ipv4 = Open(Unicast(AddressFamily.Ipv4, s_ipv4));
            using DatagramChannel ipv6 = Open(Unicast(AddressFamily.Ipv6, s_ipv6));
            Assert.Equal(1500 - 29, ipv4.PayloadMax);
            Assert.Equal(1500 - 49, ipv6.PayloadMax);
        });

    [RootFact]
    public void A_datagram_is_never_longer_than_what_a_peer_of_our_kind_takes() =>
        PrivateNetwork.Run(() =>
        {
            // lo has an MTU of 65536.
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4));
            Assert.Equal(16 * 1024 - 1, channel.PayloadMax);
        });

    [RootFact]
    public void An_unknown_interface_is_named_in_the_error() =>
        PrivateNetwork.Run(() =>
        {
            ChannelOptions options = Unicast(AddressFamily.Ipv4, s_ipv4) with
            {
                Interface = "eth77",
            };
            Assert.Equal(Errno.Enodev, ChannelOpener.TryOpen(
                options, new ChannelCounters(), out _, out string what));
            Assert.Contains("eth77", what, StringComparison.Ordinal);
        });

    [RootFact]
    [Trait("Defect", "30")]
    public void Datagrams_from_another_address_are_dropped() =>
        PrivateNetwork.Run(() =>
        {
            ChannelOptions options = Unicast(AddressFamily.Ipv4, s_ipv4);
            using DatagramChannel channel = Open(options);
            Recorder recorder = new();
            Assert.Equal(
                Errno.None,
                Libc.Socket(Libc.FamilyIpv4, Libc.SocketDatagram, 0, out int stranger));
            Span<byte> address = stackalloc byte[SocketAddress.Ipv4Size];
            SocketAddress.WriteIpv4(address, 0x7f00_0009, 0);
            Assert.Equal(Errno.None, Libc.Bind(stranger, address));
            SocketAddress.WriteIpv4(address, 0x7f00_0001, 3780);
            Assert.Equal(Errno.None, Libc.SendTo(stranger, new byte[20], address, out _));
            Libc.Close(stranger);
            Assert.Equal(Errno.None, Libc.WaitReadable(channel.FileDescriptor, 2000));
            channel.Receive(recorder, 10);
            Assert.Empty(recorder.Datagrams);
            Assert.Equal(1ul, channel.Counters.Foreign);
        });

    [RootFact]
    public void A_datagram_longer_than_a_slot_is_counted_and_dropped() =>
        PrivateNetwork.Run(() =>
        {
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4));
            Recorder recorder = new();
            using var sender = new System.Net.Sockets.UdpClient();
            byte[] bytes = new byte[20_000];
            bytes[0] = 2;
            sender.Send(bytes, "127.0.0.1", 3780);
            sender.Send(bytes, 16_384, "127.0.0.1", 3780);
            Assert.Equal(Errno.None, Libc.WaitReadable(channel.FileDescriptor, 2000));
            channel.Receive(recorder, 10);
            Assert.Equal([(2, 16_384)], recorder.Datagrams);
            Assert.Equal(1ul, channel.Counters.Truncated);
        });

    [RootFact]
    public void What_cannot_be_sent_is_counted_and_dropped() =>
        PrivateNetwork.Run(() =>
        {
            // Nothing leads to this peer.
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4) with
            {
                Local = default,
                Target = new Address(0, 0x0a09_0909),
            });
            Stage(channel, 1, 100);
            Stage(channel, 2, 100);
            Assert.True(channel.Flush());
            Assert.Equal(0, channel.StagedCount);
            Assert.Equal(2ul, channel.Counters.ErrorsSent);
            Assert.Equal(0ul, channel.Counters.PacketsSent);
        });

    [RootFact]
    public void Receiving_is_bounded_and_all_slots_taken_gives_no_room() =>
        PrivateNetwork.Run(() =>
        {
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4) with
            {
                ReceiveBufferBytes = 8 << 20,
            });
            Recorder recorder = new();
            for (int i = 0; i < 64; i++) { Stage(channel, (byte)i, 100); }
            Assert.True(channel.Reserve().IsEmpty);
            Assert.True(channel.Flush());
            Assert.False(channel.Reserve().IsEmpty);
            Assert.Equal(Errno.None, Libc.WaitReadable(channel.FileDescriptor, 2000));
            Assert.True(channel.Receive(recorder, 40));
            Assert.Equal(40, recorder.Datagrams.Count);
            channel.Receive(recorder, 40);
            Assert.Equal(64, recorder.Datagrams.Count);
        });

    [RootFact]
    public void Sending_and_receiving_allocate_nothing() =>
        PrivateNetwork.Run(() =>
        {
            using DatagramChannel channel = Open(Unicast(AddressFamily.Ipv4, s_ipv4));
            Counter counter = new();
            long before = 0;
            for (int round = 0; round < 2000; round++)
            {
                if (round == 100) { before = GC.GetAllocatedBytesForCurrentThread(); }
                for (int i = 0; i < 10; i++)
                {
                    Span<byte> room = channel.Reserve();
                    room[..64].Clear();
                    channel.Commit(64);
                }
                channel.Flush();
                channel.Receive(counter, 100);
            }
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(20_000, counter.Datagrams);
        });

    private sealed class Recorder : IDatagramHandler
    {
        internal List<Address> Foreign { get; } = [];

        internal List<(byte First, int Bytes)> Datagrams { get; } = [];

        internal PeerAddress From { get; private set; }

        public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram)
        {
            From = from;
            Datagrams.Add((datagram[0], datagram.Length));
        }

        public void OnForeign(in PeerAddress from) => Foreign.Add(from.Address);

        public void OnConnected(bool lostSome) => Assert.Fail("a datagram channel connects not");

        public void OnDisconnected(Errno error) => Assert.Fail("a datagram channel connects not");
    }

    private sealed class Counter : IDatagramHandler
    {
        internal int Datagrams { get; private set; }

        public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram) => Datagrams++;

        public void OnForeign(in PeerAddress from) => Assert.Fail("all is from the peer");

        public void OnConnected(bool lostSome) => Assert.Fail("a datagram channel connects not");

        public void OnDisconnected(Errno error) => Assert.Fail("a datagram channel connects not");
    }
}
