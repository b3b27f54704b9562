using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>
/// Builds the requests that write flows to the kernel, ask for them and delete them.
/// </summary>
/// <remarks>
/// Each function appends one whole message, or nothing and returns false if it does not fit. Every
/// rule here was measured; the traps are in the shared spec ctnetlink, sections 1, 5 and 6. The two
/// that cost connections: the reply tuple of a translated flow is sent untranslated with the
/// translation beside it, or the kernel believes there is none; and window scales count only with
/// the WINDOW_SCALE flag in both directions.
/// </remarks>
internal static partial class FlowEncoder
{
    private const FlowStatus Replicated = FlowStatus.SeenReply | FlowStatus.Assured;

    /// <summary>Room that one request takes at most.</summary>
    internal const int SizeMax = 1024;

    /// <summary>
    /// Creates the flow; the kernel answers EEXIST if it is there (NLM_F_EXCL), EINVAL if the ICMP
    /// type has no answer. From Flow: Orig and Protocol are needed, the rest as known.
    /// </summary>
    internal static bool EncodeCreate(
        ref MessageWriter writer, in Flow flow, uint sequence, NetlinkFlags extra,
        in CreateOptions options)
    {
        const NetlinkFlags Flags =
            NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive;
        writer.Begin(CtMessage.New, Flags | extra, sequence, (byte)flow.Family);
        PutOrig(ref writer, flow);
        flow.Orig.TryInvert(flow.Protocol, out FlowTuple reply);
        bool zoneOfReply = flow.Has(FlowAttributes.ZoneReply)
            && !flow.Has(FlowAttributes.Zone) && !flow.Has(FlowAttributes.ZoneOrig);
        TupleCodec.Encode(
            ref writer, (int)CtAttribute.TupleReply, flow.Family, flow.Protocol, reply,
            zoneOfReply, flow.ZoneReply);
        PutZone(ref writer, flow);
        FlowStatus status = flow.Has(FlowAttributes.Status) ? flow.Status & Replicated : 0;
        writer.PutUInt32((ushort)CtAttribute.Status, (uint)(status | FlowStatus.Confirmed));
        writer.PutUInt32((ushort)CtAttribute.Timeout, options.TimeoutSeconds);
        if (flow.Has(FlowAttributes.Mark) && flow.Mark != 0)
        {
            writer.PutUInt32((ushort)CtAttribute.Mark, flow.Mark);
        }
        PutNat(ref writer, flow);
        PutProtocolInfo(ref writer, flow, options.WindowTracking);
        if (flow.Has(FlowAttributes.Helper))
        {
            int nest = writer.BeginNest((ushort)CtAttribute.Help);
            writer.PutText(1, flow.Helper.Text);            // CTA_HELP_NAME
            writer.EndNest(nest);
        }
        if (flow.IsRelated)
        {
            TupleCodec.Encode(
                ref writer, (int)CtAttribute.TupleMaster, flow.Family, flow.MasterProtocol,
                flow.Master);
        }
        PutExtensions(ref writer, flow);
        return writer.End();
    }

    /// <summary>
    /// Changes the flow; the kernel answers ENOENT if it is not there, EBUSY if its entry has
    /// status bits this one lacks (then clear Status in the flow and ask again). Without NAT,
    /// master and helper, which an update may not carry.
    /// </summary>
    internal static bool EncodeUpdate(
        ref MessageWriter writer, in Flow flow, uint sequence, NetlinkFlags extra,
        in CreateOptions options)
    {
        writer.Begin(CtMessage.New, NetlinkFlags.Request | extra, sequence, (byte)flow.Family);
        PutOrig(ref writer, flow);
        PutZone(ref writer, flow);
        if (options.TimeoutSeconds != 0)
        {
            writer.PutUInt32((ushort)CtAttribute.Timeout, options.TimeoutSeconds);
        }
        // The kernel refuses to clear bits (EBUSY): nothing is said if nothing is known, and an
        // entry that was created with its master is marked as expected.
        if (flow.Has(FlowAttributes.Status))
        {
            FlowStatus status = flow.Status & Replicated | FlowStatus.Confirmed;
            if (flow.IsRelated) { status |= FlowStatus.Expected; }
            writer.PutUInt32((ushort)CtAttribute.Status, (uint)status);
        }
        PutProtocolInfo(ref writer, flow, options.WindowTracking);
        if (flow.Has(FlowAttributes.Mark))
        {
            writer.PutUInt32((ushort)CtAttribute.Mark, flow.Mark);
        }
        PutExtensions(ref writer, flow);
        return writer.End();
    }

    /// <summary>Deletes the flow with this original tuple and zone.</summary>
    internal static bool EncodeDelete(
        ref MessageWriter writer, in Flow flow, uint sequence, NetlinkFlags extra)
    {
        writer.Begin(CtMessage.Delete, NetlinkFlags.Request | extra, sequence, (byte)flow.Family);
        PutOrig(ref writer, flow);
        PutZone(ref writer, flow);
        return writer.End();
    }

    /// <summary>
    /// Deletes the flow one of whose directions has this tuple, in a zone or in 0.
    /// </summary>
    internal static bool EncodeDeleteByTuple(
        ref MessageWriter writer, AddressFamily family, byte protocol, in FlowTuple tuple,
        ushort zone, bool hasZone, uint sequence, NetlinkFlags extra) =>
        EncodeByTuple(
            ref writer, CtMessage.Delete, family, protocol, tuple, zone, hasZone, sequence, extra);

