using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using Conntrackd.Sync;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// Thousands of random schedules. CONNTRACKD_SEEDS sets how many, from CONNTRACKD_FIRST_SEED on;
/// CONNTRACKD_SEED replays one.
/// </summary>
public sealed class SimulationTests
{
    private const int SeedsDefault = 10_000;
    private const int SeedsNoTrack = 1_000;
    private const int SeedsAlarm = 250;         // it repeats all, so a seed takes longer

    [Fact]
    public void After_a_quiet_time_the_peers_hold_what_the_kernels_hold() =>
        Simulate(SyncMode.Ftfw, SeedsDefault);

    [Fact]
    public void Without_repair_the_peers_hold_it_if_nothing_was_lost_or_after_a_request() =>
        Simulate(SyncMode.NoTrack, SeedsNoTrack);

    [Fact]
    public void With_repetition_the_peers_hold_it_after_a_refresh_and_a_cache_timeout() =>
        Simulate(SyncMode.Alarm, SeedsAlarm);

    /// <summary>Beyond the seeds above: schedules that failed once, each for a reason.</summary>
    [Theory]
    [InlineData(12_408)]    // reports of who has no report yet, numbers that wrap
    [InlineData(20_579)]    // mute at the first word after a cut
    [InlineData(38_513)]    // deaf to a new run on the old port
    [InlineData(43_524)]    // back to an older version at the first word of a name
    [InlineData(103_257)]   // two deaf to each other: each took a damaged number for true
    [InlineData(103_811)]
    public void What_failed_once_holds(int seed) => Replay(SyncMode.Ftfw, seed);

    [Theory]
    [InlineData(28_021)]    // a late word from the former port
    [InlineData(39_075)]
    [InlineData(89_761)]
    [InlineData(95_863)]
    public void What_failed_once_holds_without_repair(int seed) =>
        Replay(SyncMode.NoTrack, seed);

    private static void Replay(SyncMode mode, int seed)
    {
        using var cluster = new Cluster(seed, mode);
        Assert.Null(cluster.Run());
    }

    private static void Simulate(SyncMode mode, int seedsDefault)
    {
        string? one = Environment.GetEnvironmentVariable("CONNTRACKD_SEED");
        string? many = Environment.GetEnvironmentVariable("CONNTRACKD_SEEDS");
        string? from = Environment.GetEnvironmentVariable("CONNTRACKD_FIRST_SEED");
        int first = int.Parse(one ?? from ?? "1");
        int count = one is not null ? 1 : many is null ? seedsDefault : int.Parse(many);
        var failures = new ConcurrentBag<(int Seed, string Wrong)>();
        long datagrams = 0;
        Parallel.For(first, first + count, (seed, loop) =>
        {
            using var cluster = new Cluster(seed, mode);
            string? wrong = cluster.Run();
            System.Threading.Interlocked.Add(ref datagrams, cluster.Sent);
            if (wrong is null) { return; }
            failures.Add((seed, wrong));
            if (failures.Count >= 5) { loop.Stop(); }
        });
        Assert.True(failures.IsEmpty, string.Join('\n',
            failures.OrderBy(f => f.Seed).Select(f => $"CONNTRACKD_SEED={f.Seed}\n{f.Wrong}")));
        Assert.True(datagrams > count, "nothing was sent");
    }
}
