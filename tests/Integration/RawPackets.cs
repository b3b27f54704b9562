using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Conntrackd.Conntrack;
using AddressFamily = System.Net.Sockets.AddressFamily;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Sends whole IP packets of both ends of a flow, from the namespace of the thread that made it.
/// </summary>
/// <remarks>
/// Connection tracking sees them as the firewall's own: it does not ask for a checksum of these,
/// nor for their source.
/// </remarks>
internal sealed class RawPackets : IDisposable
{
    private const int Ipv4HeaderBytes = 20, Ipv6HeaderBytes = 40;

    private readonly Socket _ipv4 = new(AddressFamily.InterNetwork, SocketType.Raw,
        ProtocolType.Raw);
    private readonly Socket _ipv6 = new(AddressFamily.InterNetworkV6, SocketType.Raw,
        ProtocolType.Raw);

    internal static int HeaderBytes(in Flow flow) => IsIpv4(flow)
        ? Ipv4HeaderBytes : Ipv6HeaderBytes;

    /// <summary>A packet of one end of a flow, with all that follows the IP header.</summary>
    internal void Send(in Flow flow, bool reply, ReadOnlySpan<byte> body)
    {
        FlowTuple tuple = reply ? flow.Reply : flow.Orig;
        int header = HeaderBytes(flow);
        byte[] packet = new byte[header + body.Length];
        body.CopyTo(packet.AsSpan(header));
        if (IsIpv4(flow))
        {
            packet[0] = 0x45;           // version 4, five words
            packet[8] = 64;             // time to live
            packet[9] = flow.Protocol;
            tuple.Source.WriteIpv4(packet.AsSpan(12));
            tuple.Target.WriteIpv4(packet.AsSpan(16));
            _ipv4.SendTo(packet, new IPEndPoint(new IPAddress(packet.AsSpan(16, 4)), 0));
            return;
        }
        packet[0] = 0x60;               // version 6
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)body.Length);
        packet[6] = flow.Protocol;
        packet[7] = 64;                 // hop limit
        tuple.Source.WriteIpv6(packet.AsSpan(8));
        tuple.Target.WriteIpv6(packet.AsSpan(24));
        _ipv6.SendTo(packet, new IPEndPoint(new IPAddress(packet.AsSpan(24, 16)), 0));
    }

    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6.Dispose();
    }

    private static bool IsIpv4(in Flow flow) =>
        flow.Family == Conntrackd.Conntrack.AddressFamily.Ipv4;
}
