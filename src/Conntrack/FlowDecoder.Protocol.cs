using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

internal static partial class FlowDecoder
{
    private static bool TryDecodeProtocolInfo(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtProtocolInfo)attribute.Type)
            {
                case CtProtocolInfo.Tcp:
                    ok = TryDecodeTcp(attribute.Payload, ref flow);
                    break;
                case CtProtocolInfo.Sctp:
                    ok = TryDecodeSctp(attribute.Payload, ref flow);
                    break;
                case CtProtocolInfo.Dccp:
                    ok = TryDecodeDccp(attribute.Payload, ref flow);
                    break;
                default:
                    break;
            }
        }
        return ok && !attributes.Malformed;
    }

    private static bool TryDecodeTcp(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        int seen = 0;                           // one bit per attribute, at its number
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtTcp)attribute.Type)
            {
                case CtTcp.State:
                    ok = attribute.TryReadByte(out flow.ProtocolState);
                    break;
                case CtTcp.WscaleOrig:
                    ok = attribute.TryReadByte(out flow.TcpWscaleOrig);
                    break;
                case CtTcp.WscaleReply:
                    ok = attribute.TryReadByte(out flow.TcpWscaleReply);
                    break;
                // Flags, then a mask that is always 0 on output.
                case CtTcp.FlagsOrig:
                    ok = attribute.TryReadByte(out flow.TcpFlagsOrig);
                    break;
                case CtTcp.FlagsReply:
                    ok = attribute.TryReadByte(out flow.TcpFlagsReply);
                    break;
                default:
                    continue;
            }
            seen |= 1 << attribute.Type;
        }
        const int Wscale =
            1 << (int)CtTcp.WscaleOrig | 1 << (int)CtTcp.WscaleReply;
        const int Flags =
            1 << (int)CtTcp.FlagsOrig | 1 << (int)CtTcp.FlagsReply;
        FlowAttributes present = FlowAttributes.None;
        if ((seen & 1 << (int)CtTcp.State) != 0) { present = FlowAttributes.ProtocolState; }
        if ((seen & Wscale) == Wscale) { present |= FlowAttributes.TcpWscale; }
        if ((seen & Flags) == Flags) { present |= FlowAttributes.TcpFlags; }
        flow.Present |= present;
        return ok && !attributes.Malformed;
    }

    private static bool TryDecodeSctp(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        int tags = 0;
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtSctp)attribute.Type)
            {
                case CtSctp.State:
                    ok = attribute.TryReadByte(out flow.ProtocolState);
                    flow.Present |= FlowAttributes.ProtocolState;
                    break;
                case CtSctp.VtagOrig:
                    ok = attribute.TryReadUInt32(out flow.SctpVtagOrig);
                    tags |= 1;
                    break;
                case CtSctp.VtagReply:
                    ok = attribute.TryReadUInt32(out flow.SctpVtagReply);
                    tags |= 2;
                    break;
                default:
                    break;
            }
        }
        if (tags == 3) { flow.Present |= FlowAttributes.SctpVtags; }
        return ok && !attributes.Malformed;
    }

    private static bool TryDecodeDccp(ReadOnlySpan<byte> nest, ref Flow flow)
    {
        bool ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtDccp)attribute.Type)
            {
                case CtDccp.State:
                    ok = attribute.TryReadByte(out flow.ProtocolState);
                    flow.Present |= FlowAttributes.ProtocolState;
                    break;
                case CtDccp.Role:
                    ok = attribute.TryReadByte(out flow.DccpRole);
                    flow.Present |= FlowAttributes.DccpRole;
                    break;
                default:
                    break;
            }
        }
        return ok && !attributes.Malformed;
    }
}
