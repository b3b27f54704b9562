using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;

namespace Conntrackd.Tests.Vectors;

/// <summary>The sync payloads of a classic pcap file, in the order of the packets.</summary>
/// <remarks>
/// Ethernet, with or without VLAN tags, IPv4 or IPv6, UDP or TCP. Either byte order of the file.
/// Segments of a TCP direction are joined so that every payload given holds whole messages.
/// </remarks>
internal static class Capture
{
    internal static List<byte[]> Payloads(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(file);
        bool little = magic is 0xa1b2c3d4 or 0xa1b23c4d;
        var payloads = new List<byte[]>();
        var tails = new Dictionary<string, byte[]>();
        for (int at = 24; at + 16 <= file.Length;)
        {
            ReadOnlySpan<byte> lengthAt = file.AsSpan(at + 8);
            int length = little
                ? BinaryPrimitives.ReadInt32LittleEndian(lengthAt)
                : BinaryPrimitives.ReadInt32BigEndian(lengthAt);
            Add(file.AsSpan(at + 16, length), payloads, tails);
            at += 16 + length;
        }
        return payloads;
    }

    private static void Add(
        ReadOnlySpan<byte> frame, List<byte[]> payloads, Dictionary<string, byte[]> tails)
    {
        int at = 12;
        int type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        while (type is 0x8100 or 0x88a8)
        {
            at += 4;
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        }
        ReadOnlySpan<byte> packet = frame[(at + 2)..];
        ReadOnlySpan<byte> segment;
        int protocol;
        if (type == 0x0800)
        {
            packet = packet[..BinaryPrimitives.ReadUInt16BigEndian(packet[2..])];
            protocol = packet[9];
            segment = packet[((packet[0] & 0xf) * 4)..];
        }
        else if (type == 0x86dd)
        {
            packet = packet[..(40 + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]))];
            protocol = packet[6];
            segment = packet[40..];
        }
        else
        {
            return;
        }
        if (protocol == 17)
        {
            payloads.Add(segment[8..].ToArray());
        }
        else if (protocol == 6)
        {
            ReadOnlySpan<byte> data = segment[((segment[12] >> 4) * 4)..];
            if (!data.IsEmpty) { Join(Convert.ToHexString(segment[..4]), data, payloads, tails); }
        }
    }

    private static void Join(
        string direction, ReadOnlySpan<byte> data, List<byte[]> payloads,
        Dictionary<string, byte[]> tails)
    {
        byte[] stream = [.. tails.GetValueOrDefault(direction, []), .. data];
        int whole = 0;
        while (stream.Length - whole >= 8)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(stream.AsSpan(whole + 2));
            if (length == 0 || length > stream.Length - whole) { break; }
            whole += length;
        }
        if (whole > 0) { payloads.Add(stream[..whole]); }
        tails[direction] = stream[whole..];
    }
}
