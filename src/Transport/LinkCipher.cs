using Conntrackd.Linux;
using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>
/// ChaCha20-Poly1305, or AES-256-GCM if the key says so, with a key of its own for every
/// incarnation of every node.
/// </summary>
/// <remarks><code>
/// key of a frame = BLAKE2b-256(key: the key file's, text: purpose | incarnation)
/// nonce          = 6 zeros | counter of the frame
/// </code>The library's work, not ours. Derived keys are kept: a frame costs one call. The cipher
/// belongs to the key: no frame says which it is, so nobody can ask for another, and the purpose
/// differs, so a key that is marked differently on two nodes gives two keys.</remarks>
internal sealed class LinkCipher : IFrameCipher, IDisposable
{
    private const int OwnSlot = 0;
    private const int KeysPerSlot = KeyRing.KeysMax;

    private readonly SecretMemory _derived =
        new(SealedFraming.Slots * KeysPerSlot * Sodium.KeySize);

    private readonly bool[] _isDerived = new bool[SealedFraming.Slots * KeysPerSlot];
    private KeyRing _ring;

    /// <summary>Owns the ring from now on.</summary>
    internal LinkCipher(KeyRing ring) => _ring = ring;

    public byte ActiveKey => _ring.NumberOf(_ring.Active);

    private static ReadOnlySpan<byte> Purpose => "conntrackd sealed link, frame version 2"u8;

    private static ReadOnlySpan<byte> AesPurpose =>
        "conntrackd sealed link, frame version 2, AES-256-GCM"u8;

    public bool Has(byte keyNumber) => _ring.Find(keyNumber) >= 0;

    /// <summary>Other keys from the next frame on.</summary>
    internal void Change(KeyRing ring)
    {
        _ring.Dispose();
        _ring = ring;
        for (int slot = 0; slot < SealedFraming.Slots; slot++) { Forget(slot); }
    }

    public void Seal(Span<byte> frame)
    {
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        WriteNonce(frame, nonce);
        Sodium.Seal(
            frame[SealHeader.Size..], frame[..SealHeader.Size], nonce,
            KeyFor(OwnSlot, _ring.Active, frame), _ring.IsAes(_ring.Active));
    }

    public bool TryOpen(int slot, ReadOnlySpan<byte> frame, Span<byte> text)
    {
        if (!FrameHeader.TryRead(frame, out FrameHeader header)) { return false; }
        int index = _ring.Find(header.KeyNumber);
        if (index < 0) { return false; }
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        WriteNonce(frame, nonce);
        return Sodium.TryOpen(
            frame[SealHeader.Size..], frame[..SealHeader.Size], nonce,
            KeyFor(slot, index, frame), _ring.IsAes(index), text);
    }

    public void Forget(int slot)
    {
        const int Bytes = KeysPerSlot * Sodium.KeySize;
        Sodium.Erase(_derived.Span.Slice(slot * Bytes, Bytes));
        _isDerived.AsSpan(slot * KeysPerSlot, KeysPerSlot).Clear();
    }

    public void Dispose()
    {
        _derived.Dispose();
        _ring.Dispose();
    }

    private static void WriteNonce(ReadOnlySpan<byte> frame, Span<byte> nonce)
    {
        nonce.Clear();
        frame.Slice(SealHeader.CounterAt, SealHeader.CounterSize)
            .CopyTo(nonce[(Sodium.NonceSize - SealHeader.CounterSize)..]);
    }

    private Span<byte> KeyFor(int slot, int index, ReadOnlySpan<byte> frame)
    {
        int at = (slot * KeysPerSlot) + index;
        Span<byte> key = _derived.Span.Slice(at * Sodium.KeySize, Sodium.KeySize);
        if (!_isDerived[at])
        {
            ReadOnlySpan<byte> purpose = _ring.IsAes(index) ? AesPurpose : Purpose;
            Span<byte> room = stackalloc byte[AesPurpose.Length + Incarnation.Size];
            Span<byte> text = room[..(purpose.Length + Incarnation.Size)];
            purpose.CopyTo(text);
            frame.Slice(SealHeader.SenderAt, Incarnation.Size).CopyTo(text[purpose.Length..]);
            Sodium.Derive(key, text, _ring.Key(index));
            _isDerived[at] = true;
        }
        return key;
    }
}
