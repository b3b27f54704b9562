using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>A flow as a sync message: reading.</summary>
/// <remarks>
/// Unlike the original, attributes of newer peers are stepped over and counted instead of refusing
/// the message, helper names of 12 to 15 characters are read, and a message that does not say which
/// flow it means (no address or no protocol) is refused. As the original: order does not matter and
/// the last of several wins, addresses of both families included. NAT stays a description; the
/// reply tuple stays unknown. Source: shared spec wire, section 8.
/// </remarks>
internal static partial class FlowMessage
{
    private const int LabelsBytesMax = 1024;
    private const byte Variable = byte.MaxValue;

    /// <summary>Payload sizes by attribute number.</summary>
    private static ReadOnlySpan<byte> PayloadBytes =>
    [
        8, 32, 1, 4, 1, 4, 4, 4,                // Ipv4 ... Mark
        8, 32, 1, 4, 4, 4, 2, 2,                // MasterIpv4 ... DpatPort
        24, 1, 4, 4, 1, 1, 1, 1, 2,             // SequenceAdjust ... IcmpId
        1, 1, Variable, Variable, 16, 16, 12, 2, // TcpWscaleOrig ... Zone
    ];

    /// <summary>
    /// What cannot go straight into the flow because it depends on other attributes.
    /// </summary>
    private struct Pending
    {
        internal AddressFamily MasterFamily;
        internal AddressFamily SnatFamily;
        internal AddressFamily DnatFamily;
        internal bool HasProtocol;
        internal bool HasPorts;
        internal bool HasIcmpType;
        internal bool HasMasterProtocol;
        internal byte StateOf;                  // protocol whose state was sent, 0 if none was
        internal byte State;
        internal byte IcmpType;
        internal byte IcmpCode;
        internal ushort IcmpId;
        internal uint Ports;
        internal byte Wscales;                  // bit 0 orig, bit 1 reply
        internal byte Vtags;                    // the same
    }

    /// <summary>
    /// Clears <paramref name="flow"/> and fills it from the attributes of a message. False if the
    /// payload is malformed; the flow is then half filled.
    /// </summary>
    /// <param name="attributes">The message without its header.</param>
    /// <param name="flow">The target.</param>
    /// <param name="unknown">How many attributes were stepped over.</param>
    internal static bool TryDecode(
        ReadOnlySpan<byte> attributes, ref Flow flow, out int unknown)
    {
        flow.Clear();
        unknown = 0;
        Pending pending = default;
        ReadOnlySpan<byte> sizes = PayloadBytes;
        var reader = new SyncAttributeReader(attributes);
        while (reader.TryNext(out int number, out ReadOnlySpan<byte> payload))
        {
            if ((uint)number >= (uint)sizes.Length)
            {
                unknown++;
                continue;
            }
            byte size = sizes[number];
            if (size == Variable)
            {
                if (!TryStoreVariable((SyncAttribute)number, payload, ref flow)) { return false; }
                continue;
            }
            if (payload.Length != size) { return false; }
            Store((SyncAttribute)number, payload, ref flow, ref pending);
        }
        if (reader.Malformed || !pending.HasProtocol || !flow.Has(FlowAttributes.Orig))
        {
            return false;
        }
        Settle(ref flow, pending);
        return true;
    }

    /// <summary>The attributes of almost every message.</summary>
    private static void Store(
        SyncAttribute attribute, ReadOnlySpan<byte> payload, ref Flow flow, ref Pending pending)
    {
        switch (attribute)
        {
            case SyncAttribute.Ipv4:
                StoreOrig(ref flow, AddressFamily.Ipv4, payload);
                break;
            case SyncAttribute.Ipv6:
                StoreOrig(ref flow, AddressFamily.Ipv6, payload);
                break;
            case SyncAttribute.L4Protocol:
                flow.Protocol = payload[0];
                pending.HasProtocol = true;
                break;
            case SyncAttribute.Port:
                pending.Ports = BinaryPrimitives.ReadUInt32BigEndian(payload);
                pending.HasPorts = true;
                break;
            case SyncAttribute.TcpState:
                pending.State = payload[0];
                pending.StateOf = L4Protocol.Tcp;
                break;
            case SyncAttribute.Status:
                flow.Status = (FlowStatus)BinaryPrimitives.ReadUInt32BigEndian(payload);
                flow.Present |= FlowAttributes.Status;
                break;
            case SyncAttribute.Timeout:
                flow.TimeoutSeconds = BinaryPrimitives.ReadUInt32BigEndian(payload);
                flow.Present |= FlowAttributes.Timeout;
                break;
            case SyncAttribute.Mark:
                flow.Mark = BinaryPrimitives.ReadUInt32BigEndian(payload);
                flow.Present |= FlowAttributes.Mark;
                break;
            case SyncAttribute.Synproxy:
                flow.SynproxyIts = BinaryPrimitives.ReadUInt32BigEndian(payload);
                flow.SynproxyIsn = BinaryPrimitives.ReadUInt32BigEndian(payload[4..]);
                flow.SynproxyTimestampOffset = BinaryPrimitives.ReadUInt32BigEndian(payload[8..]);
                flow.Present |= FlowAttributes.Synproxy;
                break;
            case SyncAttribute.TcpWscaleOrig:
                flow.TcpWscaleOrig = payload[0];
                pending.Wscales |= 1;
                break;
            case SyncAttribute.TcpWscaleReply:
                flow.TcpWscaleReply = payload[0];
                pending.Wscales |= 2;
                break;
            default:
                StoreRare(attribute, payload, ref flow, ref pending);
                break;
        }
    }

