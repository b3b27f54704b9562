using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Tests.Kernel;
using Conntrackd.Transport;
using Conntrackd.Wire;
using Xunit;
using AddressFamily = Conntrackd.Conntrack.AddressFamily;
using Peer = System.Net.Sockets.Socket;

namespace Conntrackd.Tests.Transport;

/// <remarks>
/// A private namespace: the channel is 127.0.0.1, its peer 127.0.0.2, a stranger 127.0.0.3.
/// </remarks>
public sealed class StreamChannelTests
{
    private const int Port = 3780;

    private static readonly ChannelOptions s_options = new()
    {
        Kind = ChannelKind.Stream,
        Family = AddressFamily.Ipv4,
        Local = new Address(0, 0x7f00_0001),
        Target = new Address(0, 0x7f00_0002),
        Port = Port,
        Interface = "lo",
        SendBufferBytes = 8192,
    };

    [RootFact]
    [Trait("Defect", "28")]
    public void What_the_peer_does_not_read_waits_and_then_comes_whole() => Run(bed =>
    {
        using Peer listener = Bed.Listen();
        using Peer reader = bed.AcceptFrom(listener);
        Assert.True(bed.Handler.Connected);
        List<byte> staged = [];
        for (uint i = 0; Stage(bed.Channel, Message(100, i), staged); i++) { }
        Assert.False(bed.Channel.Flush());
        Assert.NotEqual(0ul, bed.Channel.Counters.SendStalls);
        Assert.True(bed.Channel.Reserve().IsEmpty);

        byte[] read = new byte[staged.Count];
        for (int at = 0; at < read.Length; bed.Turn())
        {
            bed.Channel.Flush();
            while (reader.Available > 0) { at += reader.Receive(read.AsSpan(at)); }
        }
        Assert.Equal(staged, read);
        Assert.Equal(0, bed.Channel.StagedCount);
        Assert.Equal((ulong)staged.Count, bed.Channel.Counters.BytesSent);
        Assert.False(bed.Channel.Reserve().IsEmpty);
    });

    [RootFact]
    public void A_new_connection_begins_with_a_whole_message_a_second_later() => Run(bed =>
    {
        using Peer listener = Bed.Listen();
        List<byte> staged = [];
        using (Peer reader = bed.AcceptFrom(listener))
        {
            for (uint i = 0; Stage(bed.Channel, Message(1000, i), staged); i++) { }
            Assert.False(bed.Channel.Flush());
            reader.LingerState = new LingerOption(true, 0);
        }
        bed.Until(() => bed.Handler.Disconnected);
        Assert.True(bed.Channel.StagedCount > 0);
        Assert.True(bed.Channel.Reserve().IsEmpty);
        long lost = Clock.MonotonicMicroseconds();

        using Peer next = bed.AcceptFrom(listener);
        Assert.True(bed.Handler.LostSome);
        Assert.InRange(bed.ConnectedAt - lost, 0, 1_500_000);
        Assert.InRange(bed.ConnectedAt - bed.FirstConnectedAt, 900_000, 5_000_000);
        bed.Channel.Flush();
        byte[] head = new byte[SyncHeader.Size];
        bed.Until(() => next.Available >= head.Length);
        next.Receive(head);
        Assert.True(SyncHeader.TryRead(head, out SyncHeader header, out int version));
        Assert.Equal((1, 1000), (version, header.Length));
        Assert.True(header.Sequence > 0, "some were sent whole on the first connection");
    });

    [RootFact]
    public void Messages_are_taken_out_whole_for_another_link() => Run(bed =>
    {
        using Peer listener = Bed.Listen();
        using Peer reader = bed.AcceptFrom(listener);
        List<byte> staged = [];
        for (uint i = 0; Stage(bed.Channel, Message(300, i), staged); i++) { }
        Assert.False(bed.Channel.Flush());
        var pieces = new Queue<byte[]>();
        bed.Channel.Unstage(pieces);
        Assert.NotEmpty(pieces);
        Assert.All(pieces, piece => Assert.Equal(0, piece.Length % 300));
        Assert.All(pieces, piece => Assert.InRange(piece.Length, 300, 9000));

        // The message that was begun is finished; together they are all.
        List<byte> all = [];
        byte[] read = new byte[4096];
        bed.Until(() =>
        {
            while (reader.Available > 0) { all.AddRange(read[..reader.Receive(read)]); }
            return bed.Channel.Flush() && reader.Available == 0 && all.Count % 300 == 0;
        });
        foreach (byte[] piece in pieces) { all.AddRange(piece); }
        Assert.Equal(staged, all);
    });

    [RootFact]
    [Trait("Defect", "27")]
    public void A_message_cut_by_the_end_of_its_connection_does_not_reach_the_next() => Run(bed =>
    {
        byte[] message = Message(100, 7);
        using (Peer first = Bed.Connect("127.0.0.2"))
        {
            first.Send(message.AsSpan(0, 60));
            bed.Until(() => bed.Channel.Counters.BytesReceived == 60);
        }
        bed.Until(() => !bed.Channel.IsServerConnected);
        Assert.Equal(1ul, bed.Channel.Counters.ErrorsReceived);
        using Peer second = Bed.Connect("127.0.0.2");
        for (int i = 0; i < message.Length; i++)
        {
            second.Send(message.AsSpan(i, 1));
            bed.Turn();
        }
        bed.Until(() => bed.Handler.Received.Count == 100);
        Assert.Equal(message, bed.Handler.Received);
        Assert.Equal(new Address(0, 0x7f00_0002), bed.Handler.From.Address);
        Assert.Equal(0ul, bed.Received.Malformed);
    });

