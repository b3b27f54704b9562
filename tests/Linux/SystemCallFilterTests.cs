using System.Collections.Generic;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

/// <summary>The filter's program, run by hand over calls of both machines.</summary>
public sealed class SystemCallFilterTests
{
    private const uint Allowed = 0x7fff0000, Refused = 0x00050001, Killed = 0x80000000;
    private const uint X64 = 0xC000003E, Arm64 = 0xC00000B7;

    [Theory]
    [InlineData(X64, 299, 0, 0, Allowed)]           // recvmmsg
    [InlineData(X64, 41, 2, 0, Allowed)]            // socket, IPv4
    [InlineData(X64, 41, 16, 0, Allowed)]           // socket, netlink
    [InlineData(X64, 41, 17, 0, Refused)]           // socket, packets
    [InlineData(X64, 56, 0x3d0f00, 0, Allowed)]     // clone, a thread
    [InlineData(X64, 56, 17, 0, Refused)]           // clone, a process
    [InlineData(X64, 435, 0, 0, Allowed)]           // clone3: the other filter has a say
    [InlineData(X64, 9, 0, 3, Allowed)]             // mmap, data
    [InlineData(X64, 9, 0, 5, Refused)]             // mmap, code
    [InlineData(X64, 10, 0, 7, Refused)]            // mprotect, both
    [InlineData(X64, 59, 0, 0, Refused)]            // execve
    [InlineData(X64, 57, 0, 0, Refused)]            // fork
    [InlineData(X64, 101, 0, 0, Refused)]           // ptrace
    [InlineData(X64, 425, 0, 0, Refused)]           // io_uring_setup
    [InlineData(X64, 0x4000012b, 0, 0, Refused)]    // recvmmsg of x32
    [InlineData(Arm64, 299, 0, 0, Refused)]         // of the other machine
    public void Verdicts_on_x86_64(uint machine, uint call, uint first, uint third, uint verdict) =>
        Assert.Equal(verdict, Run(isArm64: false, machine, call, first, third));

    [Theory]
    [InlineData(Arm64, 243, 0, 0, Allowed)]         // recvmmsg
    [InlineData(Arm64, 198, 10, 0, Allowed)]        // socket, IPv6
    [InlineData(Arm64, 198, 38, 0, Refused)]        // socket, AF_ALG
    [InlineData(Arm64, 220, 17, 0, Refused)]        // clone, a process
    [InlineData(Arm64, 226, 0, 4, Refused)]         // mprotect, code
    [InlineData(Arm64, 221, 0, 0, Refused)]         // execve
    [InlineData(X64, 243, 0, 0, Refused)]           // of the other machine
    public void Verdicts_on_arm64(uint machine, uint call, uint first, uint third, uint verdict) =>
        Assert.Equal(verdict, Run(isArm64: true, machine, call, first, third));

    [Fact]
    public void A_filter_that_kills_refuses_nothing_gently()
    {
        List<SystemCallFilter.Instruction> code = SystemCallFilter.Assemble(false, kill: true);
        Assert.DoesNotContain(code, i => i is { Code: 0x06, Value: Refused });
        Assert.Contains(code, i => i is { Code: 0x06, Value: Killed });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_jump_is_in_reach(bool isArm64) =>
        Assert.InRange(SystemCallTable.Plain(isArm64).Count, 100, byte.MaxValue);

    // What the kernel does: accumulator, loads from struct seccomp_data, jumps, return.
    private static uint Run(bool isArm64, uint machine, uint call, uint first, uint third)
    {
        List<SystemCallFilter.Instruction> code = SystemCallFilter.Assemble(isArm64, kill: false);
        uint value = 0;
        for (int at = 0; ; at++)
        {
            SystemCallFilter.Instruction now = code[at];
            switch (now.Code)
            {
                case 0x20:
                    value = now.Value switch { 0 => call, 4 => machine, 16 => first, _ => third };
                    break;
                case 0x05:
                    at += (int)now.Value;
                    break;
                case 0x15:
                    at += value == now.Value ? now.IfTrue : now.IfFalse;
                    break;
                case 0x45:
                    at += (value & now.Value) != 0 ? now.IfTrue : now.IfFalse;
                    break;
                default:
                    Assert.Equal(0x06, now.Code);
                    return now.Value;
            }
        }
    }
}
