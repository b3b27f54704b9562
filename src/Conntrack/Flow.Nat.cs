namespace Conntrackd.Conntrack;

internal partial struct Flow
{
    private const FlowAttributes Nat =
        FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat | FlowAttributes.Dpat;

    /// <summary>True if some translation is described.</summary>
    internal readonly bool IsTranslated => (Present & Nat) != 0;

    /// <summary>
    /// Describes NAT as the sync protocol and CTA_NAT_* do, from what the kernel reports: where the
    /// reply tuple is not the plain inverse of the original one and NAT set-up is done.
    /// </summary>
    /// <remarks>
    /// No event or dump carries NAT itself. The DONE bits alone say nothing: the kernel sets them
    /// on every flow that passed NAT set-up. For ICMP the original compares the id with type and
    /// code (one union of its library), finds a difference practically always, and announces
    /// ports 0; that is kept here because peers may compare bytes.
    /// Source: shared spec wire, section 7.1.
    /// </remarks>
    internal void DescribeNat()
    {
        Present &= ~Nat;
        if (!Has(FlowAttributes.Orig | FlowAttributes.Reply)) { return; }
        bool sourceDone = !Has(FlowAttributes.Status) || (Status & FlowStatus.SrcNatDone) != 0;
        bool targetDone = !Has(FlowAttributes.Status) || (Status & FlowStatus.DstNatDone) != 0;
        if (sourceDone && Reply.Target != Orig.Source)
        {
            SnatAddress = Reply.Target;
            Present |= FlowAttributes.Snat;
        }
        if (targetDone && Reply.Source != Orig.Target)
        {
            DnatAddress = Reply.Source;
            Present |= FlowAttributes.Dnat;
        }
        bool icmp = L4Protocol.IsIcmp(Protocol);
        if (sourceDone && Reply.L4Target != Orig.L4Source)
        {
            SpatPort = icmp ? (ushort)0 : Reply.L4Target;
            Present |= FlowAttributes.Spat;
        }
        if (targetDone && (icmp ? Orig.L4Target != 0 : Reply.L4Source != Orig.L4Target))
        {
            DpatPort = icmp ? (ushort)0 : Reply.L4Source;
            Present |= FlowAttributes.Dpat;
        }
    }

    /// <summary>
    /// Computes the translated reply tuple from Orig and the described NAT, as the kernel will have
    /// it after a create. False if Orig has no inverse.
    /// </summary>
    internal readonly bool TryGetTranslatedReply(out FlowTuple reply)
    {
        if (!Orig.TryInvert(Protocol, out reply)) { return false; }
        if (Has(FlowAttributes.Snat)) { reply.Target = SnatAddress; }
        if (Has(FlowAttributes.Dnat)) { reply.Source = DnatAddress; }
        if (L4Protocol.IsIcmp(Protocol)) { return true; }
        if (Has(FlowAttributes.Spat)) { reply.L4Target = SpatPort; }
        if (Has(FlowAttributes.Dpat)) { reply.L4Source = DpatPort; }
        return true;
    }
}
