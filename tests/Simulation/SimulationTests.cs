using System.Collections.Concurrent;
using System.Linq;
using System.Threading.Tasks;
using Conntrackd.Sync;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// Thousands of random schedules. CONNTRACKD_SEEDS sets how many, CONNTRACKD_SEED replays one.
/// </summary>
public sealed class SimulationTests
{
    private const int SeedsDefault = 10_000;

    [Fact]
    public void After_a_quiet_time_the_peers_hold_what_the_kernels_hold()
    {
        string? one = Environment.GetEnvironmentVariable("CONNTRACKD_SEED");
        string? many = Environment.GetEnvironmentVariable("CONNTRACKD_SEEDS");
        int first = one is null ? 1 : int.Parse(one);
        int count = one is not null ? 1 : many is null ? SeedsDefault : int.Parse(many);
        var failures = new ConcurrentBag<(int Seed, string Wrong)>();
        long datagrams = 0;
        Parallel.For(first, first + count, (seed, loop) =>
        {
            using var cluster = new Cluster(seed, SyncMode.Ftfw);
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
