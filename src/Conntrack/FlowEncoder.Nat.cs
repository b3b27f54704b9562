using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

internal static partial class FlowEncoder
{
    /// <summary>One direction of translation to ask for.</summary>
    private ref struct Translation
    {
        internal bool HasAddress;
        internal bool HasPort;
        internal Address Address;
        internal ushort Port;
    }

    /// <summary>
    /// Describes the translation, so that the kernel itself computes the reply tuple.
    /// </summary>
    /// <remarks>
    /// Minimum and maximum are always equal, and a translated address takes the unchanged port
    /// along: otherwise the kernel may choose another port where this one is taken, and the flow
    /// would look restored but be dead. So it answers EEXIST. For ICMP the "port" is the id, which
    /// is known to have changed only if the kernel's own reply tuple is: peers announce ports 0 for
    /// every translated ICMP flow (shared spec wire, 7.1).
    /// </remarks>
    private static void PutNat(ref MessageWriter writer, in Flow flow)
    {
        bool icmp = L4Protocol.IsIcmp(flow.Protocol);
        bool ports = L4Protocol.HasPorts(flow.Protocol) && flow.Has(FlowAttributes.L4Keys);
        bool newId = icmp && flow.Has(FlowAttributes.Reply | FlowAttributes.L4Keys)
            && flow.Reply.L4Source != flow.Orig.L4Source;
        bool sourceDone = !flow.Has(FlowAttributes.Status)
            || (flow.Status & FlowStatus.SrcNatDone) != 0;

        bool snat = flow.Has(FlowAttributes.Snat);
        bool spat = flow.Has(FlowAttributes.Spat) && ports;
        var source = new Translation
        {
            HasAddress = snat,
            Address = flow.SnatAddress,
            HasPort = spat || (snat && ports) || (newId && sourceDone),
            Port = newId ? flow.Reply.L4Source : spat ? flow.SpatPort : flow.Orig.L4Source,
        };
        PutTranslation(ref writer, CtAttribute.NatSource, flow.Family, source);

        bool dnat = flow.Has(FlowAttributes.Dnat);
        bool dpat = flow.Has(FlowAttributes.Dpat) && ports;
        var target = new Translation
        {
            HasAddress = dnat,
            Address = flow.DnatAddress,
            HasPort = dpat || (dnat && ports),
            Port = dpat ? flow.DpatPort : flow.Orig.L4Target,
        };
        PutTranslation(ref writer, CtAttribute.NatTarget, flow.Family, target);
    }

    private static void PutTranslation(
        ref MessageWriter writer, CtAttribute attribute, AddressFamily family,
        in Translation translation)
    {
        if (!translation.HasAddress && !translation.HasPort) { return; }
        int nest = writer.BeginNest((ushort)attribute);
        if (translation.HasAddress)
        {
            bool ipv4 = family == AddressFamily.Ipv4;
            CtNat min = ipv4 ? CtNat.V4AddressMin : CtNat.V6AddressMin;
            CtNat max = ipv4 ? CtNat.V4AddressMax : CtNat.V6AddressMax;
            TupleCodec.PutAddress(ref writer, (ushort)min, family, translation.Address);
            TupleCodec.PutAddress(ref writer, (ushort)max, family, translation.Address);
        }
        if (translation.HasPort)
        {
            int protocol = writer.BeginNest((ushort)CtNat.Protocol);
            writer.PutUInt16((ushort)CtNatProtocol.PortMin, translation.Port);
            writer.PutUInt16((ushort)CtNatProtocol.PortMax, translation.Port);
            writer.EndNest(protocol);
        }
        writer.EndNest(nest);
    }
}
