using System.Collections.Generic;

namespace Conntrackd.Conntrack;

/// <summary>A set of hosts and networks of one family, any number of them. Immutable.</summary>
/// <remarks>
/// Hosts and networks become ranges first-last; overlapping and touching ones are joined, so the
/// ranges are disjoint and sorted and one binary search answers. The original walks a list of
/// networks and a hash of hosts; a range needs no difference between the two.
/// </remarks>
internal sealed class AddressSet
{
    // Range i covers _firsts[i].._lasts[i], both included. Two arrays keep the searched one dense.
    private readonly Address[] _firsts;
    private readonly Address[] _lasts;

    /// <summary>Builds the set; all of <paramref name="prefixes"/> are of one family.</summary>
    internal AddressSet(IReadOnlyCollection<AddressPrefix> prefixes)
    {
        var ranges = new List<(Address First, Address Last)>(prefixes.Count);
        foreach (AddressPrefix prefix in prefixes)
        {
            ranges.Add((prefix.First, prefix.Last));
        }
        ranges.Sort(static (a, b) => Compare(a.First, b.First));
        int count = Join(ranges);
        _firsts = new Address[count];
        _lasts = new Address[count];
        for (int i = 0; i < count; i++)
        {
            (_firsts[i], _lasts[i]) = ranges[i];
        }
    }

    /// <summary>How many disjoint ranges the set came to.</summary>
    internal int RangeCount => _firsts.Length;

    /// <summary>A range of them, in rising order, both ends included.</summary>
    internal (Address First, Address Last) RangeAt(int index) => (_firsts[index], _lasts[index]);

    /// <summary>True if the address is a listed host or in a listed network.</summary>
    internal bool Contains(Address address)
    {
        Address[] firsts = _firsts;
        int low = 0, high = firsts.Length;      // the answer's successor is in low..high
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Compare(firsts[middle], address) <= 0) { low = middle + 1; } else { high = middle; }
        }
        return low > 0 && Compare(address, _lasts[low - 1]) <= 0;
    }

    /// <summary>Joins sorted ranges in place and returns how many are left at the front.</summary>
    private static int Join(List<(Address First, Address Last)> ranges)
    {
        int count = 0;
        foreach ((Address first, Address last) in ranges.ToArray())
        {
            if (count > 0 && Reaches(ranges[count - 1].Last, first))
            {
                Address end = ranges[count - 1].Last;
                ranges[count - 1] = (ranges[count - 1].First, Compare(end, last) < 0 ? last : end);
                continue;
            }
            ranges[count++] = (first, last);
        }
        return count;
    }

    /// <summary>True if a range up to one address meets a range from the other.</summary>
    private static bool Reaches(Address last, Address first)
    {
        UInt128 end = new(last.High, last.Low);
        return end == UInt128.MaxValue || new UInt128(first.High, first.Low) <= end + 1;
    }

    private static int Compare(Address a, Address b)
    {
        int high = a.High.CompareTo(b.High);
        return high != 0 ? high : a.Low.CompareTo(b.Low);
    }
}
