using System.Collections.Generic;
using System.Linq;
using Conntrackd.Sync;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class MissingRangesTests
{
    [Fact]
    public void Ranges_that_touch_become_one_whatever_the_order_also_across_the_wrap()
    {
        var missing = new MissingRanges();
        missing.Add(uint.MaxValue - 1, uint.MaxValue);
        missing.Add(5, 6);
        missing.Add(0, 1);
        Assert.Equal([(uint.MaxValue - 1, 1u), (5u, 6u)], All(missing));
        missing.Add(2, 9);
        Assert.Equal([(uint.MaxValue - 1, 9u)], All(missing));
    }

    [Fact]
    public void What_is_settled_is_forgotten_also_the_half_of_a_range()
    {
        var missing = new MissingRanges();
        missing.Add(10, 19);
        missing.Add(30, 39);
        missing.ForgetThrough(9);
        Assert.Equal(2, missing.Count);
        missing.ForgetThrough(34);
        Assert.Equal([(35u, 39u)], All(missing));
        missing.ForgetThrough(39);
        Assert.Equal(0, missing.Count);
    }

    [Fact]
    public void A_random_history_covers_all_that_is_missing_and_stays_bounded()
    {
        var random = new Random(3);
        for (int round = 0; round < 300; round++)
        {
            var missing = new MissingRanges();
            var wanted = new HashSet<uint>();
            uint origin = (uint)random.NextInt64();
            for (int step = 0; step < 60; step++)
            {
                uint from = origin + (uint)random.Next(1000);
                uint to = from + (uint)random.Next(8);
                missing.Add(from, to);
                for (uint at = from; at != to + 1; at++) { wanted.Add(at); }
                Assert.InRange(missing.Count, 1, MissingRanges.CountMax);
            }
            (uint From, uint To)[] all = All(missing);
            Assert.All(wanted, at => Assert.Contains(
                all, range => at - range.From <= range.To - range.From));
            for (int i = 1; i < all.Length; i++)
            {
                Assert.True((int)(all[i].From - all[i - 1].To) > 1, "ranges touch");
            }
        }
    }

    private static (uint From, uint To)[] All(MissingRanges missing) =>
        [.. Enumerable.Range(0, missing.Count).Select(i => missing[i])];
}
