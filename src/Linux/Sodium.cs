using System.Runtime.InteropServices;
using System.Threading;

namespace Conntrackd.Linux;

/// <summary>The calls into libsodium: spans in, call, success out.</summary>
/// <remarks>
/// All cryptography of this program is the library's, linked statically. Used are ChaCha20-Poly1305
/// (RFC 8439), AES-256-GCM where the CPU has instructions for it, keyed BLAKE2b for the derivation
/// of keys, and its random source. None of them reads a secret in another place or for another time
/// because of what the secret is.
/// </remarks>
internal static unsafe partial class Sodium
{
    // The same for both ciphers.
    internal const int KeySize = 32;        // crypto_aead_..._KEYBYTES
    internal const int NonceSize = 12;      // crypto_aead_..._NPUBBYTES
    internal const int TagSize = 16;        // crypto_aead_..._ABYTES

    // One start serves the process: 0 not tried, 1 ready, 2 refused.
    private static int s_state;

    /// <summary>
    /// Chooses the code for this CPU; to be called before anything else here. False if the system
    /// has no source of random numbers.
    /// </summary>
    internal static bool TryStart()
    {
        if (Volatile.Read(ref s_state) == 0)
        {
            Volatile.Write(ref s_state, Native.sodium_init() < 0 ? 2 : 1);
        }
        return s_state == 1;
    }

    /// <summary>
    /// True if this CPU, and the library, have AES. <see cref="TryStart"/> comes first.
    /// </summary>
    internal static bool HasAes => Native.crypto_aead_aes256gcm_is_available() == 1;

    /// <summary>Fills the target with numbers that nobody can guess.</summary>
    internal static void Random(Span<byte> target)
    {
        fixed (byte* start = target) { Native.randombytes_buf(start, (nuint)target.Length); }
    }

    /// <summary>
    /// Encrypts in place: the first bytes of <paramref name="text"/> become the cipher text, its
    /// last <see cref="TagSize"/> bytes the tag. A nonce must never be used twice with a key.
    /// </summary>
    internal static void Seal(
        Span<byte> text, ReadOnlySpan<byte> header, ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> key, bool aes)
    {
        Check(nonce.Length == NonceSize && key.Length == KeySize && text.Length >= TagSize);
        ulong bytes;
        fixed (byte* start = text)
        fixed (byte* with = header)
        fixed (byte* once = nonce)
        fixed (byte* secret = key)
        {
            ulong textBytes = (ulong)(text.Length - TagSize), headerBytes = (ulong)header.Length;
            _ = aes
                ? Native.crypto_aead_aes256gcm_encrypt(
                    start, &bytes, start, textBytes, with, headerBytes, null, once, secret)
                : Native.crypto_aead_chacha20poly1305_ietf_encrypt(
                    start, &bytes, start, textBytes, with, headerBytes, null, once, secret);
        }
    }

    /// <summary>
    /// Checks the tag and decrypts into <paramref name="text"/>, which has room for what was
    /// sealed. False, and nothing written, if key, nonce, header or cipher text are not those of
    /// the sender.
    /// </summary>
    internal static bool TryOpen(
        ReadOnlySpan<byte> sealedText, ReadOnlySpan<byte> header, ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> key, bool aes, Span<byte> text)
    {
        Check(nonce.Length == NonceSize && key.Length == KeySize);
        if (sealedText.Length < TagSize || text.Length < sealedText.Length - TagSize)
        {
            return false;
        }
        ulong bytes;
        fixed (byte* source = sealedText)
        fixed (byte* target = text)
        fixed (byte* with = header)
        fixed (byte* once = nonce)
        fixed (byte* secret = key)
        {
            ulong sealedBytes = (ulong)sealedText.Length, headerBytes = (ulong)header.Length;
            int refused = aes
                ? Native.crypto_aead_aes256gcm_decrypt(
                    target, &bytes, null, source, sealedBytes, with, headerBytes, once, secret)
                : Native.crypto_aead_chacha20poly1305_ietf_decrypt(
                    target, &bytes, null, source, sealedBytes, with, headerBytes, once, secret);
            return refused == 0;
        }
    }

