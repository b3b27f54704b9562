namespace Conntrackd.Conntrack;

/// <summary>One direction's addresses and layer-4 keys as text.</summary>
internal static class TupleText
{
    /// <summary>
    /// Appends <c>src=A dst=B </c> and the keys, each with a blank behind it. The prefix stands
    /// before <c>src</c> and <c>dst</c> only: expectations have <c>mask-src=</c> but <c>sport=</c>.
    /// </summary>
    internal static void Append(
        TextBuffer text, AddressFamily family, byte protocol, in FlowTuple tuple,
        ReadOnlySpan<byte> prefix = default)
    {
        text.Append(prefix);
        text.Append("src="u8);
        AddressText.Append(text, family, tuple.Source);
        text.Append((byte)' ');
        text.Append(prefix);
        text.Append("dst="u8);
        AddressText.Append(text, family, tuple.Target);
        text.Append((byte)' ');
        AppendKeys(text, protocol, tuple);
    }

    /// <summary>Appends <c>name=value </c>.</summary>
    internal static void AppendField(TextBuffer text, ReadOnlySpan<byte> name, ulong value)
    {
        text.Append(name);
        text.Append((byte)'=');
        text.AppendDecimal(value);
        text.Append((byte)' ');
    }

    private static void AppendKeys(TextBuffer text, byte protocol, in FlowTuple tuple)
    {
        switch (protocol)
        {
            case L4Protocol.Icmp or L4Protocol.Icmpv6:
                AppendField(text, "type"u8, tuple.IcmpType);
                AppendField(text, "code"u8, tuple.IcmpCode);
                AppendField(text, "id"u8, tuple.L4Source);
                break;

            case L4Protocol.Gre:
                text.Append("srckey=0x"u8);
                text.AppendHex(tuple.L4Source);
                text.Append(" dstkey=0x"u8);
                text.AppendHex(tuple.L4Target);
                text.Append((byte)' ');
                break;

            default:
                if (!L4Protocol.HasPorts(protocol)) { break; }
                AppendField(text, "sport"u8, tuple.L4Source);
                AppendField(text, "dport"u8, tuple.L4Target);
                break;
        }
    }
}
