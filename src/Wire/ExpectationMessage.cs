using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>An expectation as a sync message: writing.</summary>
/// <remarks>
/// Order and conditions of the original, shared spec wire, section 9: ports of all tuples are sent
/// if the master's protocol has ports, and the addresses of the NAT tuple only for IPv4.
/// </remarks>
internal static partial class ExpectationMessage
{
    /// <summary>Room that a message takes at most.</summary>
    internal const int SizeMax = 512;

    private const int HelperNameSentMax = 11;
    private const int FunctionNameSentMax = 27;

    /// <summary>
    /// Writes the message and returns its length; 0 if it does not fit into the target.
    /// </summary>
    internal static int Encode(
        Span<byte> target, in Expectation expectation, SyncType type, SyncFlags flags,
        uint sequence, FlowMessageOptions options)
    {
        AddressFamily family = expectation.Family;
        bool ports = HasPorts(expectation.MasterProtocol);
        var writer = new SyncAttributeWriter(target);
        PutTuple(
            ref writer, SyncExpectAttribute.MasterIpv4, family, expectation.Master,
            expectation.MasterProtocol, ports);
        PutTuple(
            ref writer, SyncExpectAttribute.ExpectIpv4, family, expectation.Tuple,
            expectation.Protocol, ports);
        PutTuple(
            ref writer, SyncExpectAttribute.MaskIpv4, family, expectation.Mask,
            expectation.MaskProtocol, ports);
        if (options.Timeout && expectation.Has(ExpectationAttributes.Timeout))
        {
            writer.PutUInt32((int)SyncExpectAttribute.Timeout, expectation.TimeoutSeconds);
        }
        ExpectationFlags bits = expectation.Has(ExpectationAttributes.Flags)
            ? expectation.Flags : ExpectationFlags.None;
        writer.PutUInt32((int)SyncExpectAttribute.Flags, (uint)bits);
        if (expectation.Has(ExpectationAttributes.Class))
        {
            writer.PutUInt32((int)SyncExpectAttribute.Class, expectation.Class);
        }
        if (expectation.Has(ExpectationAttributes.Nat)) { PutNat(ref writer, expectation, ports); }
        PutNames(ref writer, expectation);
        return writer.Finish(type, flags, sequence);
    }

    private static bool HasPorts(byte protocol) =>
        protocol is L4Protocol.Tcp or L4Protocol.Udp or L4Protocol.Sctp or L4Protocol.Dccp;

    /// <summary>
    /// The four attributes of a tuple follow each other: IPv4, IPv6, protocol, ports.
    /// </summary>
    private static void PutTuple(
        ref SyncAttributeWriter writer, SyncExpectAttribute first, AddressFamily family,
        in FlowTuple tuple, byte protocol, bool ports)
    {
        int ipv4 = (int)first;
        writer.PutAddresses(ipv4, ipv4 + 1, family, tuple);
        writer.PutByte(ipv4 + 2, protocol);
        if (ports) { writer.PutPorts(ipv4 + 3, tuple); }
    }

    private static void PutNat(
        ref SyncAttributeWriter writer, in Expectation expectation, bool ports)
    {
        if (expectation.Family == AddressFamily.Ipv4)
        {
            writer.PutAddresses(
                (int)SyncExpectAttribute.NatIpv4, 0, AddressFamily.Ipv4, expectation.NatTuple);
        }
        writer.PutByte((int)SyncExpectAttribute.NatL4Protocol, expectation.NatProtocol);
        if (ports) { writer.PutPorts((int)SyncExpectAttribute.NatPort, expectation.NatTuple); }
        writer.PutUInt32((int)SyncExpectAttribute.NatDirection, expectation.NatDirection);
    }

    /// <summary>Longer names than the original accepts are not sent.</summary>
    private static void PutNames(ref SyncAttributeWriter writer, in Expectation expectation)
    {
        if (expectation.Has(ExpectationAttributes.Helper)
            && expectation.Helper.Text.Length is > 0 and <= HelperNameSentMax)
        {
            writer.PutText((int)SyncExpectAttribute.HelperName, expectation.Helper.Text);
        }
        if (expectation.Has(ExpectationAttributes.Function)
            && expectation.Function.Text.Length is > 0 and <= FunctionNameSentMax)
        {
            writer.PutText((int)SyncExpectAttribute.Function, expectation.Function.Text);
        }
    }
}
