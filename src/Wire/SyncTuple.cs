using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>Parts of a tuple as attributes carry them: source, then target.</summary>
internal static class SyncTuple
{
    /// <summary>Reads 8 or 32 bytes of addresses, by family.</summary>
    internal static void ReadAddresses(
        AddressFamily family, ReadOnlySpan<byte> source, ref FlowTuple tuple)
    {
        if (family == AddressFamily.Ipv4)
        {
            tuple.Source = Address.ReadIpv4(source);
            tuple.Target = Address.ReadIpv4(source[Address.Ipv4Size..]);
        }
        else
        {
            tuple.Source = Address.ReadIpv6(source);
            tuple.Target = Address.ReadIpv6(source[Address.Ipv6Size..]);
        }
    }

    /// <summary>Reads 4 bytes of ports.</summary>
    internal static void ReadPorts(ReadOnlySpan<byte> source, ref FlowTuple tuple)
    {
        tuple.L4Source = BinaryPrimitives.ReadUInt16BigEndian(source);
        tuple.L4Target = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
    }
}