    /// <summary>A key from a key and a text that says what it is for (BLAKE2b, keyed).</summary>
    internal static void Derive(
        Span<byte> derived, ReadOnlySpan<byte> purpose, ReadOnlySpan<byte> key)
    {
        Check(derived.Length == KeySize && key.Length == KeySize);
        fixed (byte* target = derived)
        fixed (byte* source = purpose)
        fixed (byte* secret = key)
        {
            _ = Native.crypto_generichash(
                target, KeySize, source, (ulong)purpose.Length, secret, KeySize);
        }
    }

    /// <summary>False unless the text is exactly as many hexadecimal digits as fit.</summary>
    internal static bool TryReadHex(ReadOnlySpan<byte> text, Span<byte> target)
    {
        if (text.Length != 2 * target.Length) { return false; }
        nuint bytes;
        fixed (byte* source = text)
        fixed (byte* start = target)
        {
            return Native.sodium_hex2bin(
                start, (nuint)target.Length, source, (nuint)text.Length, null, &bytes, null) == 0
                && bytes == (nuint)target.Length;
        }
    }

    /// <summary>Writes two digits a byte; <paramref name="target"/> has one byte more.</summary>
    internal static void WriteHex(ReadOnlySpan<byte> source, Span<byte> target)
    {
        Check(target.Length == (2 * source.Length) + 1);
        fixed (byte* start = source)
        fixed (byte* text = target)
        {
            _ = Native.sodium_bin2hex(text, (nuint)target.Length, start, (nuint)source.Length);
        }
    }

    /// <summary>Overwrites with zeros, even if nobody reads it afterwards.</summary>
    internal static void Erase(Span<byte> secret)
    {
        fixed (byte* start = secret) { Native.sodium_memzero(start, (nuint)secret.Length); }
    }

    private static void Check(bool fits)
    {
        if (!fits) { throw new ArgumentException("libsodium: a buffer of wrong size"); }
    }

    /// <summary>The declarations, named and ordered as in the library's manual.</summary>
    internal static partial class Native
    {
        private const string Library = "libsodium";

        [LibraryImport(Library)]
        internal static partial int sodium_init();

        [LibraryImport(Library)]
        internal static partial void randombytes_buf(byte* target, nuint bytes);

        [LibraryImport(Library)]
        internal static partial int crypto_aead_chacha20poly1305_ietf_encrypt(
            byte* target, ulong* targetBytes, byte* source, ulong sourceBytes,
            byte* header, ulong headerBytes, byte* unused, byte* nonce, byte* key);

        [LibraryImport(Library)]
        internal static partial int crypto_aead_chacha20poly1305_ietf_decrypt(
            byte* target, ulong* targetBytes, byte* unused, byte* source, ulong sourceBytes,
            byte* header, ulong headerBytes, byte* nonce, byte* key);

        [LibraryImport(Library)]
        internal static partial int crypto_aead_aes256gcm_is_available();

        [LibraryImport(Library)]
        internal static partial int crypto_aead_aes256gcm_encrypt(
            byte* target, ulong* targetBytes, byte* source, ulong sourceBytes,
            byte* header, ulong headerBytes, byte* unused, byte* nonce, byte* key);

        [LibraryImport(Library)]
        internal static partial int crypto_aead_aes256gcm_decrypt(
            byte* target, ulong* targetBytes, byte* unused, byte* source, ulong sourceBytes,
            byte* header, ulong headerBytes, byte* nonce, byte* key);

        [LibraryImport(Library)]
        internal static partial int crypto_generichash(
            byte* target, nuint targetBytes, byte* source, ulong sourceBytes,
            byte* key, nuint keyBytes);

        [LibraryImport(Library)]
        internal static partial int sodium_hex2bin(
            byte* target, nuint targetBytes, byte* text, nuint textBytes, byte* ignored,
            nuint* bytes, byte** end);

        [LibraryImport(Library)]
        internal static partial byte* sodium_bin2hex(
            byte* text, nuint textBytes, byte* source, nuint sourceBytes);

        [LibraryImport(Library)]
        internal static partial void sodium_memzero(byte* start, nuint bytes);

        [LibraryImport(Library)]
        internal static partial byte* sodium_malloc(nuint bytes);

        [LibraryImport(Library)]
        internal static partial void sodium_free(byte* start);

        [LibraryImport(Library)]
        internal static partial int sodium_mlock(byte* start, nuint bytes);
    }
}
