namespace Conntrackd.Conntrack;

/// <summary>Names in fields of a fixed size: the text, then at least one zero.</summary>
internal static class ZeroPadded
{
    /// <summary>The bytes before the padding.</summary>
    internal static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field[..^1] : field[..end];
    }

    /// <summary>
    /// Keeps the bytes of <paramref name="text"/> before its first zero, as many as leave room for
    /// one; <paramref name="field"/> is zero before.
    /// </summary>
    internal static void Fill(ReadOnlySpan<byte> text, Span<byte> field)
    {
        int end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        text[..Math.Min(text.Length, field.Length - 1)].CopyTo(field);
    }
}