    private static void StoreRare(
        SyncAttribute attribute, ReadOnlySpan<byte> payload, ref Flow flow, ref Pending pending)
    {
        switch (attribute)
        {
            case SyncAttribute.IcmpType:
                pending.IcmpType = payload[0];
                pending.HasIcmpType = true;
                break;
            case SyncAttribute.IcmpCode:
                pending.IcmpCode = payload[0];
                break;
            case SyncAttribute.IcmpId:
                pending.IcmpId = BinaryPrimitives.ReadUInt16LittleEndian(payload);
                break;
            case SyncAttribute.SctpState:
                pending.State = payload[0];
                pending.StateOf = L4Protocol.Sctp;
                break;
            case SyncAttribute.SctpVtagOrig:
                flow.SctpVtagOrig = BinaryPrimitives.ReadUInt32BigEndian(payload);
                pending.Vtags |= 1;
                break;
            case SyncAttribute.SctpVtagReply:
                flow.SctpVtagReply = BinaryPrimitives.ReadUInt32BigEndian(payload);
                pending.Vtags |= 2;
                break;
            case SyncAttribute.DccpState:
                pending.State = payload[0];
                pending.StateOf = L4Protocol.Dccp;
                break;
            case SyncAttribute.DccpRole:
                flow.DccpRole = payload[0];
                flow.Present |= FlowAttributes.DccpRole;
                break;
            case SyncAttribute.SequenceAdjust:
                flow.SequenceAdjustOrig = ReadAdjustment(payload);
                flow.SequenceAdjustReply = ReadAdjustment(payload[12..]);
                flow.Present |= FlowAttributes.SequenceAdjust;
                break;
            case SyncAttribute.Zone:
                flow.Zone = BinaryPrimitives.ReadUInt16BigEndian(payload);
                flow.Present |= FlowAttributes.Zone;
                break;
            default:
                StoreNatOrMaster(attribute, payload, ref flow, ref pending);
                break;
        }
    }

    private static void StoreNatOrMaster(
        SyncAttribute attribute, ReadOnlySpan<byte> payload, ref Flow flow, ref Pending pending)
    {
        switch (attribute)
        {
            case SyncAttribute.SnatIpv4:
                flow.SnatAddress = Address.ReadIpv4(payload);
                pending.SnatFamily = AddressFamily.Ipv4;
                break;
            case SyncAttribute.SnatIpv6:
                flow.SnatAddress = Address.ReadIpv6(payload);
                pending.SnatFamily = AddressFamily.Ipv6;
                break;
            case SyncAttribute.DnatIpv4:
                flow.DnatAddress = Address.ReadIpv4(payload);
                pending.DnatFamily = AddressFamily.Ipv4;
                break;
            case SyncAttribute.DnatIpv6:
                flow.DnatAddress = Address.ReadIpv6(payload);
                pending.DnatFamily = AddressFamily.Ipv6;
                break;
            case SyncAttribute.SpatPort:
                flow.SpatPort = BinaryPrimitives.ReadUInt16LittleEndian(payload);
                flow.Present |= FlowAttributes.Spat;
                break;
            case SyncAttribute.DpatPort:
                flow.DpatPort = BinaryPrimitives.ReadUInt16LittleEndian(payload);
                flow.Present |= FlowAttributes.Dpat;
                break;
            case SyncAttribute.MasterIpv4:
                SyncTuple.ReadAddresses(AddressFamily.Ipv4, payload, ref flow.Master);
                pending.MasterFamily = AddressFamily.Ipv4;
                break;
            case SyncAttribute.MasterIpv6:
                SyncTuple.ReadAddresses(AddressFamily.Ipv6, payload, ref flow.Master);
                pending.MasterFamily = AddressFamily.Ipv6;
                break;
            case SyncAttribute.MasterL4Protocol:
                flow.MasterProtocol = payload[0];
                pending.HasMasterProtocol = true;
                break;
            case SyncAttribute.MasterPort:
                SyncTuple.ReadPorts(payload, ref flow.Master);
                flow.Present |= FlowAttributes.MasterL4Keys;
                break;
            default:
                break;
        }
    }

