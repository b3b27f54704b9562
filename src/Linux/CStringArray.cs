using System.Collections.Generic;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>A NULL-terminated array of C strings, as execve and posix_spawn take it.</summary>
internal sealed unsafe class CStringArray : IDisposable
{
    private readonly NativeBuffer _memory;

    internal CStringArray(IReadOnlyList<byte[]> strings)
    {
        int bytes = (strings.Count + 1) * sizeof(byte*);
        foreach (byte[] text in strings) { bytes += text.Length + 1; }
        _memory = new NativeBuffer(bytes);
        Pointers = (byte**)_memory.Start;
        byte* next = (byte*)(Pointers + strings.Count + 1);
        for (int i = 0; i < strings.Count; i++)
        {
            Pointers[i] = next;
            strings[i].CopyTo(new Span<byte>(next, strings[i].Length));
            next += strings[i].Length + 1; // the memory is zero already
        }
    }

    internal byte** Pointers { get; }

    internal static CStringArray From(IEnumerable<string> strings)
    {
        List<byte[]> encoded = [];
        foreach (string text in strings) { encoded.Add(Encoding.UTF8.GetBytes(text)); }
        return new CStringArray(encoded);
    }

    public void Dispose() => _memory.Dispose();
}
