using System.Buffers.Binary;

namespace Conntrackd.Tests.Netlink;

/// <summary>Runs classic BPF over a netlink message as the kernel does.</summary>
/// <remarks>Only what the programs of this daemon use; anything else is an error.</remarks>
internal static class BpfMachine
{
    /// <summary>What the program returns; 0 as the kernel does for a load past the end.</summary>
    internal static uint Run(ReadOnlySpan<byte> program, ReadOnlySpan<byte> message)
    {
        uint a = 0, x = 0;
        for (int at = 0; ; at++)
        {
            ReadOnlySpan<byte> code = program.Slice(at * 8, 8);
            uint k = BitConverter.ToUInt32(code[4..]);
            switch (BitConverter.ToUInt16(code))
            {
                case 0x00: a = k; break;
                case 0x01: x = k; break;
                case 0x07: x = a; break;
                case 0x20 when k == 0xfffff00c: a = Find(message, (int)a, message.Length, x); break;
                case 0x20 when k == 0xfffff010:
                    int end = (int)a + BitConverter.ToUInt16(message[(int)a..]);
                    a = Find(message, (int)a + 4, end, x);
                    break;
                case 0x20: a = BinaryPrimitives.ReadUInt32BigEndian(message[(int)k..]); break;
                case 0x30: a = message[(int)k]; break;
                case 0x40: a = BinaryPrimitives.ReadUInt32BigEndian(message[(int)(x + k)..]); break;
                case 0x50: a = message[(int)(x + k)]; break;
                case 0x05: at += (int)k; break;
                case 0x15: at += a == k ? code[2] : code[3]; break;
                case 0x35: at += a >= k ? code[2] : code[3]; break;
                case 0x06: return k;
                default: throw new InvalidOperationException($"instruction {at}");
            }
        }
    }

    // Where the first attribute of a type begins, 0 if there is none.
    private static uint Find(ReadOnlySpan<byte> message, int from, int end, uint type)
    {
        for (int at = from; at + 4 <= end;)
        {
            int length = BitConverter.ToUInt16(message[at..]);
            if ((BitConverter.ToUInt16(message[(at + 2)..]) & 0x3fff) == type) { return (uint)at; }
            at += (length + 3) & ~3;
        }
        return 0;
    }
}
