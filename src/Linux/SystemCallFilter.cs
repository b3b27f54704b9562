using System.Collections.Generic;

namespace Conntrackd.Linux;

/// <summary>seccomp: all threads, and those to come, make only the calls that are listed.</summary>
/// <remarks>
/// The list is what the daemon, the runtime and the C library call once everything is open; not on
/// it are starting programs, new processes, other kinds of sockets, executable memory, tracing,
/// mounting, modules. A refused call fails with EPERM and the kernel writes it into its audit log;
/// it does not end a firewall's daemon unless that is asked for.
/// <code>
/// another architecture -> refused     listed -> allowed
/// socket: UNIX, IPv4, IPv6, netlink   clone: threads only   clone3: ENOSYS, the C library then
/// mmap, mprotect: not executable                             uses clone, whose flags can be seen
/// </code>Source: seccomp(2), struct seccomp_data; linux/filter.h. From Linux 5.11 on the kernel
/// remembers the verdict about calls whose arguments do not matter: they cost the same as
/// without.</remarks>
internal static unsafe class SystemCallFilter
{
    private const int InSync = 1;               // SECCOMP_FILTER_FLAG_TSYNC
    private const int Logged = 2;               // SECCOMP_FILTER_FLAG_LOG
    private const uint Allow = 0x7fff0000;      // SECCOMP_RET_ALLOW
    private const uint Fail = 0x00050000;       // SECCOMP_RET_ERRNO, the number in the low bits
    private const uint Kill = 0x80000000;       // SECCOMP_RET_KILL_PROCESS
    private const uint Enosys = 38;             // ENOSYS

    // linux/audit.h
    private const uint ArchitectureX64 = 0xC000003E;    // AUDIT_ARCH_X86_64
    private const uint ArchitectureArm64 = 0xC00000B7;  // AUDIT_ARCH_AARCH64

    // Where the fields of struct seccomp_data stand; of an argument, the low half.
    private const uint NumberAt = 0, ArchitectureAt = 4, FirstAt = 16, ThirdAt = 32;

    private const ushort Load = 0x20;           // BPF_LD | BPF_W | BPF_ABS
    private const ushort Jump = 0x05;           // BPF_JMP | BPF_JA
    private const ushort JumpIfEqual = 0x15;    // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpIfBits = 0x45;     // BPF_JMP | BPF_JSET | BPF_K
    private const ushort Return = 0x06;         // BPF_RET | BPF_K

    private const uint Executable = 4;          // PROT_EXEC
    private const uint CloneThread = 0x10000;   // CLONE_THREAD

    /// <summary>Installs the filter; needs no-new-privileges.</summary>
    internal static Errno Install(bool kill)
    {
        // The kernel asks both. By itself, because this one refusal is expected and not to be
        // logged: glibc before 2.38 tries clone3 for each thread.
        Errno error = Install(WithoutClone3(), InSync);
        return error == Errno.None
            ? Install(Assemble(Libc.IsArm64, kill), InSync | Logged) : error;
    }

    private static Errno Install(List<Instruction> code, int flags)
    {
        using var memory = new NativeBuffer(code.Count * sizeof(Instruction));
        var target = (Instruction*)memory.Start;
        for (int i = 0; i < code.Count; i++) { target[i] = code[i]; }
        byte* program = stackalloc byte[16];    // struct sock_fprog: u16 count, pointer at 8
        new Span<byte>(program, 16).Clear();
        *(ushort*)program = (ushort)code.Count;
        *(Instruction**)(program + 8) = target;
        return Libc.InstallSeccomp(flags, program);
    }

    private static List<Instruction> WithoutClone3() =>
    [
        new(Load, 0, 0, NumberAt),
        new(JumpIfEqual, 0, 1, SystemCallTable.Clone3),
        new(Return, 0, 0, Fail | Enosys),
        new(Return, 0, 0, Allow),
    ];

    /// <summary>The program for one architecture.</summary>
    internal static List<Instruction> Assemble(bool isArm64, bool kill)
    {
        uint refuse = kill ? Kill : Fail | (uint)Errno.Eperm;
        List<Instruction> code =
        [
            new(Load, 0, 0, ArchitectureAt),
            new(JumpIfEqual, 1, 0, isArm64 ? ArchitectureArm64 : ArchitectureX64),
            new(Return, 0, 0, refuse),
            new(Load, 0, 0, NumberAt),
        ];
        List<uint> plain = SystemCallTable.Plain(isArm64);
        for (int i = 0; i < plain.Count; i++)
        {
            // To the instruction that allows, behind the list and the jump that passes it.
            code.Add(new(JumpIfEqual, (byte)(plain.Count - i), 0, plain[i]));
        }
        code.Add(new(Jump, 0, 0, 1));
        code.Add(new(Return, 0, 0, Allow));
        code.AddRange(OnlyFamilies(SystemCallTable.Socket(isArm64), refuse));
        code.AddRange(
        [
            new(JumpIfEqual, 0, 4, SystemCallTable.Clone(isArm64)),
            new(Load, 0, 0, FirstAt),
            new(JumpIfBits, 0, 1, CloneThread),
            new(Return, 0, 0, Allow),
            new(Return, 0, 0, refuse),
            new(JumpIfEqual, 0, 1, SystemCallTable.Clone3),
            new(Return, 0, 0, Allow),
        ]);
        foreach (uint call in SystemCallTable.Mapping(isArm64))
        {
            code.AddRange(
            [
                new(JumpIfEqual, 0, 4, call),
                new(Load, 0, 0, ThirdAt),
                new(JumpIfBits, 0, 1, Executable),
                new(Return, 0, 0, refuse),
                new(Return, 0, 0, Allow),
            ]);
        }
        code.Add(new(Return, 0, 0, refuse));
        return code;
    }

    private static IEnumerable<Instruction> OnlyFamilies(uint socket, uint refuse)
    {
        return
        [
            new(JumpIfEqual, 0, 7, socket),
            new(Load, 0, 0, FirstAt),
            new(JumpIfEqual, 3, 0, Libc.FamilyUnix),
            new(JumpIfEqual, 2, 0, Libc.FamilyIpv4),
            new(JumpIfEqual, 1, 0, Libc.FamilyIpv6),
            new(JumpIfEqual, 0, 1, Libc.FamilyNetlink),
            new(Return, 0, 0, Allow),
            new(Return, 0, 0, refuse),
        ];
    }

    /// <summary>struct sock_filter, linux/filter.h.</summary>
    internal readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);
}