    [RootFact]
    [Trait("Defect", "W3")]
    public void Garbage_closes_the_connection_and_strangers_get_none() => Run(bed =>
    {
        using Peer garbage = Bed.Connect("127.0.0.2");
        bed.Until(() => bed.Channel.IsServerConnected);
        garbage.Send([.. Message(40, 1), 0x10, 0, 0, 7, 0, 0, 0, 0, .. Message(40, 2)]);
        bed.Until(() => bed.Received.BadSize == 1);
        Assert.False(bed.Channel.IsServerConnected);
        Assert.Equal(Message(40, 1), bed.Handler.Received);

        using Peer stranger = Bed.Connect("127.0.0.3");
        bed.Until(() => bed.Handler.Foreign.Count == 1);
        Assert.Equal(new Address(0, 0x7f00_0003), bed.Handler.Foreign[0]);
        Assert.False(bed.Channel.IsServerConnected);
        Assert.Equal(1ul, bed.Channel.Counters.Foreign);
    });

    [RootFact]
    public void A_channel_talks_over_ipv6_as_well() => PrivateNetwork.Run(() =>
    {
        var address = new Address(0, 1);
        using var bed = new Bed(s_options with
        {
            Family = AddressFamily.Ipv6,
            Local = address,
            Target = address,
        });
        bed.Until(() => bed.Channel is { IsServerConnected: true, IsClientConnected: true });
        List<byte> staged = [];
        Assert.True(Stage(bed.Channel, Message(500, 1), staged));
        Assert.True(bed.Channel.Flush());
        bed.Until(() => bed.Handler.Received.Count == 500);
        Assert.Equal(staged, bed.Handler.Received);
    });

    private static void Run(Action<Bed> test) => PrivateNetwork.Run(() =>
    {
        using var bed = new Bed(s_options);
        test(bed);
    });

    private static bool Stage(LinkChannel channel, byte[] message, List<byte> staged)
    {
        Span<byte> room = channel.Reserve();
        if (room.IsEmpty && channel.Flush()) { room = channel.Reserve(); }
        if (room.IsEmpty) { return false; }
        message.CopyTo(room);
        channel.Commit(message.Length);
        staged.AddRange(message);
        return true;
    }

    private static byte[] Message(int length, uint sequence)
    {
        byte[] message = new byte[length];
        new SyncHeader(SyncType.FlowNew, SyncFlags.None, (ushort)length, sequence).Write(message);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(length - 4), ~sequence);
        return message;
    }

    /// <summary>A channel in a loop.</summary>
    private sealed class Bed : IDisposable
    {
        private readonly EventLoop _loop;

        internal Bed(ChannelOptions options)
        {
            Assert.Equal(Errno.None, EventLoop.TryCreate(out EventLoop? loop));
            _loop = loop!;
            Errno error = StreamChannel.TryOpen(
                options, Received, new ChannelCounters(), out StreamChannel? channel,
                out string what);
            Assert.True(error == Errno.None, $"{what}: {error}");
            Channel = channel!;
            Assert.Equal(Errno.None, Channel.Register(_loop, Handler));
        }

        internal ReceiveCounters Received { get; } = new();

        internal StreamChannel Channel { get; }

        internal Recorder Handler { get; } = new();

        internal long FirstConnectedAt { get; private set; }

        internal long ConnectedAt { get; private set; }

        internal void Turn()
        {
            _loop.RunOnce(10);
            Channel.OnDeadline();
        }

        internal void Until(Func<bool> isTrue)
        {
            long end = Clock.MonotonicMicroseconds() + 10_000_000;
            while (!isTrue())
            {
                Assert.True(Clock.MonotonicMicroseconds() < end, "it does not come true");
                Turn();
            }
        }

        internal static Peer Listen()
        {
            var listener = new Peer(SocketType.Stream, ProtocolType.Tcp);
            listener.ReceiveBufferSize = 4096;
            listener.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), Port));
            listener.Listen();
            return listener;
        }

        internal Peer AcceptFrom(Peer listener)
        {
            Until(() => Channel.IsClientConnected);
            ConnectedAt = Clock.MonotonicMicroseconds();
            if (FirstConnectedAt == 0) { FirstConnectedAt = ConnectedAt; }
            return listener.Accept();
        }

        internal static Peer Connect(string from)
        {
            var client = new Peer(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            client.Connect(new IPEndPoint(IPAddress.Parse("127.0.0.1"), Port));
            return client;
        }

        public void Dispose()
        {
            Channel.Dispose();
            _loop.Dispose();
        }
    }

    private sealed class Recorder : IDatagramHandler
    {
        internal List<byte> Received { get; } = [];

        internal List<Address> Foreign { get; } = [];

        internal PeerAddress From { get; private set; }

        internal bool Connected { get; private set; }

        internal bool LostSome { get; private set; }

        internal bool Disconnected { get; private set; }

        public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram)
        {
            From = from;
            Received.AddRange(datagram);
        }

        public void OnForeign(in PeerAddress from) => Foreign.Add(from.Address);

        public void OnConnected(bool lostSome)
        {
            Connected = true;
            LostSome = lostSome;
        }

        public void OnDisconnected(Errno error) => Disconnected = true;
    }
}
