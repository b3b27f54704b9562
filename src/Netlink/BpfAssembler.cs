using System.Buffers.Binary;
using System.Collections.Generic;

namespace Conntrackd.Netlink;

/// <summary>Writes a classic BPF program for a netlink socket, last instruction first.</summary>
/// <remarks>
/// Jumps lead forward only, so whoever writes from the end knows every target. A conditional jump
/// reaches 255 instructions: where the target is farther away, one that does not depend on anything
/// (its distance has 32 bits) is put between, and shared by all that can reach it.
/// <code>
/// label      number of an instruction, counted from the end of the program
/// fall       an instruction that is no jump goes on with the one written before it
/// struct sock_filter: u16 code, u8 distance if true, u8 distance if false, u32 value
/// </code>Source: linux/filter.h, linux/bpf_common.h; shared spec ctnetlink, section 9.
/// </remarks>
internal sealed class BpfAssembler
{
    /// <summary>What the kernel takes (BPF_MAXINSNS).</summary>
    internal const int InstructionsMax = 4096;

    internal const int InstructionBytes = 8;

    private const ushort LoadImmediate = 0x00;      // BPF_LD | BPF_IMM
    private const ushort LoadIndexImmediate = 0x01; // BPF_LDX | BPF_IMM
    private const ushort LoadByteAt = 0x30;         // BPF_LD | BPF_B | BPF_ABS
    private const ushort LoadWordAt = 0x20;         // BPF_LD | BPF_W | BPF_ABS
    private const ushort LoadByteIndexed = 0x50;    // BPF_LD | BPF_B | BPF_IND
    private const ushort LoadWordIndexed = 0x40;    // BPF_LD | BPF_W | BPF_IND
    private const ushort ToIndex = 0x07;            // BPF_MISC | BPF_TAX
    private const ushort Jump = 0x05;               // BPF_JMP | BPF_JA
    private const ushort IfEqual = 0x15;            // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort IfAtLeast = 0x35;          // BPF_JMP | BPF_JGE | BPF_K
    private const ushort ReturnValue = 0x06;        // BPF_RET | BPF_K

    // SKF_AD_OFF with SKF_AD_NLATTR and SKF_AD_NLATTR_NEST: find the attribute of type X.
    private const uint FindAttribute = 0xfffff000 + 12;
    private const uint FindNested = 0xfffff000 + 16;

    private const int DistanceMax = byte.MaxValue;

    private readonly List<(ushort Code, byte IfTrue, byte IfFalse, uint Value)> _program = [];
    private readonly Dictionary<int, int> _between = [];

    internal int Count => _program.Count;

    /// <summary>The instruction written last, which the next one falls to.</summary>
    internal int Last => _program.Count - 1;

    /// <summary>Ends: 0 drops the message, anything else keeps so many bytes.</summary>
    internal int Return(uint value) => Write(ReturnValue, value);

    /// <summary>A = byte of the message.</summary>
    internal int LoadByte(int at) => Write(LoadByteAt, (uint)at);

    /// <summary>A = word of the message, in network order.</summary>
    internal int LoadWord(int at) => Write(LoadWordAt, (uint)at);

    /// <summary>A = byte of what X stands at.</summary>
    internal int LoadByteOfFound(int at) => Write(LoadByteIndexed, (uint)at);

    /// <summary>A = word of what X stands at, in network order.</summary>
    internal int LoadWordOfFound(int at) => Write(LoadWordIndexed, (uint)at);

    /// <summary>X = where an attribute begins, down a path of nests; A is lost.</summary>
    /// <param name="first">Where the attributes of the message begin.</param>
    /// <param name="path">Types, the outermost first.</param>
    /// <param name="absent">Where to go on if one is not there.</param>
    internal void Find(int first, ReadOnlySpan<int> path, int absent)
    {
        Write(ToIndex, 0);
        for (int i = path.Length - 1; i >= 0; i--)
        {
            int found = Last;
            WhenEqual(0, absent, found);
            Write(LoadWordAt, i == 0 ? FindAttribute : FindNested);
            Write(LoadIndexImmediate, (uint)path[i]);
        }
        Write(LoadImmediate, (uint)first);
    }

    /// <summary>Goes on at one label if A equals the value, else at the other.</summary>
    internal int WhenEqual(uint value, int then, int otherwise) =>
        Branch(IfEqual, value, then, otherwise);

    /// <summary>Goes on at one label if A is the value or more, else at the other.</summary>
    internal int WhenAtLeast(uint value, int then, int otherwise) =>
        Branch(IfAtLeast, value, then, otherwise);

    /// <summary>Makes the next instruction fall to a label.</summary>
    internal void FallTo(int label)
    {
        if (label != Last) { WriteJump(label); }
    }

    /// <summary>The program in the order and the form the kernel reads it.</summary>
    internal byte[] ToArray()
    {
        byte[] bytes = new byte[Count * InstructionBytes];
        Span<byte> target = bytes;
        for (int i = Last; i >= 0; i--, target = target[InstructionBytes..])
        {
            (ushort code, byte ifTrue, byte ifFalse, uint value) = _program[i];
            if (BitConverter.IsLittleEndian)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(target, code);
                BinaryPrimitives.WriteUInt32LittleEndian(target[4..], value);
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(target, code);
                BinaryPrimitives.WriteUInt32BigEndian(target[4..], value);
            }
            target[2] = ifTrue;
            target[3] = ifFalse;
        }
        return bytes;
    }

    private int Branch(ushort code, uint value, int then, int otherwise)
    {
        int ifTrue = Reach(then);
        int ifFalse = Reach(otherwise);
        _program.Add((code, Distance(ifTrue), Distance(ifFalse), value));
        return Last;
    }

    // A label within reach, even if one more jump is put between.
    private int Reach(int label)
    {
        const int Farthest = DistanceMax - 1;
        if (Count - label - 1 <= Farthest) { return label; }
        if (_between.TryGetValue(label, out int near) && Count - near - 1 <= Farthest)
        {
            return near;
        }
        return _between[label] = WriteJump(label);
    }

    private byte Distance(int label) => checked((byte)(Count - label - 1));

    private int WriteJump(int label) => Write(Jump, (uint)(Count - label - 1));

    private int Write(ushort code, uint value)
    {
        _program.Add((code, 0, 0, value));
        return Last;
    }
}