    private static void StoreOrig(
        ref Flow flow, AddressFamily family, ReadOnlySpan<byte> addresses)
    {
        SyncTuple.ReadAddresses(family, addresses, ref flow.Orig);
        flow.Family = family;
        flow.Present |= FlowAttributes.Orig;
    }

    /// <summary>False if the attribute is longer than allowed.</summary>
    private static bool TryStoreVariable(
        SyncAttribute attribute, ReadOnlySpan<byte> payload, ref Flow flow)
    {
        if (attribute == SyncAttribute.HelperName)
        {
            if (payload.Length > HelperName.Capacity) { return false; }
            flow.Helper = HelperName.From(payload);
            if (!flow.Helper.Text.IsEmpty) { flow.Present |= FlowAttributes.Helper; }
            return true;
        }
        if (payload.Length > LabelsBytesMax) { return false; }
        // Not whole words: the original ignores the attribute and keeps the message.
        if (payload.IsEmpty || payload.Length % sizeof(uint) != 0) { return true; }
        // What goes beyond the kernel's 128 labels is ignored.
        flow.LabelsLow = LabelWord(payload, 0) | (ulong)LabelWord(payload, 1) << 32;
        flow.LabelsHigh = LabelWord(payload, 2) | (ulong)LabelWord(payload, 3) << 32;
        flow.Present |= FlowAttributes.Labels;
        return true;
    }

    private static uint LabelWord(ReadOnlySpan<byte> words, int index)
    {
        int at = index * sizeof(uint);
        return at < words.Length ? BinaryPrimitives.ReadUInt32BigEndian(words[at..]) : 0;
    }

    private static SequenceAdjustment ReadAdjustment(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt32BigEndian(source),
            BinaryPrimitives.ReadInt32BigEndian(source[4..]),
            BinaryPrimitives.ReadInt32BigEndian(source[8..]));

    /// <summary>
    /// Decides what the attributes mean together. What contradicts the flow's family or protocol is
    /// left out: it could not be written to the kernel.
    /// </summary>
    private static void Settle(ref Flow flow, in Pending pending)
    {
        FlowAttributes present = flow.Present | FlowAttributes.Protocol;
        byte protocol = flow.Protocol;
        if (pending.HasPorts && L4Protocol.HasPorts(protocol))
        {
            flow.Orig.L4Source = (ushort)(pending.Ports >> 16);
            flow.Orig.L4Target = (ushort)pending.Ports;
            present |= FlowAttributes.L4Keys;
        }
        else if (pending.HasIcmpType && L4Protocol.IsIcmp(protocol))
        {
            flow.Orig.L4Source = pending.IcmpId;
            flow.Orig.L4Target = (ushort)(pending.IcmpType << 8 | pending.IcmpCode);
            present |= FlowAttributes.L4Keys;
        }
        if (pending.StateOf != 0 && pending.StateOf == protocol)
        {
            flow.ProtocolState = pending.State;
            present |= FlowAttributes.ProtocolState;
        }
        if (pending.Wscales == 3) { present |= FlowAttributes.TcpWscale; }
        if (pending.Vtags == 3) { present |= FlowAttributes.SctpVtags; }
        if (pending.SnatFamily == flow.Family) { present |= FlowAttributes.Snat; }
        if (pending.DnatFamily == flow.Family) { present |= FlowAttributes.Dnat; }
        if (pending.MasterFamily == flow.Family && pending.HasMasterProtocol)
        {
            present |= FlowAttributes.Master;
        }
        else
        {
            present &= ~FlowAttributes.MasterL4Keys;
        }
        if ((present & FlowAttributes.MasterL4Keys) == 0)
        {
            flow.Master.L4Source = flow.Master.L4Target = 0;
        }
        flow.Present = present;
    }
}
