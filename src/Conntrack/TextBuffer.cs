using System.Buffers.Text;
using System.Text;

namespace Conntrackd.Conntrack;

/// <summary>
/// A byte buffer that text is appended to. It grows when it must and keeps its memory when
/// cleared, so a buffer that is used again and again stops allocating.
/// </summary>
/// <remarks>
/// Everything conntrackd prints is ASCII, or bytes of a file name passed on, hence UTF-8. Not
/// shared between threads: every writer owns one.
/// </remarks>
internal sealed class TextBuffer
{
    private const int DecimalDigitsMax = 20;    // of 2^64 - 1
    private const int CapacityMin = 256;

    private byte[] _bytes;

    internal TextBuffer(int capacityBytes = CapacityMin)
    {
        _bytes = new byte[Math.Max(capacityBytes, CapacityMin)];
    }

    /// <summary>How many bytes have been appended since the last <see cref="Clear"/>.</summary>
    internal int Length { get; private set; }

    /// <summary>The text so far; valid until the next append.</summary>
    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>True if reports in this buffer are to be JSON; until it is cleared.</summary>
    internal bool WantsJson { get; set; }

    /// <summary>Forgets the text, keeps the memory.</summary>
    internal void Clear()
    {
        Length = 0;
        WantsJson = false;
    }

    /// <summary>Takes back what was appended after the text had this length.</summary>
    internal void Truncate(int length) => Length = Math.Min(length, Length);

    internal void Append(byte value)
    {
        if (Length == _bytes.Length) { GrowSlow(1); }
        _bytes[Length++] = value;
    }

    internal void Append(ReadOnlySpan<byte> text)
    {
        if (text.Length > _bytes.Length - Length) { GrowSlow(text.Length); }
        text.CopyTo(_bytes.AsSpan(Length));
        Length += text.Length;
    }

    internal void Append(string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > _bytes.Length - Length) { GrowSlow(bytes); }
        Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    /// <summary>Appends a number, unsigned decimal without padding.</summary>
    internal void AppendDecimal(ulong value) => AppendDecimal(value, 0);

    /// <summary>
    /// Appends a number right-justified with blanks in <paramref name="width"/> columns; a longer
    /// number takes the room it needs.
    /// </summary>
    internal void AppendDecimal(ulong value, int width)
    {
        Span<byte> digits = stackalloc byte[DecimalDigitsMax];
        Utf8Formatter.TryFormat(value, digits, out int count);
        for (int pad = count; pad < width; pad++) { Append((byte)' '); }
        Append(digits[..count]);
    }

    /// <summary>Appends a number in lower-case hexadecimal without prefix or padding.</summary>
    internal void AppendHex(uint value)
    {
        int shift = 28;
        while (shift > 0 && value >> shift == 0) { shift -= 4; }
        for (; shift >= 0; shift -= 4)
        {
            Append("0123456789abcdef"u8[(int)(value >> shift) & 0xf]);
        }
    }

    /// <summary>
    /// Appends text that a peer or the kernel chose: bytes that are not printable ASCII become
    /// <c>?</c>, so it can neither break a line nor a terminal.
    /// </summary>
    internal void AppendForeign(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text) { Append(value is >= 0x20 and < 0x7f ? value : (byte)'?'); }
    }

    private void GrowSlow(int bytes) =>
        Array.Resize(ref _bytes, Math.Max(checked(Length + bytes), 2 * _bytes.Length));
}
