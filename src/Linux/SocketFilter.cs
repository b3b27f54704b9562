namespace Conntrackd.Linux;

/// <summary>Gives a socket the classic BPF program that decides what it receives.</summary>
/// <remarks>
/// The kernel runs it before a message is queued. A program is replaced by attaching another, and
/// no message meets the socket without one. Source: linux/filter.h.
/// </remarks>
internal static unsafe class SocketFilter
{
    private const int InstructionBytes = 8;         // struct sock_filter
    private const int ProgramBytes = 16;            // struct sock_fprog: u16 count, pointer at 8
    private const int ProgramPointerAt = 8;

    private static readonly SocketOption s_attach = new(Level: 1, Name: 26); // SO_ATTACH_FILTER

    /// <summary>
    /// Attaches instructions in the form of the kernel; Einval if they are no program.
    /// </summary>
    internal static Errno Attach(int fd, ReadOnlySpan<byte> instructions)
    {
        byte* program = stackalloc byte[ProgramBytes];
        new Span<byte>(program, ProgramBytes).Clear();
        *(ushort*)program = (ushort)(instructions.Length / InstructionBytes);
        fixed (byte* code = instructions)
        {
            *(byte**)(program + ProgramPointerAt) = code;
            return Libc.SetOption(fd, s_attach, new ReadOnlySpan<byte>(program, ProgramBytes));
        }
    }
}
