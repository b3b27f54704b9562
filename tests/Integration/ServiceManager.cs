using System.Net.Sockets;
using System.Text;

namespace Conntrackd.Tests.Integration;

/// <summary>The socket that a service manager listens on, see sd_notify(3).</summary>
internal sealed class ServiceManager : IDisposable
{
    private const int PatienceMilliseconds = 10_000;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, 0);
    private readonly byte[] _buffer = new byte[1024];

    internal ServiceManager(string path)
    {
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        _socket.ReceiveTimeout = PatienceMilliseconds;
    }

    /// <summary>The next datagram that begins so; others are skipped.</summary>
    internal string Next(string start)
    {
        while (true)
        {
            string text = Encoding.UTF8.GetString(_buffer, 0, _socket.Receive(_buffer));
            if (text.StartsWith(start, StringComparison.Ordinal)) { return text; }
        }
    }

    public void Dispose() => _socket.Dispose();
}
