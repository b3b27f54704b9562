using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

/// <summary>struct iovec, bits/types/struct_iovec.h: one piece of memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MemoryPiece
{
    internal byte* Start;
    internal nuint Bytes;
}

/// <summary>struct mmsghdr, sys/socket.h on 64-bit machines: one message of a batch.</summary>
/// <remarks><code>
/// 0 name   8 name bytes, u32   16 pieces   24 count of pieces   32 control   40 control bytes
/// 48 flags, int   56 bytes sent or received, u32   64
/// </code></remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BatchedMessage
{
    internal byte* Name;
    internal uint NameBytes;
    internal MemoryPiece* Pieces;
    internal nuint PieceCount;
    internal byte* Control;
    internal nuint ControlBytes;
    internal int Flags;
    private readonly int _pad;
    internal uint Bytes;
    private readonly uint _padEnd;
}
