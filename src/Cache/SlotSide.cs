using System.Runtime.InteropServices;
using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>Attributes that few flows have, 128 bytes in a pool of their own.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotSide
{
    /// <summary>The attributes that live here and nowhere else.</summary>
    internal const FlowAttributes Attributes =
        FlowAttributes.Helper | FlowAttributes.Labels | FlowAttributes.Master |
        FlowAttributes.MasterL4Keys | FlowAttributes.SequenceAdjust | FlowAttributes.Synproxy |
        FlowAttributes.SctpVtags | FlowAttributes.ZoneReply | FlowAttributes.DccpRole;

    internal FlowTuple Master;
    internal HelperName Helper;
    internal ulong LabelsLow;
    internal ulong LabelsHigh;
    internal SequenceAdjustment SequenceAdjustOrig;
    internal SequenceAdjustment SequenceAdjustReply;
    internal uint SynproxyIsn;
    internal uint SynproxyIts;
    internal uint SynproxyTimestampOffset;
    internal uint SctpVtagOrig;
    internal uint SctpVtagReply;
    internal ushort ZoneReply;
    internal byte MasterProtocol;
    internal byte DccpRole;

    /// <summary>
    /// True if the flow has something that must be kept here. A synproxy extension of zeros, which
    /// every entry made through ctnetlink has, needs no more than its bit in the slot.
    /// </summary>
    internal static bool IsNeeded(in Flow flow)
    {
        FlowAttributes rare = flow.Present & Attributes;
        if ((rare & ~(FlowAttributes.Synproxy | FlowAttributes.Labels)) != 0) { return true; }
        bool synproxy = (rare & FlowAttributes.Synproxy) != 0 &&
            (flow.SynproxyIsn | flow.SynproxyIts | flow.SynproxyTimestampOffset) != 0;
        bool labels = (rare & FlowAttributes.Labels) != 0 &&
            (flow.LabelsLow | flow.LabelsHigh) != 0;
        return synproxy || labels;
    }

    /// <summary>Copies the rare attributes that are present in <paramref name="flow"/>.</summary>
    internal void Store(in Flow flow)
    {
        if (flow.Has(FlowAttributes.Master))
        {
            Master = flow.Master;
            MasterProtocol = flow.MasterProtocol;
        }
        if (flow.Has(FlowAttributes.Helper)) { Helper = flow.Helper; }
        if (flow.Has(FlowAttributes.Labels))
        {
            LabelsLow = flow.LabelsLow;
            LabelsHigh = flow.LabelsHigh;
        }
        if (flow.Has(FlowAttributes.SequenceAdjust))
        {
            SequenceAdjustOrig = flow.SequenceAdjustOrig;
            SequenceAdjustReply = flow.SequenceAdjustReply;
        }
        if (flow.Has(FlowAttributes.Synproxy))
        {
            SynproxyIsn = flow.SynproxyIsn;
            SynproxyIts = flow.SynproxyIts;
            SynproxyTimestampOffset = flow.SynproxyTimestampOffset;
        }
        if (flow.Has(FlowAttributes.SctpVtags))
        {
            SctpVtagOrig = flow.SctpVtagOrig;
            SctpVtagReply = flow.SctpVtagReply;
        }
        if (flow.Has(FlowAttributes.ZoneReply)) { ZoneReply = flow.ZoneReply; }
        if (flow.Has(FlowAttributes.DccpRole)) { DccpRole = flow.DccpRole; }
    }

    /// <summary>
    /// Fills all rare members of <paramref name="flow"/>; its bits say which of them count.
    /// </summary>
    internal readonly void Load(ref Flow flow)
    {
        flow.Master = Master;
        flow.MasterProtocol = MasterProtocol;
        flow.Helper = Helper;
        flow.LabelsLow = LabelsLow;
        flow.LabelsHigh = LabelsHigh;
        flow.SequenceAdjustOrig = SequenceAdjustOrig;
        flow.SequenceAdjustReply = SequenceAdjustReply;
        flow.SynproxyIsn = SynproxyIsn;
        flow.SynproxyIts = SynproxyIts;
        flow.SynproxyTimestampOffset = SynproxyTimestampOffset;
        flow.SctpVtagOrig = SctpVtagOrig;
        flow.SctpVtagReply = SctpVtagReply;
        flow.ZoneReply = ZoneReply;
        flow.DccpRole = DccpRole;
    }
}
