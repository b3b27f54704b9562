using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>Builds the requests that write expectations to the kernel and delete them.</summary>
/// <remarks>
/// As <see cref="FlowEncoder"/>: one whole message, or nothing and false. The master must be in the
/// kernel, with its helper, before its expectations (ENOENT, EOPNOTSUPP). A create takes the
/// timeout of the helper whatever is asked for, so an update follows it to set the timeout. Source:
/// shared spec ctnetlink, 4.
/// </remarks>
internal static class ExpectationEncoder
{
    /// <summary>Creates the expectation; EEXIST if it is there.</summary>
    internal static bool EncodeCreate(
        ref MessageWriter writer, in Expectation expectation, uint sequence, NetlinkFlags extra,
        uint timeoutSeconds)
    {
        const NetlinkFlags Flags =
            NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive;
        writer.Begin(CtMessage.ExpectNew, Flags | extra, sequence, (byte)expectation.Family);
        PutIdentity(ref writer, expectation, timeoutSeconds);
        if (expectation.Has(ExpectationAttributes.Helper))
        {
            writer.PutText((ushort)CtExpect.HelperName, expectation.Helper.Text);
        }
        if (expectation.Has(ExpectationAttributes.Flags))
        {
            ExpectationFlags flags = expectation.Flags & ~ExpectationFlags.UserSpace;
            writer.PutUInt32((ushort)CtExpect.Flags, (uint)flags);
        }
        if (expectation.Has(ExpectationAttributes.Class))
        {
            writer.PutUInt32((ushort)CtExpect.Class, expectation.Class);
        }
        if (expectation.Has(ExpectationAttributes.Nat)) { PutNat(ref writer, expectation); }
        if (expectation.Has(ExpectationAttributes.Function))
        {
            writer.PutText((ushort)CtExpect.Function, expectation.Function.Text);
        }
        return writer.End();
    }

    /// <summary>
    /// Sets the timeout, the only thing that can be changed; ENOENT if it is gone.
    /// </summary>
    internal static bool EncodeUpdate(
        ref MessageWriter writer, in Expectation expectation, uint sequence, NetlinkFlags extra,
        uint timeoutSeconds)
    {
        writer.Begin(
            CtMessage.ExpectNew, NetlinkFlags.Request | extra, sequence, (byte)expectation.Family);
        PutIdentity(ref writer, expectation, timeoutSeconds);
        return writer.End();
    }

    /// <summary>Deletes the expectation with this tuple and zone.</summary>
    /// <remarks>
    /// Without the id, which some kernels compare with another value than they report.
    /// </remarks>
    internal static bool EncodeDelete(
        ref MessageWriter writer, in Expectation expectation, uint sequence, NetlinkFlags extra)
    {
        writer.Begin(
            CtMessage.ExpectDelete, NetlinkFlags.Request | extra, sequence,
            (byte)expectation.Family);
        TupleCodec.Encode(
            ref writer, (int)CtExpect.Tuple, expectation.Family, expectation.Protocol,
            expectation.Tuple);
        PutZone(ref writer, expectation);
        return writer.End();
    }

    private static void PutIdentity(
        ref MessageWriter writer, in Expectation expectation, uint timeoutSeconds)
    {
        AddressFamily family = expectation.Family;
        FlowTuple mask = expectation.Has(ExpectationAttributes.Mask) ? expectation.Mask : default;
        TupleCodec.Encode(
            ref writer, (int)CtExpect.Master, family, expectation.MasterProtocol,
            expectation.Master);
        TupleCodec.Encode(
            ref writer, (int)CtExpect.Tuple, family, expectation.Protocol, expectation.Tuple);
        // The mask is keyed by the protocol of the tuple, whatever protocol came with the mask.
        TupleCodec.Encode(ref writer, (int)CtExpect.Mask, family, expectation.Protocol, mask);
        PutZone(ref writer, expectation);
        writer.PutUInt32((ushort)CtExpect.Timeout, timeoutSeconds);
    }

    private static void PutZone(ref MessageWriter writer, in Expectation expectation)
    {
        if (expectation.Has(ExpectationAttributes.Zone))
        {
            writer.PutUInt16((ushort)CtExpect.Zone, expectation.Zone);
        }
    }

    private static void PutNat(ref MessageWriter writer, in Expectation expectation)
    {
        int nest = writer.BeginNest((ushort)CtExpect.Nat);
        writer.PutUInt32((ushort)CtExpectNat.Direction, expectation.NatDirection);
        TupleCodec.Encode(
            ref writer, (int)CtExpectNat.Tuple, expectation.Family, expectation.NatProtocol,
            expectation.NatTuple);
        writer.EndNest(nest);
    }
}
