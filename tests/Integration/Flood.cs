using System.Diagnostics;
using System.Threading;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// A thread in a network namespace that sends garbage to a sync port, as fast as the kernel takes
/// it: each datagram is one message of a version that does not exist, and random bytes.
/// </summary>
internal sealed class Flood : IDisposable
{
    private const int Port = 3780, Batch = 64, DatagramBytes = 120;

    private readonly Thread _thread;
    private volatile bool _stop;
    private Exception? _failure;
    private long _sent;
    private double _seconds;

    internal Flood(string namespaceName, string source, string target)
    {
        _thread = new Thread(() => Run(namespaceName, source, target)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends it; how many datagrams left in how many seconds.</summary>
    internal (long Sent, double Seconds) Stop()
    {
        Dispose();
        Assert.Null(_failure);
        return (_sent, _seconds);
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Run(string namespaceName, string source, string target)
    {
        try
        {
            NamespaceThread.Enter(namespaceName);
            Send(source, target);
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void Send(string source, string target)
    {
        Assert.Equal(Errno.None, Libc.Socket(
            Libc.FamilyIpv4, Libc.SocketDatagram, 0, out int fd));
        byte[] from = Address(source, 0), to = Address(target, Port);
        Assert.Equal(Errno.None, Libc.Bind(fd, from));
        using var batch = new SendBatch(Batch, DatagramBytes, to);
        var random = new Random(1);
        long start = Stopwatch.GetTimestamp();
        while (!_stop)
        {
            for (int i = 0; i < Batch; i++)
            {
                Span<byte> datagram = batch.Reserve();
                if (datagram.IsEmpty) { break; }
                random.NextBytes(datagram);
                datagram[0] = 0xF0;
                (datagram[2], datagram[3]) = (0, DatagramBytes);
                batch.Commit(DatagramBytes);
            }
            while (batch.Count > 0)
            {
                Errno error = batch.Send(fd, out int sent, out _);
                _sent += sent;
                if (error != Errno.None) { batch.DropFirst(); }
            }
        }
        _seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Libc.Close(fd);
    }

    private static byte[] Address(string text, int port)
    {
        byte[] four = System.Net.IPAddress.Parse(text).GetAddressBytes();
        byte[] address = new byte[16];
        BitConverter.TryWriteBytes(address, (ushort)2);     // AF_INET
        (address[2], address[3]) = ((byte)(port >> 8), (byte)port);
        four.CopyTo(address, 4);
        return address;
    }
}
