using System.Collections.Generic;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class ReplayWindowTests
{
    [Fact]
    public void A_counter_is_good_once_up_to_the_edge_of_the_window()
    {
        var window = new ReplayWindow();
        window.Start(0);
        window.Mark(10_000);
        ulong edge = 10_000 - ReplayWindow.Size + 1;
        Assert.False(window.IsBehind(edge));
        Assert.True(window.IsBehind(edge - 1));
        Assert.False(window.IsSeen(edge));
        window.Mark(edge);
        Assert.True(window.IsSeen(edge));
        Assert.True(window.IsSeen(10_000));
        Assert.False(window.IsSeen(9_999));
        Assert.False(window.IsSeen(10_001));
        Assert.False(window.IsBehind(ulong.MaxValue));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(4_095)]
    [InlineData(4_096)]
    [InlineData(123_456_789)]
    public void Nothing_up_to_the_start_is_good_and_all_above_is(ulong start)
    {
        var window = new ReplayWindow();
        window.Start(start);
        for (ulong counter = start > 5_000 ? start - 5_000 : 0; counter <= start; counter++)
        {
            Assert.True(window.IsBehind(counter) || window.IsSeen(counter), $"{counter}");
        }
        for (ulong counter = start + 5_000; counter > start + 1_000; counter--)
        {
            Assert.False(window.IsSeen(counter), $"{counter}");
            window.Mark(counter);
            Assert.True(window.IsSeen(counter), $"{counter}");
        }
    }

    [Fact]
    public void It_says_what_a_set_of_all_counters_says()
    {
        var random = new Random(7);
        var window = new ReplayWindow();
        window.Start(0);
        var seen = new HashSet<ulong> { 0 };
        ulong highest = 0;
        for (int i = 0; i < 200_000; i++)
        {
            long step = random.Next(1000) == 0
                ? random.Next(20_000) : random.Next(-5_000, random.Next(2, 200));
            ulong counter = (ulong)Math.Max(0, (long)highest + step);
            bool behind = highest >= counter && highest - counter >= ReplayWindow.Size;
            Assert.Equal(behind, window.IsBehind(counter));
            if (behind) { continue; }
            Assert.Equal(seen.Contains(counter), window.IsSeen(counter));
            if (random.Next(4) == 0) { continue; }
            window.Mark(counter);
            seen.Add(counter);
            highest = Math.Max(highest, counter);
        }
    }
}
