using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

internal static partial class FlowEncoder
{
    // The kernel refuses the whole message above these (ERANGE).
    private const byte TcpStateMax = 9;         // TCP_CONNTRACK_SYN_SENT2
    private const byte TcpWscaleMax = 14;       // TCP_MAX_WSCALE
    private const byte SctpStateMax = 8;        // SCTP_CONNTRACK_HEARTBEAT_SENT
    private const byte DccpStateMax = 7;        // CT_DCCP_TIMEWAIT

    // IP_CT_TCP_FLAG_*, linux/netfilter/nf_conntrack_tcp.h.
    private const byte WindowScale = 0x01;
    private const byte SackPermitted = 0x02;
    private const byte CloseInit = 0x04;
    private const byte BeLiberal = 0x08;

    /// <summary>
    /// TCP flags worth carrying over. The others speak of sequence numbers the entry will not have:
    /// MAXACK_SET with a highest acknowledgement of 0 would make the kernel refuse resets.
    /// </summary>
    private const byte TcpFlagsReplicated = WindowScale | SackPermitted | CloseInit | BeLiberal;

    private static void PutProtocolInfo(
        ref MessageWriter writer, in Flow flow, bool windowTracking)
    {
        switch (flow.Protocol)
        {
            case L4Protocol.Tcp:
                PutTcp(ref writer, flow, windowTracking);
                break;
            case L4Protocol.Sctp:
                PutSctp(ref writer, flow);
                break;
            case L4Protocol.Dccp:
                PutDccp(ref writer, flow);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// State, window scales and flags. Scales count only if both directions have WINDOW_SCALE, so
    /// known scales bring that flag along; peers send scales without flags.
    /// </summary>
    private static void PutTcp(ref MessageWriter writer, in Flow flow, bool windowTracking)
    {
        bool hasState = flow.Has(FlowAttributes.ProtocolState) && flow.ProtocolState <= TcpStateMax;
        bool hasScale = flow.Has(FlowAttributes.TcpWscale)
            && flow.TcpWscaleOrig <= TcpWscaleMax && flow.TcpWscaleReply <= TcpWscaleMax;
        byte flagsOrig = 0, flagsReply = 0;
        if (flow.Has(FlowAttributes.TcpFlags))
        {
            flagsOrig = (byte)(flow.TcpFlagsOrig & TcpFlagsReplicated);
            flagsReply = (byte)(flow.TcpFlagsReply & TcpFlagsReplicated);
        }
        byte both = (byte)((hasScale ? WindowScale : 0) | (windowTracking ? 0 : BeLiberal));
        flagsOrig |= both;
        flagsReply |= both;
        if (!hasState && !hasScale && (flagsOrig | flagsReply) == 0) { return; }

        int nest = writer.BeginNest((ushort)CtAttribute.ProtocolInfo);
        int tcp = writer.BeginNest((ushort)CtProtocolInfo.Tcp);
        if (hasState) { writer.PutByte((ushort)CtTcp.State, flow.ProtocolState); }
        if (hasScale)
        {
            writer.PutByte((ushort)CtTcp.WscaleOrig, flow.TcpWscaleOrig);
            writer.PutByte((ushort)CtTcp.WscaleReply, flow.TcpWscaleReply);
        }
        PutTcpFlags(ref writer, CtTcp.FlagsOrig, flagsOrig);
        PutTcpFlags(ref writer, CtTcp.FlagsReply, flagsReply);
        writer.EndNest(tcp);
        writer.EndNest(nest);
    }

    /// <summary>
    /// Value and mask alike: flags are set, never cleared, so that an update leaves alone what the
    /// kernel learned itself.
    /// </summary>
    private static void PutTcpFlags(
        ref MessageWriter writer, CtTcp attribute, byte flags)
    {
        if (flags != 0 && writer.TryReserve((ushort)attribute, 2, out Span<byte> payload))
        {
            payload[0] = flags;
            payload[1] = flags;
        }
    }

    /// <summary>All three or nothing; the kernel refuses less (EINVAL).</summary>
    private static void PutSctp(ref MessageWriter writer, in Flow flow)
    {
        if (!flow.Has(FlowAttributes.ProtocolState | FlowAttributes.SctpVtags)
            || flow.ProtocolState > SctpStateMax)
        {
            return;
        }
        int nest = writer.BeginNest((ushort)CtAttribute.ProtocolInfo);
        int sctp = writer.BeginNest((ushort)CtProtocolInfo.Sctp);
        writer.PutByte((ushort)CtSctp.State, flow.ProtocolState);
        writer.PutUInt32((ushort)CtSctp.VtagOrig, flow.SctpVtagOrig);
        writer.PutUInt32((ushort)CtSctp.VtagReply, flow.SctpVtagReply);
        writer.EndNest(sctp);
        writer.EndNest(nest);
    }

    /// <summary>For kernels that still track DCCP; the others ignore it.</summary>
    private static void PutDccp(ref MessageWriter writer, in Flow flow)
    {
        if (!flow.Has(FlowAttributes.ProtocolState | FlowAttributes.DccpRole)
            || flow.ProtocolState > DccpStateMax || flow.DccpRole > 1)
        {
            return;
        }
        int nest = writer.BeginNest((ushort)CtAttribute.ProtocolInfo);
        int dccp = writer.BeginNest((ushort)CtProtocolInfo.Dccp);
        writer.PutByte((ushort)CtDccp.State, flow.ProtocolState);
        writer.PutByte((ushort)CtDccp.Role, flow.DccpRole);
        writer.EndNest(dccp);
        writer.EndNest(nest);
    }
}
