namespace Conntrackd.Wire;

/// <summary>The keys and the cipher of a sealed link; the library is not known here.</summary>
/// <remarks>
/// A slot keeps what is derived from the keys for one incarnation. Slot 0 is ours.
/// </remarks>
internal interface IFrameCipher
{
    /// <summary>Number of the key that is sent with.</summary>
    byte ActiveKey { get; }

    /// <summary>True if a key has this number.</summary>
    bool Has(byte keyNumber);

    /// <summary>
    /// Encrypts what stands behind the header in place and writes the tag, the last bytes.
    /// </summary>
    void Seal(Span<byte> frame);

    /// <summary>
    /// Decrypts into <paramref name="text"/>. False if the frame was not sealed by its sender with
    /// the key it names. The header was read.
    /// </summary>
    bool TryOpen(int slot, ReadOnlySpan<byte> frame, Span<byte> text);

    /// <summary>Another incarnation will use the slot.</summary>
    void Forget(int slot);
}
