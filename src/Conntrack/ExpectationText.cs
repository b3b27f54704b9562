namespace Conntrackd.Conntrack;

/// <summary>
/// A cached expectation as one line of text and as one line of XML, in the form of the original.
/// </summary>
/// <remarks>
/// Neither form appends a line feed, and neither shows the timeout, which is of the past. In the
/// default format only addresses bear the prefix of their tuple. Source: shared spec output, 3.
/// </remarks>
internal static class ExpectationText
{
    /// <summary>Appends the default format, without a blank at its end.</summary>
    internal static void Append(TextBuffer text, in Expectation expectation)
    {
        AddressFamily family = expectation.Family;
        TupleText.AppendField(text, "proto"u8, expectation.Protocol);
        TupleText.Append(text, family, expectation.Protocol, expectation.Tuple);
        TupleText.Append(text, family, expectation.MaskProtocol, expectation.Mask, "mask-"u8);
        TupleText.Append(text, family, expectation.MasterProtocol, expectation.Master, "master-"u8);
        if (expectation.Has(ExpectationAttributes.Zone))
        {
            TupleText.AppendField(text, "zone"u8, expectation.Zone);
        }
        if (expectation.Has(ExpectationAttributes.Flags)) { AppendFlags(text, expectation.Flags); }
        if (expectation.Has(ExpectationAttributes.Class))
        {
            TupleText.AppendField(text, "class"u8, expectation.Class);
        }
        if (expectation.Has(ExpectationAttributes.Helper))
        {
            text.Append("helper="u8);
            text.AppendForeign(expectation.Helper.Text);
            text.Append((byte)' ');
        }
        text.Truncate(text.Length - 1);
    }

    /// <summary>Appends one <c>flow</c> element: no declaration, no blanks.</summary>
    internal static void AppendXml(TextBuffer text, in Expectation expectation)
    {
        AddressFamily family = expectation.Family;
        text.Append("<flow><layer3 protonum=\""u8);
        text.AppendDecimal((ulong)family);
        text.Append("\" protoname=\""u8);
        text.Append(FlowNames.OfFamily(family));
        text.Append("\">"u8);
        AppendXmlAddresses(text, "expected"u8, family, expectation.Tuple);
        AppendXmlAddresses(text, "mask"u8, family, expectation.Mask);
        AppendXmlAddresses(text, "master"u8, family, expectation.Master);
        text.Append("</layer3><layer4 protonum=\""u8);
        text.AppendDecimal(expectation.Protocol);
        text.Append("\" protoname=\""u8);
        text.Append(FlowNames.OfProtocol(expectation.Protocol));
        text.Append("\">"u8);
        AppendXmlKeys(text, "expected"u8, expectation.Protocol, expectation.Tuple);
        AppendXmlKeys(text, "mask"u8, expectation.MaskProtocol, expectation.Mask);
        AppendXmlKeys(text, "master"u8, expectation.MasterProtocol, expectation.Master);
        text.Append("</layer4><meta>"u8);
        AppendXmlMeta(text, in expectation);
        text.Append("</meta></flow>"u8);
    }

    private static void AppendFlags(TextBuffer text, ExpectationFlags flags)
    {
        bool any = false;
        AppendFlag(text, flags, ExpectationFlags.Permanent, "PERMANENT"u8, ref any);
        AppendFlag(text, flags, ExpectationFlags.Inactive, "INACTIVE"u8, ref any);
        AppendFlag(text, flags, ExpectationFlags.UserSpace, "USERSPACE"u8, ref any);
        if (any) { text.Append((byte)' '); }
    }

    private static void AppendFlag(
        TextBuffer text, ExpectationFlags flags, ExpectationFlags flag, ReadOnlySpan<byte> name,
        ref bool any)
    {
        if ((flags & flag) == 0) { return; }
        if (any) { text.Append((byte)','); }
        text.Append(name);
        any = true;
    }

    private static void AppendXmlAddresses(
        TextBuffer text, ReadOnlySpan<byte> name, AddressFamily family, in FlowTuple tuple)
    {
        FlowText.AppendXmlOpen(text, name);
        text.Append("<src>"u8);
        AddressText.Append(text, family, tuple.Source);
        text.Append("</src><dst>"u8);
        AddressText.Append(text, family, tuple.Target);
        text.Append("</dst>"u8);
        FlowText.AppendXmlClose(text, name);
    }

    private static void AppendXmlKeys(
        TextBuffer text, ReadOnlySpan<byte> name, byte protocol, in FlowTuple tuple)
    {
        FlowText.AppendXmlOpen(text, name);
        FlowText.AppendXmlKeys(text, protocol, tuple);
        FlowText.AppendXmlClose(text, name);
    }

    private static void AppendXmlMeta(TextBuffer text, in Expectation expectation)
    {
        if (expectation.Has(ExpectationAttributes.Helper))
        {
            text.Append("<helper-name>"u8);
            FlowText.AppendXmlForeign(text, expectation.Helper.Text);
            text.Append("</helper-name>"u8);
        }
        if (expectation.Has(ExpectationAttributes.Class))
        {
            FlowText.AppendXmlNumber(text, "class"u8, expectation.Class);
        }
        if (expectation.Has(ExpectationAttributes.Zone))
        {
            FlowText.AppendXmlNumber(text, "zone"u8, expectation.Zone);
        }
        if (!expectation.Has(ExpectationAttributes.Flags)) { return; }
        ExpectationFlags flags = expectation.Flags;
        if ((flags & ExpectationFlags.Permanent) != 0) { text.Append("<permanent/>"u8); }
        if ((flags & ExpectationFlags.Inactive) != 0) { text.Append("<inactive/>"u8); }
        if ((flags & ExpectationFlags.UserSpace) != 0) { text.Append("<userspace/>"u8); }
    }
}
