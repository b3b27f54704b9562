using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>What tells the flows of one group: any of these is enough.</summary>
/// <param name="Marks">Marks of flows.</param>
/// <param name="Addresses">
/// Networks and hosts; one of the four addresses of the flow (source and target, before and after
/// translation) is among them.
/// </param>
internal sealed record GroupClaim(
    IReadOnlyCollection<MarkMatch> Marks, IReadOnlyCollection<AddressPrefix> Addresses)
{
    internal bool IsEmpty => Marks.Count == 0 && Addresses.Count == 0;
}

/// <summary>Which groups of an active/active pair a flow belongs to.</summary>
/// <remarks>
/// <code>
/// a claim matches          -> the groups whose claims do
/// none does                -> the groups without a claim, if there are some
///                          -> all groups
/// </code>
/// A commit of a group takes what belongs to it; a purge spares what belongs to a group that is
/// master here, whatever else it belongs to.
/// </remarks>
internal sealed class GroupClaims
{
    private readonly MarkMatch[][] _marks;
    private readonly AddressSet[] _ipv4;
    private readonly AddressSet[] _ipv6;
    private readonly uint _unclaimed;

    private GroupClaims(IReadOnlyList<GroupClaim> claims)
    {
        _marks = new MarkMatch[claims.Count][];
        _ipv4 = new AddressSet[claims.Count];
        _ipv6 = new AddressSet[claims.Count];
        uint without = 0;
        for (int i = 0; i < claims.Count; i++)
        {
            _marks[i] = [.. claims[i].Marks];
            _ipv4[i] = SetOf(claims[i], AddressFamily.Ipv4);
            _ipv6[i] = SetOf(claims[i], AddressFamily.Ipv6);
            if (claims[i].IsEmpty) { without |= 1u << i; }
        }
        _unclaimed = without != 0 ? without : (uint)((1ul << claims.Count) - 1);
    }

    /// <summary>Null if no group claims anything; at most 32 groups.</summary>
    internal static GroupClaims? From(IReadOnlyList<GroupClaim> claims)
    {
        foreach (GroupClaim claim in claims)
        {
            if (!claim.IsEmpty) { return new GroupClaims(claims); }
        }
        return null;
    }

    /// <summary>A bit for each group that the flow belongs to, at least one.</summary>
    internal uint OwnersOf(in Flow flow)
    {
        uint owners = 0;
        uint mark = flow.Has(FlowAttributes.Mark) ? flow.Mark : 0;
        FlowTuple reply = flow.Reply;
        if (!flow.Has(FlowAttributes.Reply) && !flow.TryGetTranslatedReply(out reply))
        {
            reply = flow.Orig;
        }
        AddressSet[] sets = flow.Family == AddressFamily.Ipv6 ? _ipv6 : _ipv4;
        for (int i = 0; i < sets.Length; i++)
        {
            bool matches = sets[i].Contains(flow.Orig.Source)
                || sets[i].Contains(flow.Orig.Target)
                || sets[i].Contains(reply.Source) || sets[i].Contains(reply.Target)
                || Covers(_marks[i], mark);
            if (matches) { owners |= 1u << i; }
        }
        return owners != 0 ? owners : _unclaimed;
    }

    private static bool Covers(MarkMatch[] marks, uint mark)
    {
        foreach (MarkMatch match in marks)
        {
            if (match.Covers(mark)) { return true; }
        }
        return false;
    }

    private static AddressSet SetOf(GroupClaim claim, AddressFamily family)
    {
        List<AddressPrefix> ofFamily = [];
        foreach (AddressPrefix prefix in claim.Addresses)
        {
            if (prefix.Family == family) { ofFamily.Add(prefix); }
        }
        return new AddressSet(ofFamily);
    }
}
