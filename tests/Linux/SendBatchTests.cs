using System.Collections.Generic;
using System.Linq;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

/// <remarks>Over a UNIX datagram socket, whose queue is short (net.unix.max_dgram_qlen).</remarks>
public sealed class SendBatchTests
{
    [Fact]
    public void A_full_socket_leaves_the_rest_staged_and_in_order()
    {
        using TemporaryDirectory directory = new();
        byte[] address = new byte[SocketAddress.UnixSizeMax];
        SocketAddress.TryWriteUnix(address, directory.File("socket"), out int bytes);
        Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int receiver);
        Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int sender);
        Assert.Equal(Errno.None, Libc.Bind(receiver, address.AsSpan(0, bytes)));
        const int Count = 2000;
        using SendBatch batch = new(Count, 64, address.AsSpan(0, bytes));
        using ReceiveBatch received = new(32, 64);
        for (int i = 0; i < Count; i++)
        {
            BitConverter.TryWriteBytes(batch.Reserve(), i);
            batch.Commit(4 + (i % 60));
        }
        Assert.True(batch.Reserve().IsEmpty);

        int next = 0;
        int stalls = 0;
        while (next < Count)
        {
            if (batch.Count > 0)
            {
                batch.Send(sender, out _, out _);
                stalls += batch.Count > 0 ? 1 : 0;
            }
            Assert.Equal(Errno.None, received.Receive(receiver, 100, out int count));
            for (int i = 0; i < count; i++, next++)
            {
                Assert.Equal(next, BitConverter.ToInt32(received.Datagram(i)));
                Assert.Equal(4 + (next % 60), received.Datagram(i).Length);
                Assert.False(received.IsTruncated(i));
            }
        }
        Assert.True(stalls > 0);
        Assert.Equal(0, batch.Count);
        Assert.False(batch.Reserve().IsEmpty);
        Libc.Close(receiver);
        Libc.Close(sender);
    }

    [Fact]
    public void A_datagram_longer_than_the_slot_is_said_to_be_truncated()
    {
        using TemporaryDirectory directory = new();
        byte[] address = new byte[SocketAddress.UnixSizeMax];
        SocketAddress.TryWriteUnix(address, directory.File("socket"), out int bytes);
        Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int fd);
        Libc.Bind(fd, address.AsSpan(0, bytes));
        using ReceiveBatch received = new(4, 8);
        Libc.SendTo(fd, new byte[9], address.AsSpan(0, bytes), out _);
        Libc.SendTo(fd, new byte[8], address.AsSpan(0, bytes), out _);
        Assert.Equal(Errno.None, received.Receive(fd, 4, out int count));
        Assert.Equal(2, count);
        Assert.True(received.IsTruncated(0));
        Assert.Equal(8, received.Datagram(0).Length);
        Assert.False(received.IsTruncated(1));
        Assert.Equal(Errno.Eagain, received.Receive(fd, 4, out _));
        Libc.Close(fd);
    }

    /// <summary>A run of equal ones that a shorter one ends, and longer ones.</summary>
    private static readonly int[] s_lengths =
        [1468, 1468, 1468, 900, 1468, 1468, 4, 1200, 1400, 1468, 1468];

    [Fact]
    public void Equal_datagrams_go_together_and_arrive_as_they_were()
    {
        using LoopbackPair pair = new();
        using SendBatch batch = new(64, 1500, pair.Target) { JoinsEqual = true };
        Assert.Equal(s_lengths, pair.Carry(batch, s_lengths, out int calls));
        Assert.True(batch.JoinsEqual);
        Assert.Equal(1, calls);
    }

    [Fact]
    public void Too_many_for_one_message_take_two()
    {
        using LoopbackPair pair = new();
        using SendBatch batch = new(64, 1500, pair.Target) { JoinsEqual = true };
        int[] lengths = [.. Enumerable.Repeat(1468, 64)];
        Assert.Equal(lengths, pair.Carry(batch, lengths, out _));
        lengths = [.. Enumerable.Repeat(8, 64)];
        Assert.Equal(lengths, pair.Carry(batch, lengths, out _));
    }

    /// <remarks>Without checksums the kernel refuses to cut.</remarks>
    [Fact]
    public void What_is_refused_together_leaves_one_by_one()
    {
        using LoopbackPair pair = new();
        Assert.Equal(Errno.None, Libc.SetOption(pair.Sender, SocketOption.NoChecksum, 1));
        using SendBatch batch = new(64, 1500, pair.Target) { JoinsEqual = true };
        Assert.Equal(s_lengths, pair.Carry(batch, s_lengths, out _));
        Assert.False(batch.JoinsEqual);
    }

    /// <summary>Two UDP sockets on the loopback interface.</summary>
    private sealed class LoopbackPair : IDisposable
    {
        private readonly int _receiver;

        internal LoopbackPair()
        {
            Libc.Socket(Libc.FamilyIpv4, Libc.SocketDatagram, 0, out _receiver);
            Libc.Socket(Libc.FamilyIpv4, Libc.SocketDatagram, 0, out int sender);
            Sender = sender;
            // 127.0.0.1, any port.
            Libc.Bind(_receiver, [2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
            Libc.GetName(_receiver, Target, out _);
        }

        internal int Sender { get; }

        internal byte[] Target { get; } = new byte[16];

        internal List<int> Carry(SendBatch batch, int[] lengths, out int calls)
        {
            for (int i = 0; i < lengths.Length; i++)
            {
                batch.Reserve().Fill((byte)i);
                batch.Commit(lengths[i]);
            }
            for (calls = 0; batch.Count > 0; calls++)
            {
                Assert.Equal(Errno.None, batch.Send(Sender, out _, out _));
            }
            using ReceiveBatch received = new(128, 2048);
            var arrived = new List<int>();
            while (arrived.Count < lengths.Length)
            {
                Assert.Equal(Errno.None, received.Receive(_receiver, 128, out int count));
                for (int i = 0; i < count; i++)
                {
                    ReadOnlySpan<byte> datagram = received.Datagram(i);
                    Assert.Equal(-1, datagram.IndexOfAnyExcept((byte)arrived.Count));
                    arrived.Add(datagram.Length);
                }
            }
            return arrived;
        }

        public void Dispose()
        {
            Libc.Close(_receiver);
            Libc.Close(Sender);
        }
    }
}
