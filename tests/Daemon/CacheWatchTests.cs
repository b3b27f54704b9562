using Conntrackd.Cache;
using Conntrackd.Daemon;
using Conntrackd.Linux;
using Conntrackd.Tests.Cache;
using Xunit;

namespace Conntrackd.Tests.Daemon;

/// <summary>When flows that a cache refused are looked for.</summary>
public sealed class CacheWatchTests
{
    private const long Second = 1_000_000;
    private const int Limit = 32;

    [Fact]
    public void A_full_cache_is_filled_as_soon_as_there_is_room()
    {
        using var table = new FlowTable(Limit, 1);
        using var log = new Log { ToConsole = false };
        var watch = new CacheWatch("internal", table, log);
        Assert.False(watch.Turn(Second));
        Assert.Equal(long.MaxValue, watch.NextDeadline);
        uint[] handles = new uint[Limit];
        for (int key = 0; key < Limit; key++)
        {
            handles[key] = table.Add(FlowTableTests.MakeFlow(key, 0), 1);
        }
        Assert.Equal(0u, table.Add(FlowTableTests.MakeFlow(Limit, 0), 1));
        Assert.False(watch.Turn(2 * Second));
        Assert.False(watch.Turn(1000 * Second));
        foreach (uint handle in handles[..3])
        {
            table.Kill(handle);
            table.Remove(handle);
        }
        Assert.True(watch.Turn(1001 * Second));
        Assert.False(watch.Turn(1002 * Second));
        Assert.Equal(1031 * Second, watch.NextDeadline);
        Assert.False(watch.Turn(1031 * Second));
        Assert.Equal(long.MaxValue, watch.NextDeadline);
    }

    [Fact]
    public void Memory_is_asked_for_after_pauses_that_double()
    {
        using var table = new FlowTable(Limit, 1);
        using var log = new Log { ToConsole = false };
        var watch = new CacheWatch("internal", table, log);
        long now = 100 * Second;
        long[] pauses = [30, 30, 60, 120, 240, 480, 600, 600];
        foreach (long pause in pauses)
        {
            table.Counters.CreateFailedMemory++;
            Assert.False(watch.Turn(now));
            now += pause * Second;
            Assert.Equal(now, watch.NextDeadline);
            Assert.False(watch.Turn(now - 1));
            Assert.True(watch.Turn(now));
        }
        // A whole pause without a refusal: the next one is as the first.
        now += 600 * Second;
        Assert.False(watch.Turn(now));
        table.Counters.CreateFailedMemory++;
        Assert.False(watch.Turn(now));
        Assert.True(watch.Turn(now + (30 * Second)));
    }
}
