using System.Buffers.Text;
using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>The file with the keys of a sealed link, read and written.</summary>
/// <remarks><code>
/// # comment
/// NUMBER KEY [aes] [active]   NUMBER 1-255, KEY 64 hexadecimal digits (256 bits)
/// </code>What arrives sealed with any of the keys is taken, sent is with the one marked active; a
/// single key needs no mark. The file is refused if anybody but its owner can read it, and if the
/// owner is somebody else than root or the user the daemon runs as. Its text never reaches the
/// managed heap. The size is bounded, so that a wrong path is a clear error and no long wait.
/// </remarks>
internal static class KeyFile
{
    private const int BytesMax = 4096;
    private const int OthersMask = 0x3F;        // 077: group and others
    private const int OwnerOnly = 0x180;        // 0600
    private const int HexDigits = 2 * Sodium.KeySize;
    private const int LineBytesMax = HexDigits + 16;

    private const string NoRandom = "libsodium finds no source of random numbers";

    /// <summary>Null and the keys, or what is wrong with the file, in words for a log.</summary>
    internal static string? TryRead(string path, out KeyRing? ring)
    {
        ring = null;
        if (!Sodium.TryStart()) { return $"key file `{path}': {NoRandom}"; }
        // O_NONBLOCK: a FIFO in its place must not hold the start.
        Errno error = Libc.Open(
            path, Libc.OpenReadOnly | Libc.OpenNonBlocking, 0, out int fd);
        if (error != Errno.None) { return $"can't open key file `{path}': {error.Describe()}"; }
        using var text = new SecretMemory(BytesMax + 1);
        string? wrong = Examine(fd);
        int bytes = 0;
        wrong ??= Fill(fd, text.Span, out bytes);
        Libc.Close(fd);
        if (wrong is not null) { return $"key file `{path}': {wrong}"; }
        var read = new KeyRing();
        wrong = Parse(text.Span[..bytes], read);
        if (wrong is null)
        {
            ring = read;
            return null;
        }
        read.Dispose();
        return $"key file `{path}': {wrong}";
    }

    /// <summary>
    /// Writes a new file with one key, or adds a key that is accepted, not yet sent with, to one
    /// that exists. Null, or what failed. <paramref name="done"/> says what was done.
    /// </summary>
    internal static string? TryGenerate(string path, out string done)
    {
        done = "";
        if (!Sodium.TryStart()) { return NoRandom; }
        Errno error = Libc.Open(
            path, Libc.OpenWriteOnly | Libc.OpenCreate | Libc.OpenExclusive, OwnerOnly, out int fd);
        if (error == Errno.None)
        {
            error = WriteFile(fd);
            Libc.Close(fd);
            done = $"{path}: new, with key 1; copy it to every node of the link, readable by its "
                + "owner only";
            return error == Errno.None ? null : $"can't write `{path}': {error.Describe()}";
        }
        if (error != Errno.Eexist) { return $"can't make `{path}': {error.Describe()}"; }
        string? failed = TryRead(path, out KeyRing? ring);
        if (failed is not null) { return failed; }
        using (ring)
        {
            if (ring!.Count == KeyRing.KeysMax)
            {
                return $"key file `{path}': has {KeyRing.KeysMax} keys already, remove those "
                    + "that no node sends with any more";
            }
            byte number = FreeNumber(ring);
            error = Append(path, number);
            done = $"{path}: key {number} added, not yet active; copy the file to every node and "
                + "reload them all, then mark it active there instead of the old one";
            return error == Errno.None ? null : $"can't write `{path}': {error.Describe()}";
        }
    }

    /// <summary>Writes the text of a new file to a descriptor. Null, or what failed.</summary>
    internal static string? TryWrite(int fd)
    {
        if (!Sodium.TryStart()) { return NoRandom; }
        Errno error = WriteFile(fd);
        return error == Errno.None ? null : $"can't write the key: {error.Describe()}";
    }

    private static Errno WriteFile(int fd)
    {
        Errno error = Libc.WriteAll(
            fd, "# Keys of conntrackd's sealed link, on every node: NUMBER KEY [aes] [active]\n"u8);
        return error == Errno.None ? WriteKey(fd, 1, " active\n"u8) : error;
    }

