using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Wire;

/// <summary>An expectation as a sync message: reading.</summary>
/// <remarks>
/// As <see cref="FlowMessage"/>: unknown attributes are stepped over, and what does not name its
/// master and its tuple in one family is refused. A missing mask is all zeros, as in the original.
/// </remarks>
internal static partial class ExpectationMessage
{
    private const int FunctionBytesMax = FunctionNameSentMax + 1;
    private const byte Variable = byte.MaxValue;

    /// <summary>Payload sizes by attribute number.</summary>
    private static ReadOnlySpan<byte> PayloadBytes =>
    [
        8, 32, 1, 4,                            // MasterIpv4 ...
        8, 32, 1, 4,                            // ExpectIpv4 ...
        8, 32, 1, 4,                            // MaskIpv4 ...
        4, 4, 4,                                // Timeout, Flags, Class
        8, 4, 1, 4,                             // NatIpv4 ... NatDirection
        Variable, Variable,                     // HelperName, Function
    ];

    /// <summary>Which family each tuple came in; Unknown if it did not come.</summary>
    private struct Families
    {
        internal AddressFamily Master;
        internal AddressFamily Mask;
        internal AddressFamily Nat;
        internal bool HasProtocol;
        internal bool HasMasterProtocol;
    }

    /// <summary>
    /// Fills <paramref name="expectation"/> from the attributes of a message. False if the payload
    /// is malformed; the expectation is then half filled.
    /// </summary>
    /// <param name="attributes">The message without its header.</param>
    /// <param name="expectation">Overwritten.</param>
    /// <param name="unknown">How many attributes were stepped over.</param>
    internal static bool TryDecode(
        ReadOnlySpan<byte> attributes, ref Expectation expectation, out int unknown)
    {
        expectation = default;
        unknown = 0;
        Families families = default;
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
            if (size != Variable && payload.Length != size) { return false; }
            var attribute = (SyncExpectAttribute)number;
            if (attribute < SyncExpectAttribute.Timeout)
            {
                StoreTuple(attribute, payload, ref expectation, ref families);
            }
            else if (!TryStore(attribute, payload, ref expectation, ref families))
            {
                return false;
            }
        }
        return !reader.Malformed && TrySettle(ref expectation, families);
    }

    private static void StoreTuple(
        SyncExpectAttribute attribute, ReadOnlySpan<byte> payload, ref Expectation expectation,
        ref Families families)
    {
        switch (attribute)
        {
            case SyncExpectAttribute.MasterIpv4 or SyncExpectAttribute.MasterIpv6:
                families.Master = ReadAddresses(payload, ref expectation.Master);
                break;
            case SyncExpectAttribute.MasterL4Protocol:
                expectation.MasterProtocol = payload[0];
                families.HasMasterProtocol = true;
                break;
            case SyncExpectAttribute.MasterPort:
                SyncTuple.ReadPorts(payload, ref expectation.Master);
                break;
            case SyncExpectAttribute.ExpectIpv4 or SyncExpectAttribute.ExpectIpv6:
                expectation.Family = ReadAddresses(payload, ref expectation.Tuple);
                break;
            case SyncExpectAttribute.ExpectL4Protocol:
                expectation.Protocol = payload[0];
                families.HasProtocol = true;
                break;
            case SyncExpectAttribute.ExpectPort:
                SyncTuple.ReadPorts(payload, ref expectation.Tuple);
                break;
            case SyncExpectAttribute.MaskIpv4 or SyncExpectAttribute.MaskIpv6:
                families.Mask = ReadAddresses(payload, ref expectation.Mask);
                break;
            case SyncExpectAttribute.MaskL4Protocol:
                expectation.MaskProtocol = payload[0];
                break;
            default:
                SyncTuple.ReadPorts(payload, ref expectation.Mask);
                break;
        }
    }

    /// <summary>False if a name is longer than allowed.</summary>
    private static bool TryStore(
        SyncExpectAttribute attribute, ReadOnlySpan<byte> payload, ref Expectation expectation,
        ref Families families)
    {
        switch (attribute)
        {
            case SyncExpectAttribute.Timeout:
                expectation.TimeoutSeconds = BinaryPrimitives.ReadUInt32BigEndian(payload);
                expectation.Present |= ExpectationAttributes.Timeout;
                break;
            case SyncExpectAttribute.Flags:
                expectation.Flags =
                    (ExpectationFlags)BinaryPrimitives.ReadUInt32BigEndian(payload);
                expectation.Present |= ExpectationAttributes.Flags;
                break;
            case SyncExpectAttribute.Class:
                expectation.Class = BinaryPrimitives.ReadUInt32BigEndian(payload);
                expectation.Present |= ExpectationAttributes.Class;
                break;
            case SyncExpectAttribute.NatIpv4:
                families.Nat = ReadAddresses(payload, ref expectation.NatTuple);
                expectation.Present |= ExpectationAttributes.Nat;
                break;
            case SyncExpectAttribute.NatPort:
                SyncTuple.ReadPorts(payload, ref expectation.NatTuple);
                expectation.Present |= ExpectationAttributes.Nat;
                break;
            case SyncExpectAttribute.NatL4Protocol:
                expectation.NatProtocol = payload[0];
                expectation.Present |= ExpectationAttributes.Nat;
                break;
            // The direction alone does not make a translation.
            case SyncExpectAttribute.NatDirection:
                expectation.NatDirection = BinaryPrimitives.ReadUInt32BigEndian(payload);
                break;
            case SyncExpectAttribute.HelperName:
                if (payload.Length > HelperName.Capacity) { return false; }
                expectation.Helper = HelperName.From(payload);
                if (expectation.Helper.Text.IsEmpty) { break; }
                expectation.Present |= ExpectationAttributes.Helper;
                break;
            default:
                if (payload.Length > FunctionBytesMax) { return false; }
                expectation.Function = FunctionName.From(payload);
                if (expectation.Function.Text.IsEmpty) { break; }
                expectation.Present |= ExpectationAttributes.Function;
                break;
        }
        return true;
    }

    private static AddressFamily ReadAddresses(
        ReadOnlySpan<byte> payload, ref FlowTuple tuple)
    {
        AddressFamily family = payload.Length == 2 * Address.Ipv4Size
            ? AddressFamily.Ipv4 : AddressFamily.Ipv6;
        SyncTuple.ReadAddresses(family, payload, ref tuple);
        return family;
    }

    /// <summary>False if the tuple or the master is missing, or if the families differ.</summary>
    private static bool TrySettle(ref Expectation expectation, in Families families)
    {
        AddressFamily family = expectation.Family;
        if (family == AddressFamily.Unknown || families.Master != family
            || !families.HasProtocol || !families.HasMasterProtocol)
        {
            return false;
        }
        if (families.Mask != AddressFamily.Unknown && families.Mask != family) { return false; }
        if (families.Nat != AddressFamily.Unknown && families.Nat != family) { return false; }
        expectation.Present |= ExpectationAttributes.Tuple | ExpectationAttributes.Master
            | ExpectationAttributes.Mask;
        return true;
    }
}
