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
}