    private static Errno Append(string path, byte number)
    {
        Errno error = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenAppend, 0, out int fd);
        if (error != Errno.None) { return error; }
        using var text = new SecretMemory(BytesMax + 1);
        // Read a moment ago, so it can be read; an editor may have left its last line open.
        _ = Fill(fd, text.Span, out int bytes);
        bool isOpen = bytes > 0 && text.Span[bytes - 1] != (byte)'\n';
        if (isOpen) { error = Libc.WriteAll(fd, "\n"u8); }
        if (error == Errno.None) { error = WriteKey(fd, number, "\n"u8); }
        Libc.Close(fd);
        return error;
    }

    private static Errno WriteKey(int fd, byte number, ReadOnlySpan<byte> end)
    {
        using var key = new SecretMemory(Sodium.KeySize);
        using var line = new SecretMemory(LineBytesMax);
        Sodium.Random(key.Span);
        Span<byte> text = line.Span;
        _ = Utf8Formatter.TryFormat(number, text, out int bytes);
        text[bytes++] = (byte)' ';
        Sodium.WriteHex(key.Span, text.Slice(bytes, HexDigits + 1));
        bytes += HexDigits;
        end.CopyTo(text[bytes..]);
        return Libc.WriteAll(fd, text[..(bytes + end.Length)]);
    }

    private static byte FreeNumber(KeyRing ring)
    {
        byte number = 1;
        for (int i = 0; i < ring.Count; i++) { number = Math.Max(number, ring.NumberOf(i)); }
        do { number = number == byte.MaxValue ? (byte)1 : (byte)(number + 1); }
        while (ring.Find(number) >= 0);
        return number;
    }

    private static string? Examine(int fd)
    {
        Errno error = Libc.Inspect(fd, out FileFacts facts);
        if (error != Errno.None) { return error.Describe(); }
        if (facts.Kind != FileKind.Regular) { return "not a regular file"; }
        if ((facts.Mode & OthersMask) != 0)
        {
            string mode = Convert.ToString(facts.Mode, 8).PadLeft(4, '0');
            return $"mode {mode}, others than its owner can use it: chmod 600";
        }
        return facts.Owner == 0 || facts.Owner == Libc.EffectiveUser ? null
            : $"its owner is user {facts.Owner}, expected root or user {Libc.EffectiveUser}";
    }

    private static string? Fill(int fd, Span<byte> text, out int bytes)
    {
        bytes = 0;
        while (bytes < text.Length)
        {
            Errno error = Libc.Read(fd, text[bytes..], out int count);
            if (error != Errno.None) { return error.Describe(); }
            if (count == 0) { return null; }
            bytes += count;
        }
        return $"more than {BytesMax} bytes, that is no key file";
    }

    /// <summary>Fills the ring from the text of a file. Null, or what is wrong with it.</summary>
    internal static string? Parse(ReadOnlySpan<byte> text, KeyRing ring)
    {
        int number = 0;
        while (!text.IsEmpty)
        {
            number++;
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = (end < 0 ? text : text[..end]).Trim(" \t\r"u8);
            text = end < 0 ? [] : text[(end + 1)..];
            if (line.IsEmpty || line[0] == (byte)'#') { continue; }
            string? wrong = ParseLine(line, ring);
            if (wrong is not null) { return $"line {number}: {wrong}"; }
        }
        if (ring.Count == 0) { return "no key, make one with --generate-key"; }
        if (ring.Count == 1 && ring.Active < 0) { ring.Activate(); }
        return ring.Active >= 0 ? null : "no key is marked 'active'";
    }

    // Never quotes the line: it may be a key.
    private static string? ParseLine(ReadOnlySpan<byte> line, KeyRing ring)
    {
        ReadOnlySpan<byte> word = Word(ref line);
        bool isNumber = Utf8Parser.TryParse(word, out byte number, out int used)
            && used == word.Length && number > 0;
        if (!isNumber) { return "expected the number of a key, 1-255, first"; }
        if (ring.Find(number) >= 0) { return $"a second key with number {number}"; }
        if (ring.Count == KeyRing.KeysMax) { return $"more than {KeyRing.KeysMax} keys"; }
        ReadOnlySpan<byte> hex = Word(ref line);
        if (hex.Length != HexDigits)
        {
            return $"key {number} has {hex.Length} digits, expected {HexDigits} (256 bits)";
        }
        if (!ring.TryAdd(number, hex)) { return $"key {number} is not hexadecimal"; }
        word = Word(ref line);
        if (word.SequenceEqual("aes"u8))
        {
            if (!Sodium.HasAes)
            {
                return $"key {number} is for AES, which this CPU (or the library for it) has not: "
                    + "use keys without 'aes' on all nodes";
            }
            ring.UseAes();
            word = Word(ref line);
        }
        if (word.IsEmpty) { return null; }
        if (!word.SequenceEqual("active"u8) || !line.IsEmpty)
        {
            return $"expected 'aes', 'active' or nothing after key {number}";
        }
        if (ring.Active >= 0) { return $"key {ring.NumberOf(ring.Active)} is active already"; }
        ring.Activate();
        return null;
    }

    private static ReadOnlySpan<byte> Word(ref ReadOnlySpan<byte> line)
    {
        int end = line.IndexOfAny((byte)' ', (byte)'\t');
        ReadOnlySpan<byte> word = end < 0 ? line : line[..end];
        line = end < 0 ? [] : line[end..].TrimStart(" \t"u8);
        return word;
    }
}
