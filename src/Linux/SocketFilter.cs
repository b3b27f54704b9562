using System.Buffers.Binary;

namespace Conntrackd.Linux;

/// <summary>A small classic BPF program that keeps our own echoes off a netlink socket.</summary>
/// <remarks>
/// The kernel runs it before a message is queued: what it drops takes no room in the receive buffer
/// and costs no call. Instructions are struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. Source:
/// linux/filter.h, offsets of linux/netlink.h.
/// </remarks>
internal static unsafe class SocketFilter
{
    private const ushort LoadByte = 0x30;           // BPF_LD | BPF_B | BPF_ABS
    private const ushort LoadWord = 0x20;           // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15;        // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06;             // BPF_RET | BPF_K
    private const uint Pass = uint.MaxValue;
    private const uint Drop = 0;

    private const int InstructionBytes = 8;
    private const int ProgramBytes = 16;            // struct sock_fprog: u16 count, pointer at 8
    private const int ProgramPointerAt = 8;
    private const uint SubsystemAt = 5;             // high byte of nlmsg_type, little-endian
    private const uint PortIdAt = 12;               // nlmsg_pid
    private const int PortIdsMax = 16;

    private static readonly SocketOption s_attach = new(Level: 1, Name: 26); // SO_ATTACH_FILTER

    /// <summary>
    /// Drops messages of one netfilter subsystem that requests from these sockets have caused.
    /// </summary>
    internal static Errno DropEchoes(int fd, byte subsystem, ReadOnlySpan<uint> portIds)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(portIds.Length, PortIdsMax);
        byte* code = stackalloc byte[InstructionBytes * (PortIdsMax + 5)];
        int count = portIds.Length;
        uint subsystemAt = BitConverter.IsLittleEndian ? SubsystemAt : SubsystemAt - 1;
        Write(code, 0, LoadByte, 0, 0, subsystemAt);
        Write(code, 1, JumpIfEqual, 0, (byte)(count + 1), subsystem);
        Write(code, 2, LoadWord, 0, 0, PortIdAt);
        for (int i = 0; i < count; i++)
        {
            // The load reads network order, the field is the machine's.
            uint id = BitConverter.IsLittleEndian
                ? BinaryPrimitives.ReverseEndianness(portIds[i]) : portIds[i];
            Write(code, 3 + i, JumpIfEqual, (byte)(count - i), 0, id);
        }
        Write(code, 3 + count, Return, 0, 0, Pass);
        Write(code, 4 + count, Return, 0, 0, Drop);
        byte* program = stackalloc byte[ProgramBytes];
        new Span<byte>(program, ProgramBytes).Clear();
        *(ushort*)program = (ushort)(count + 5);
        *(byte**)(program + ProgramPointerAt) = code;
        return Libc.SetOption(fd, s_attach, new ReadOnlySpan<byte>(program, ProgramBytes));
    }

    private static void Write(
        byte* program, int index, ushort code, byte ifTrue, byte ifFalse, uint value)
    {
        byte* at = program + (index * InstructionBytes);
        *(ushort*)at = code;
        at[2] = ifTrue;
        at[3] = ifFalse;
        *(uint*)(at + 4) = value;
    }
}
