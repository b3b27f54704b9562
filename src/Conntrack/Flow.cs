namespace Conntrackd.Conntrack;

/// <summary>
/// Everything conntrackd knows about one tracked flow, unpacked. One is reused for a whole run of
/// messages; tables keep flows in a compact form (room Cache).
/// </summary>
/// <remarks>
/// This room is the model of a flow, its text form, the filter and the ctnetlink codec. It is pure:
/// no sockets, no clock. Read <see cref="Flow"/>, then <see cref="FlowAttributes"/>, then
/// FlowDecoder. A member is meaningful only while its bit is set in <see cref="Present"/>; what is
/// absent holds stale values, so a reused flow is started anew by <see cref="Clear"/>, which
/// resets the bits only. All numbers are in host order.
/// </remarks>
internal partial struct Flow
{
    internal FlowAttributes Present;
    internal AddressFamily Family;
    internal byte Protocol;                 // see L4Protocol
    internal byte ProtocolState;            // TCP, SCTP or DCCP state, by Protocol
    internal byte DccpRole;
    internal byte TcpWscaleOrig;
    internal byte TcpWscaleReply;
    internal byte TcpFlagsOrig;
    internal byte TcpFlagsReply;
    internal ushort Zone;
    internal ushort ZoneOrig;
    internal ushort ZoneReply;
    internal FlowTuple Orig;
    internal FlowTuple Reply;
    internal FlowStatus Status;
    internal uint TimeoutSeconds;           // until the kernel drops the flow, as last reported
    internal uint Mark;
    internal uint Id;                       // opaque, constant for the life of the kernel's entry
    internal uint Use;
    internal uint SctpVtagOrig;
    internal uint SctpVtagReply;
    internal Address SnatAddress;           // new source
    internal Address DnatAddress;           // new target
    internal ushort SpatPort;               // new source port
    internal ushort DpatPort;               // new target port
    internal byte MasterProtocol;
    internal FlowTuple Master;              // original tuple of the flow that expected this one
    internal SequenceAdjustment SequenceAdjustOrig;
    internal SequenceAdjustment SequenceAdjustReply;
    internal HelperName Helper;
    internal ulong LabelsLow;               // labels 0-63, label n is bit n
    internal ulong LabelsHigh;              // labels 64-127
    internal uint SynproxyIsn;
    internal uint SynproxyIts;
    internal uint SynproxyTimestampOffset;
    internal ulong PacketsOrig;
    internal ulong PacketsReply;
    internal ulong BytesOrig;
    internal ulong BytesReply;
    internal ulong TimestampStartNanoseconds; // since 1970
    internal ulong TimestampStopNanoseconds;
    internal ulong TimestampEventNanoseconds;

    /// <summary>True if all of <paramref name="attributes"/> are known.</summary>
    internal readonly bool Has(FlowAttributes attributes) => (Present & attributes) == attributes;

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        Present = FlowAttributes.None;
        Family = AddressFamily.Unknown;
        Protocol = 0;
        Orig = default;
    }

    /// <summary>
    /// The zone that tells equal original tuples apart: that of both directions, or of the original
    /// one alone, or 0. Never read <see cref="Zone"/> for identity.
    /// </summary>
    internal readonly ushort KeyZone =>
        Has(FlowAttributes.Zone) ? Zone : Has(FlowAttributes.ZoneOrig) ? ZoneOrig : (ushort)0;

    /// <summary>
    /// True if the flow belongs to a master that is fully named (ports included).
    /// </summary>
    internal readonly bool IsRelated => Has(FlowAttributes.Master | FlowAttributes.MasterL4Keys);
}
