using System.Threading;

namespace Conntrackd.Linux;

/// <summary>Memory for keys: never swapped, never in a core file, zeroed at its end.</summary>
/// <remarks>
/// Taken from libsodium: pages of its own between two that nobody may touch, so that a read past
/// the end of another buffer ends the process and not the secret. The managed heap is no place for
/// a key: the collector copies, and erases no copy. Zeroed when taken.
/// </remarks>
internal sealed unsafe class SecretMemory : IDisposable
{
    private static int s_bytes, s_lockedBytes;

    private readonly int _bytes;
    private byte* _start;

    /// <summary><see cref="Sodium.TryStart"/> comes first.</summary>
    internal SecretMemory(int bytes)
    {
        _bytes = bytes;
        _start = Sodium.Native.sodium_malloc((nuint)bytes);
        if (_start == null)
        {
            throw new InsufficientMemoryException($"no memory for {bytes} bytes of keys");
        }
        IsLocked = Sodium.Native.sodium_mlock(_start, (nuint)bytes) == 0;
        Span.Clear();
        Count(1);
    }

    /// <summary>Bytes of all secrets that there are; for reports.</summary>
    internal static int Bytes => Volatile.Read(ref s_bytes);

    /// <summary>Those of them that are never swapped.</summary>
    internal static int LockedBytes => Volatile.Read(ref s_lockedBytes);

    /// <summary>False if the system refused to keep it in memory (RLIMIT_MEMLOCK).</summary>
    internal bool IsLocked { get; }

    /// <summary>Valid until this is disposed of.</summary>
    internal Span<byte> Span => new(_start, _start == null ? 0 : _bytes);

    public void Dispose()
    {
        if (_start == null) { return; }
        Sodium.Native.sodium_free(_start);
        _start = null;
        Count(-1);
    }

    private void Count(int sign)
    {
        Interlocked.Add(ref s_bytes, sign * _bytes);
        if (IsLocked) { Interlocked.Add(ref s_lockedBytes, sign * _bytes); }
    }
}
