using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>The nest that names one direction of a flow, both ways.</summary>
/// <remarks>
/// <code>
/// CTA_TUPLE_* { CTA_TUPLE_IP    { V4_SRC 4, V4_DST 4 | V6_SRC 16, V6_DST 16 }
///               CTA_TUPLE_PROTO { NUM 1, [SRC_PORT 2, DST_PORT 2 | ICMP id 2, type 1, code 1] }
///               [CTA_TUPLE_ZONE 2] }
/// </code>Source: linux/netfilter/nfnetlink_conntrack.h; which protocol has what: shared spec
/// ctnetlink, section 3.3.
/// </remarks>
internal static class TupleCodec
{
    /// <summary>A tuple as decoded, with what only some tuples carry.</summary>
    internal ref struct Decoded
    {
        internal FlowTuple Tuple;
        internal byte Protocol;
        internal bool HasL4Keys;
        internal bool HasZone;
        internal ushort Zone;
    }

    /// <summary>
    /// Reads the payload of a tuple nest. False if something is too short, if an address is missing
    /// or not of <paramref name="family"/>. Missing layer-4 members are 0.
    /// </summary>
    internal static bool TryDecode(
        ReadOnlySpan<byte> nest, AddressFamily family, out Decoded decoded)
    {
        decoded = default;
        bool hasAddresses = false;
        var attributes = new AttributeReader(nest);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtTuple)attribute.Type)
            {
                case CtTuple.Ip:
                    hasAddresses = TryDecodeAddresses(
                        attribute.Payload, family, ref decoded.Tuple);
                    if (!hasAddresses) { return false; }
                    break;
                case CtTuple.Protocol:
                    if (!TryDecodeProtocol(attribute.Payload, ref decoded)) { return false; }
                    break;
                case CtTuple.Zone:
                    if (!attribute.TryReadUInt16(out decoded.Zone)) { return false; }
                    decoded.HasZone = true;
                    break;
                default:
                    break;
            }
        }
        return hasAddresses && !attributes.Malformed;
    }

    private static bool TryDecodeAddresses(
        ReadOnlySpan<byte> nest, AddressFamily family, ref FlowTuple tuple)
    {
        const int Source = 1, Target = 2;
        int bytes = family == AddressFamily.Ipv4 ? Address.Ipv4Size : Address.Ipv6Size;
        int first = family == AddressFamily.Ipv4 ? (int)CtIp.V4Source : (int)CtIp.V6Source;
        int seen = 0;
        var attributes = new AttributeReader(nest);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            int which = attribute.Type - first;
            if (which is not (0 or 1)) { continue; }
            ReadOnlySpan<byte> payload = attribute.Payload;
            if (payload.Length < bytes) { return false; }
            Address address = family == AddressFamily.Ipv4
                ? Address.ReadIpv4(payload) : Address.ReadIpv6(payload);
            if (which == 0)
            {
                tuple.Source = address;
                seen |= Source;
            }
            else
            {
                tuple.Target = address;
                seen |= Target;
            }
        }
        return seen == (Source | Target) && !attributes.Malformed;
    }

    private static bool TryDecodeProtocol(ReadOnlySpan<byte> nest, ref Decoded decoded)
    {
        byte type = 0, code = 0;
        ushort source = 0, target = 0;
        bool icmp = false, ok = true;
        var attributes = new AttributeReader(nest);
        while (ok && attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch ((CtProtocol)attribute.Type)
            {
                case CtProtocol.Number:
                    ok = attribute.TryReadByte(out decoded.Protocol);
                    break;
                // Ports, or call keys for GRE; several trackers use the same two attributes.
                case CtProtocol.SourcePort:
                    ok = attribute.TryReadUInt16(out source);
                    decoded.HasL4Keys = true;
                    break;
                case CtProtocol.TargetPort:
                    ok = attribute.TryReadUInt16(out target);
                    decoded.HasL4Keys = true;
                    break;
                case CtProtocol.IcmpId:
                case CtProtocol.Icmpv6Id:
                    ok = attribute.TryReadUInt16(out source);
                    icmp = true;
                    break;
                case CtProtocol.IcmpType:
                case CtProtocol.Icmpv6Type:
                    ok = attribute.TryReadByte(out type);
                    icmp = true;
                    break;
                case CtProtocol.IcmpCode:
                case CtProtocol.Icmpv6Code:
                    ok = attribute.TryReadByte(out code);
                    icmp = true;
                    break;
                default:
                    break;
            }
        }
        decoded.HasL4Keys |= icmp;
        decoded.Tuple.L4Source = source;
        decoded.Tuple.L4Target = icmp ? (ushort)((type << 8) | code) : target;
        return ok && !attributes.Malformed;
    }

    /// <summary>Appends a tuple nest, with a zone of this direction alone if asked for.</summary>
    internal static void Encode(
        ref MessageWriter writer, int attribute, AddressFamily family, byte protocol,
        in FlowTuple tuple, bool hasZone = false, ushort zone = 0)
    {
        int nest = writer.BeginNest((ushort)attribute);
        EncodeAddresses(ref writer, family, tuple);
        EncodeProtocol(ref writer, protocol, tuple);
        if (hasZone) { writer.PutUInt16((ushort)CtTuple.Zone, zone); }
        writer.EndNest(nest);
    }

    private static void EncodeAddresses(
        ref MessageWriter writer, AddressFamily family, in FlowTuple tuple)
    {
        int nest = writer.BeginNest((ushort)CtTuple.Ip);
        if (family == AddressFamily.Ipv4)
        {
            PutAddress(ref writer, (ushort)CtIp.V4Source, family, tuple.Source);
            PutAddress(ref writer, (ushort)CtIp.V4Target, family, tuple.Target);
        }
        else
        {
            PutAddress(ref writer, (ushort)CtIp.V6Source, family, tuple.Source);
            PutAddress(ref writer, (ushort)CtIp.V6Target, family, tuple.Target);
        }
        writer.EndNest(nest);
    }

    /// <summary>Appends one address of the given family.</summary>
    internal static void PutAddress(
        ref MessageWriter writer, ushort type, AddressFamily family, in Address address)
    {
        int bytes = family == AddressFamily.Ipv4 ? Address.Ipv4Size : Address.Ipv6Size;
        if (!writer.TryReserve(type, bytes, out Span<byte> payload)) { return; }
        if (family == AddressFamily.Ipv4)
        {
            address.WriteIpv4(payload);
        }
        else
        {
            address.WriteIpv6(payload);
        }
    }

    private static void EncodeProtocol(
        ref MessageWriter writer, byte protocol, in FlowTuple tuple)
    {
        int nest = writer.BeginNest((ushort)CtTuple.Protocol);
        writer.PutByte((ushort)CtProtocol.Number, protocol);
        if (protocol == L4Protocol.Icmp)
        {
            writer.PutUInt16((ushort)CtProtocol.IcmpId, tuple.L4Source);
            writer.PutByte((ushort)CtProtocol.IcmpType, tuple.IcmpType);
            writer.PutByte((ushort)CtProtocol.IcmpCode, tuple.IcmpCode);
        }
        else if (protocol == L4Protocol.Icmpv6)
        {
            writer.PutUInt16((ushort)CtProtocol.Icmpv6Id, tuple.L4Source);
            writer.PutByte((ushort)CtProtocol.Icmpv6Type, tuple.IcmpType);
            writer.PutByte((ushort)CtProtocol.Icmpv6Code, tuple.IcmpCode);
        }
        else if (L4Protocol.HasPorts(protocol))
        {
            writer.PutUInt16((ushort)CtProtocol.SourcePort, tuple.L4Source);
            writer.PutUInt16((ushort)CtProtocol.TargetPort, tuple.L4Target);
        }
        writer.EndNest(nest);
    }
}
