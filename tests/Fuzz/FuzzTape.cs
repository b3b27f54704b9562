using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;

namespace Conntrackd.Tests.Fuzz;

/// <summary>The inputs that one target got, in their order; a failure is saved as one.</summary>
/// <remarks><code>
/// for each input: u32 length, little-endian; its bytes
/// </code>The name of the file begins with that of the target and a dash.</remarks>
internal sealed class FuzzTape
{
    private byte[] _bytes = new byte[1 << 16];
    private readonly List<int> _starts = [];
    private int _length;

    internal int Count => _starts.Count;

    internal void Clear()
    {
        _starts.Clear();
        _length = 0;
    }

    internal void Add(ReadOnlySpan<byte> input)
    {
        int needed = _length + sizeof(int) + input.Length;
        if (needed > _bytes.Length) { Array.Resize(ref _bytes, 2 * needed); }
        _starts.Add(_length);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_length), input.Length);
        input.CopyTo(_bytes.AsSpan(_length + sizeof(int)));
        _length = needed;
    }

    internal ReadOnlySpan<byte> this[int index]
    {
        get
        {
            int at = _starts[index];
            int bytes = BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at));
            return _bytes.AsSpan(at + sizeof(int), bytes);
        }
    }

    /// <summary>The last inputs, as a tape of their own.</summary>
    internal FuzzTape Last(int count)
    {
        var last = new FuzzTape();
        for (int i = Count - count; i < Count; i++) { last.Add(this[i]); }
        return last;
    }

    internal void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, _bytes[.._length]);
    }

    internal static FuzzTape Load(string path)
    {
        var tape = new FuzzTape();
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        while (rest.Length >= sizeof(int))
        {
            int bytes = BinaryPrimitives.ReadInt32LittleEndian(rest);
            tape.Add(rest.Slice(sizeof(int), bytes));
            rest = rest[(sizeof(int) + bytes)..];
        }
        return tape;
    }
}
