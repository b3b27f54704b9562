using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>Reads an expectation out of an event or a dump record.</summary>
/// <remarks>Source: linux/netfilter/nfnetlink_conntrack.h; shared spec ctnetlink, 4.</remarks>
internal static class ExpectationDecoder
{
    /// <summary>
    /// Clears <paramref name="expectation"/> and fills it from a message of type EXP_NEW or
    /// EXP_DELETE.
    /// </summary>
    /// <param name="payload">From nfgenmsg on.</param>
    /// <param name="expectation">Half filled if the result is not None.</param>
    internal static DecodeError Decode(
        ReadOnlySpan<byte> payload, ref Expectation expectation)
    {
        expectation.Present = ExpectationAttributes.None;
        if (payload.Length < FlowDecoder.HeaderSize) { return DecodeError.Header; }
        var family = (AddressFamily)payload[0];
        if (family is not (AddressFamily.Ipv4 or AddressFamily.Ipv6)) { return DecodeError.Family; }
        expectation.Family = family;
        var attributes = new AttributeReader(payload[FlowDecoder.HeaderSize..]);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            DecodeError error = DecodeAttribute(attribute, ref expectation);
            if (error != DecodeError.None) { return error; }
        }
        if (attributes.Malformed) { return DecodeError.Framing; }
        return expectation.Has(ExpectationAttributes.Tuple | ExpectationAttributes.Master)
            ? DecodeError.None : DecodeError.TupleMissing;
    }

    private static DecodeError DecodeAttribute(
        in NetlinkAttribute attribute, ref Expectation expectation)
    {
        switch ((CtExpect)attribute.Type)
        {
            // What the coming flow will look like; ports 0 where the mask does not ask for them.
            case CtExpect.Tuple:
                return TryDecodeTuple(
                    attribute.Payload, expectation.Family,
                    out expectation.Tuple, out expectation.Protocol)
                    ? Found(ref expectation, ExpectationAttributes.Tuple)
                    : DecodeError.ExpectTuple;

            // Ones where the coming flow must agree.
            case CtExpect.Mask:
                return TryDecodeTuple(
                    attribute.Payload, expectation.Family,
                    out expectation.Mask, out expectation.MaskProtocol)
                    ? Found(ref expectation, ExpectationAttributes.Mask) : DecodeError.ExpectMask;

            // The flow whose helper expects.
            case CtExpect.Master:
                return TryDecodeTuple(
                    attribute.Payload, expectation.Family,
                    out expectation.Master, out expectation.MasterProtocol)
                    ? Found(ref expectation, ExpectationAttributes.Master)
                    : DecodeError.TupleMaster;

            // If the master is translated.
            case CtExpect.Nat:
                return TryDecodeNat(attribute.Payload, ref expectation)
                    ? Found(ref expectation, ExpectationAttributes.Nat) : DecodeError.ExpectNat;

            case CtExpect.Timeout:
                return attribute.TryReadUInt32(out expectation.TimeoutSeconds)
                    ? Found(ref expectation, ExpectationAttributes.Timeout) : DecodeError.Timeout;

            case CtExpect.Id:
                return attribute.TryReadUInt32(out expectation.Id)
                    ? Found(ref expectation, ExpectationAttributes.Id) : DecodeError.Id;

            case CtExpect.Flags:
                if (!attribute.TryReadUInt32(out uint flags)) { return DecodeError.ExpectFlags; }
                expectation.Flags = (ExpectationFlags)flags;
                return Found(ref expectation, ExpectationAttributes.Flags);

            case CtExpect.Class:
                return attribute.TryReadUInt32(out expectation.Class)
                    ? Found(ref expectation, ExpectationAttributes.Class)
                    : DecodeError.ExpectClass;

            case CtExpect.HelperName:
                expectation.Helper = HelperName.From(attribute.Payload);
                return expectation.Helper.Text.IsEmpty
                    ? DecodeError.Help : Found(ref expectation, ExpectationAttributes.Helper);

            case CtExpect.Function:
                expectation.Function = FunctionName.From(attribute.Payload);
                return expectation.Function.Text.IsEmpty
                    ? DecodeError.ExpectFunction
                    : Found(ref expectation, ExpectationAttributes.Function);

            default:
                return DecodeError.None;
        }
    }

    private static DecodeError Found(
        ref Expectation expectation, ExpectationAttributes attribute)
    {
        expectation.Present |= attribute;
        return DecodeError.None;
    }

    private static bool TryDecodeTuple(
        ReadOnlySpan<byte> nest, AddressFamily family, out FlowTuple tuple, out byte protocol)
    {
        bool ok = TupleCodec.TryDecode(nest, family, out TupleCodec.Decoded decoded);
        tuple = decoded.Tuple;
        protocol = decoded.Protocol;
        return ok;
    }

    private static bool TryDecodeNat(ReadOnlySpan<byte> nest, ref Expectation expectation)
    {
        bool hasTuple = false, hasDirection = false;
        var attributes = new AttributeReader(nest);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtExpectNat)attribute.Type)
            {
                case CtExpectNat.Direction:
                    hasDirection = attribute.TryReadUInt32(out expectation.NatDirection);
                    break;
                case CtExpectNat.Tuple:
                    hasTuple = TryDecodeTuple(
                        attribute.Payload, expectation.Family,
                        out expectation.NatTuple, out expectation.NatProtocol);
                    break;
                default:
                    break;
            }
        }
        return hasTuple && hasDirection && !attributes.Malformed;
    }
}
