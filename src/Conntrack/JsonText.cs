namespace Conntrackd.Conntrack;

/// <summary>
/// JSON objects in a <see cref="TextBuffer"/>, field by field; allocates nothing.
/// </summary>
/// <remarks>
/// Names are ours and plain. Every value is followed by a comma, and the end of an object takes the
/// last one back, so callers need not know which field is the first.
/// </remarks>
internal static class JsonText
{
    internal static void Begin(TextBuffer text) => text.Append((byte)'{');

    /// <summary>Begins an object that is a field of the open one.</summary>
    internal static void Begin(TextBuffer text, ReadOnlySpan<byte> name)
    {
        Name(text, name);
        Begin(text);
    }

    /// <summary>Ends the innermost object; one inside another is followed by a comma.</summary>
    internal static void End(TextBuffer text, bool isInner = false)
    {
        if (text.Written[^1] == (byte)',') { text.Truncate(text.Length - 1); }
        text.Append((byte)'}');
        if (isInner) { text.Append((byte)','); }
    }

    internal static void Field(TextBuffer text, ReadOnlySpan<byte> name, ulong value)
    {
        Name(text, name);
        text.AppendDecimal(value);
        text.Append((byte)',');
    }

    internal static void Field(TextBuffer text, ReadOnlySpan<byte> name, bool value)
    {
        Name(text, name);
        text.Append(value ? "true,"u8 : "false,"u8);
    }

    /// <summary>
    /// Text of any origin: quotes and backslashes are escaped, the rest is ASCII.
    /// </summary>
    internal static void Field(
        TextBuffer text, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Name(text, name);
        text.Append((byte)'"');
        foreach (byte letter in value)
        {
            if (letter is (byte)'"' or (byte)'\\') { text.Append((byte)'\\'); }
            text.AppendForeign([letter]);
        }
        text.Append("\","u8);
    }

    internal static void Field(
        TextBuffer text, ReadOnlySpan<byte> name, AddressFamily family, Address address)
    {
        Name(text, name);
        text.Append((byte)'"');
        AddressText.Append(text, family, address);
        text.Append("\","u8);
    }

    private static void Name(TextBuffer text, ReadOnlySpan<byte> name)
    {
        text.Append((byte)'"');
        text.Append(name);
        text.Append("\":"u8);
    }
}