    /// <summary>Asks for one flow; the answer is one message with MULTI and no DONE.</summary>
    internal static bool EncodeGet(
        ref MessageWriter writer, AddressFamily family, byte protocol, in FlowTuple tuple,
        ushort zone, bool hasZone, uint sequence, NetlinkFlags extra) =>
        EncodeByTuple(
            ref writer, CtMessage.Get, family, protocol, tuple, zone, hasZone, sequence, extra);

    /// <summary>Asks for all flows of a family, Unknown for both.</summary>
    internal static bool EncodeDump(ref MessageWriter writer, uint sequence, AddressFamily family)
    {
        writer.Begin(
            CtMessage.Get, NetlinkFlags.Request | NetlinkFlags.Dump, sequence, (byte)family);
        return writer.End();
    }

    /// <summary>Asks for all expectations of a family, Unknown for both.</summary>
    internal static bool EncodeExpectDump(
        ref MessageWriter writer, uint sequence, AddressFamily family)
    {
        const NetlinkFlags Flags = NetlinkFlags.Request | NetlinkFlags.Dump;
        writer.Begin(CtMessage.ExpectGet, Flags, sequence, (byte)family);
        return writer.End();
    }

    /// <summary>Deletes all expectations of the namespace.</summary>
    internal static bool EncodeFlushExpect(
        ref MessageWriter writer, uint sequence, NetlinkFlags extra)
    {
        writer.Begin(
            CtMessage.ExpectDelete, NetlinkFlags.Request | extra, sequence,
            (byte)AddressFamily.Unknown);
        return writer.End();
    }

    private static bool EncodeByTuple(
        ref MessageWriter writer, ushort type, AddressFamily family, byte protocol,
        in FlowTuple tuple, ushort zone, bool hasZone, uint sequence, NetlinkFlags extra)
    {
        writer.Begin(type, NetlinkFlags.Request | extra, sequence, (byte)family);
        TupleCodec.Encode(ref writer, (int)CtAttribute.TupleOrig, family, protocol, tuple);
        if (hasZone) { writer.PutUInt16((ushort)CtAttribute.Zone, zone); }
        return writer.End();
    }

    private static void PutOrig(ref MessageWriter writer, in Flow flow)
    {
        // A zone of both directions and one of this direction exclude each other (EINVAL).
        bool hasZone = flow.Has(FlowAttributes.ZoneOrig) && !flow.Has(FlowAttributes.Zone);
        TupleCodec.Encode(
            ref writer, (int)CtAttribute.TupleOrig, flow.Family, flow.Protocol, flow.Orig,
            hasZone, flow.ZoneOrig);
    }

    private static void PutZone(ref MessageWriter writer, in Flow flow)
    {
        if (flow.Has(FlowAttributes.Zone))
        {
            writer.PutUInt16((ushort)CtAttribute.Zone, flow.Zone);
        }
    }

    /// <summary>
    /// Extensions that create and update share. Labels must stay last: see below.
    /// </summary>
    private static void PutExtensions(ref MessageWriter writer, in Flow flow)
    {
        if (flow.Has(FlowAttributes.SequenceAdjust))
        {
            PutAdjustment(ref writer, CtAttribute.SequenceAdjustOrig, flow.SequenceAdjustOrig);
            PutAdjustment(ref writer, CtAttribute.SequenceAdjustReply, flow.SequenceAdjustReply);
        }
        // The kernel gives every entry made this way a synproxy extension of zeros by itself.
        if (flow.Has(FlowAttributes.Synproxy)
            && (flow.SynproxyIsn | flow.SynproxyIts | flow.SynproxyTimestampOffset) != 0)
        {
            int nest = writer.BeginNest((ushort)CtAttribute.Synproxy);
            writer.PutUInt32(1, flow.SynproxyIsn);              // CTA_SYNPROXY_ISN
            writer.PutUInt32(2, flow.SynproxyIts);              // CTA_SYNPROXY_ITS
            writer.PutUInt32(3, flow.SynproxyTimestampOffset);  // CTA_SYNPROXY_TSOFF
            writer.EndNest(nest);
        }
        // Without a label rule the kernel drops them on create and says ENOSPC on update, so what
        // has no label asks for none.
        if (flow.Has(FlowAttributes.Labels) && (flow.LabelsLow | flow.LabelsHigh) != 0
            && writer.TryReserve(
                (ushort)CtAttribute.Labels, 2 * sizeof(ulong), out Span<byte> bitmap))
        {
            BitConverter.TryWriteBytes(bitmap, flow.LabelsLow);
            BitConverter.TryWriteBytes(bitmap[sizeof(ulong)..], flow.LabelsHigh);
        }
    }

    private static void PutAdjustment(
        ref MessageWriter writer, CtAttribute attribute, in SequenceAdjustment adjustment)
    {
        int nest = writer.BeginNest((ushort)attribute);
        writer.PutUInt32(1, adjustment.CorrectionPosition);     // CTA_SEQADJ_CORRECTION_POS
        writer.PutUInt32(2, (uint)adjustment.OffsetBefore);     // CTA_SEQADJ_OFFSET_BEFORE
        writer.PutUInt32(3, (uint)adjustment.OffsetAfter);      // CTA_SEQADJ_OFFSET_AFTER
        writer.EndNest(nest);
    }
}
