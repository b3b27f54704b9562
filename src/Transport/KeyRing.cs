using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>The keys of a key file, by number; one of them is sent with.</summary>
internal sealed class KeyRing : IDisposable
{
    /// <summary>Two are enough to change keys; two more for the careful.</summary>
    internal const int KeysMax = 4;

    private readonly SecretMemory _keys = new(KeysMax * Sodium.KeySize);
    private readonly byte[] _numbers = new byte[KeysMax];
    private readonly bool[] _isAes = new bool[KeysMax];

    internal int Count { get; private set; }

    /// <summary>Index of the key to send with; -1 while none is marked.</summary>
    internal int Active { get; private set; } = -1;

    /// <summary>False if the system may write the keys to its swap.</summary>
    internal bool IsLocked => _keys.IsLocked;

    internal byte NumberOf(int index) => _numbers[index];

    /// <summary>True if the key is for AES-256-GCM, false for ChaCha20-Poly1305.</summary>
    internal bool IsAes(int index) => _isAes[index];

    internal ReadOnlySpan<byte> Key(int index) =>
        _keys.Span.Slice(index * Sodium.KeySize, Sodium.KeySize);

    /// <summary>-1 if there is no key with that number.</summary>
    internal int Find(byte number) => _numbers.AsSpan(0, Count).IndexOf(number);

    /// <summary>False if the text is no key in hexadecimal digits. There must be room.</summary>
    internal bool TryAdd(byte number, ReadOnlySpan<byte> hex)
    {
        Span<byte> key = _keys.Span.Slice(Count * Sodium.KeySize, Sodium.KeySize);
        if (!Sodium.TryReadHex(hex, key)) { return false; }
        _numbers[Count++] = number;
        return true;
    }

    /// <summary>The key that was added last is for the other cipher.</summary>
    internal void UseAes() => _isAes[Count - 1] = true;

    /// <summary>Marks the key that was added last.</summary>
    internal void Activate() => Active = Count - 1;

    public void Dispose() => _keys.Dispose();
}
