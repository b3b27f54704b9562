namespace Conntrackd.Conntrack;

/// <summary>A flow that a helper announced before its first packet.</summary>
/// <remarks>
/// As with <see cref="Flow"/>, a member is meaningful only while its bit is set and everything is
/// in host order. Tuple, mask, master and NAT tuple are of one family.
/// </remarks>
internal struct Expectation
{
    internal ExpectationAttributes Present;
    internal AddressFamily Family;
    internal byte Protocol;
    internal byte MaskProtocol;             // repeats Protocol in what the kernel sends
    internal byte MasterProtocol;
    internal byte NatProtocol;
    internal ushort Zone;
    internal FlowTuple Tuple;               // source port 0 means any
    internal FlowTuple Mask;
    internal FlowTuple Master;              // original tuple of the flow with the helper
    internal FlowTuple NatTuple;            // its source is what the helper saved before NAT
    internal uint NatDirection;             // 0 original, 1 reply
    internal uint TimeoutSeconds;
    internal ExpectationFlags Flags;
    internal uint Class;                    // helper's number for a kind of expectation
    internal uint Id;
    internal HelperName Helper;
    internal FunctionName Function;         // what the kernel calls when the flow arrives

    /// <summary>True if all of <paramref name="attributes"/> are known.</summary>
    internal readonly bool Has(ExpectationAttributes attributes) =>
        (Present & attributes) == attributes;

    /// <summary>
    /// The zone of its master. The kernel takes a zone and never tells one, so what came from it
    /// counts as zone 0, and so does what came from a peer.
    /// </summary>
    internal readonly ushort KeyZone => Has(ExpectationAttributes.Zone) ? Zone : (ushort)0;

    /// <summary>Makes a flow that has the identity of its master and nothing else.</summary>
    internal readonly void DescribeMaster(ref Flow master)
    {
        master.Clear();
        master.Family = Family;
        master.Protocol = MasterProtocol;
        master.Orig = Master;
        master.Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol;
        if (KeyZone == 0) { return; }
        master.Zone = KeyZone;
        master.Present |= FlowAttributes.Zone;
    }

    /// <summary>
    /// True if the other says more than a different time left. Both have the same identity.
    /// </summary>
    internal readonly bool Differs(in Expectation other)
    {
        const ExpectationAttributes Compared = ExpectationAttributes.Nat
            | ExpectationAttributes.Flags | ExpectationAttributes.Class
            | ExpectationAttributes.Helper | ExpectationAttributes.Function;
        if (((Present ^ other.Present) & Compared) != 0) { return true; }
        return (Has(ExpectationAttributes.Nat) &&
                (NatTuple != other.NatTuple || NatDirection != other.NatDirection)) ||
            (Has(ExpectationAttributes.Flags) && Flags != other.Flags) ||
            (Has(ExpectationAttributes.Class) && Class != other.Class) ||
            (Has(ExpectationAttributes.Helper) && !Helper.Equals(other.Helper)) ||
            (Has(ExpectationAttributes.Function) && !Function.Equals(other.Function));
    }
}

/// <summary>Which members of an <see cref="Expectation"/> are known.</summary>
[Flags]
internal enum ExpectationAttributes : ushort
{
    None = 0,
    Tuple = 1 << 0,             // with protocol and family
    Mask = 1 << 1,
    Master = 1 << 2,
    Nat = 1 << 3,               // tuple and direction
    Timeout = 1 << 4,
    Flags = 1 << 5,
    Class = 1 << 6,
    Id = 1 << 7,
    Helper = 1 << 8,
    Function = 1 << 9,
    Zone = 1 << 10,
}

/// <summary>Bits of CTA_EXPECT_FLAGS.</summary>
[Flags]
internal enum ExpectationFlags : uint
{
    None = 0,
    Permanent = 0x1,            // NF_CT_EXPECT_PERMANENT
    Inactive = 0x2,             // NF_CT_EXPECT_INACTIVE
    UserSpace = 0x4,            // NF_CT_EXPECT_USERSPACE: the kernel sets it, never sent
}
