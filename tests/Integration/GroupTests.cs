using System.Globalization;
using System.Linq;
using System.Threading;
using Conntrackd.Tests.Linux;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>Three firewalls on one multicast group, each with flows of its own.</summary>
/// <remarks><code>
///   fw1 ---- switch ---- fw2
///               |
///              fw3
/// </code>
/// Each has in its external cache what the kernels of both others have.
/// </remarks>
public sealed class GroupTests(ITestOutputHelper output)
{
    private const int Nodes = 3, Flows = 3_000, Churned = 50_000, ChurnRate = 10_000;
    private const int Apart = 1_000_000;        // between the first flows of two firewalls
    private const int LossPercent = 5;
    private const double Seconds = 20, LossySeconds = 60;

    private static readonly DaemonConfig s_reliable = new() { Link = "multicast" };
    private static readonly DaemonConfig s_bestEffort = s_reliable with { Mode = "NOTRACK { }" };
    private static readonly DaemonConfig s_repeating =
        s_reliable with { Mode = "ALARM { RefreshTime 2 CacheTimeout 6 }" };
    private static readonly DaemonConfig s_unicast =
        new() { Link = LinkConfig.ToEach, Options = "RedundantLinks on" };

    [LoadFact]
    public void Three_of_ours_are_equal_after_churn_with_loss()
    {
        using var group = new Group(s_reliable, Requirements.Binary);
        group.Lab.LoseDatagrams(LossPercent);
        var churn = Enumerable.Range(1, 2).Select(node => new Thread(() => group.Load.Churn(
            node, Churned / 2, first: (node * Apart) + 100_000, ChurnRate / 2))).ToList();
        churn.ForEach(thread => thread.Start());
        group.InjectEach(Flows);
        churn.ForEach(thread => thread.Join());
        double seconds = group.AwaitEqual(Seconds, 2 * Flows, [1, 2, 3]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: three nodes, FTFW, {Churned} churned flows, {LossPercent} % loss: equal "
            + $"{seconds:F2} s after the churn"));
        Assert.NotEqual(0, group.Lab.LostDatagrams(3));
    }

    /// <remarks>One key for all; what one sent is no replay of what another did.</remarks>
    [LoadTheory]
    [InlineData("FTFW { }")]
    [InlineData("NOTRACK { }")]
    [InlineData("ALARM { RefreshTime 2 CacheTimeout 60 }")]
    public void Three_of_ours_share_a_key(string mode)
    {
        using var keys = new TemporaryDirectory();
        string key = keys.File("link.key");
        Shell.Run(Requirements.Binary, "--generate-key", key).Checked();
        using var group = new Group(
            s_reliable with { Mode = mode, LinkMore = _ => $"KeyFile {key}" },
            Requirements.Binary);
        // What a node says before the others have proven it is lost; NOTRACK does not say it again.
        bool asks = mode.StartsWith("NOTRACK", StringComparison.Ordinal);
        group.InjectEach(Flows);
        if (asks) { group.AskUntilEqual(2 * Flows, [1, 2, 3]); }
        group.AwaitEqual(Seconds, 2 * Flows, [1, 2, 3]);
        // A new start of one is proven anew to both others.
        Assert.Equal(0, group.Daemons[2].Stop());
        group.Daemons[2].Start();
        group.Load.Inject(3, 100, first: (3 * Apart) + Flows);
        if (asks) { group.AskUntilEqual((2 * Flows) + 100, [1, 2]); }
        group.AwaitEqual(Seconds, (2 * Flows) + 100, [1, 2]);
        foreach (DaemonProcess daemon in group.Daemons)
        {
            Assert.Equal(2, daemon.Counter("network", "Nodes proven"));
            Assert.Equal(0, daemon.Counter("network", "Replayed frames"));
            Assert.Equal(0, daemon.Counter("network", "Wrong key or forged"));
        }
    }

    /// <remarks>
    /// Without multicast: each node has a link to each other and sends all on both of them.
    /// </remarks>
    [LoadTheory]
    [InlineData("FTFW { }")]
    [InlineData("NOTRACK { }")]
    [InlineData("ALARM { RefreshTime 2 CacheTimeout 60 }")]
    public void Three_of_ours_are_linked_by_unicast(string mode)
    {
        using var group = new Group(s_unicast with { Mode = mode }, Requirements.Binary);
        group.InjectEach(Flows);
        group.DeleteEach(Flows / 3);
        group.AwaitEqual(Seconds, 2 * (Flows - (Flows / 3)), [1, 2, 3]);
    }

    /// <remarks>
    /// It has no flows of its own here: it listens on all its links, but sends on the one it was
    /// last told something on (wire.md 13).
    /// </remarks>
    [MixedLoadTheory]
    [InlineData("NOTRACK { }")]
    [InlineData("ALARM { RefreshTime 2 CacheTimeout 60 }")]
    public void The_original_linked_by_unicast_is_told_by_both_of_ours(string mode)
    {
        const int Left = Flows - (Flows / 3);
        using var group = new Group(s_unicast with { Mode = mode }, Requirements.Original);
        for (int node = 1; node < Nodes; node++)
        {
            group.Load.Inject(node, Flows, first: node * Apart);
            group.Load.Delete(node, Flows / 3, first: node * Apart);
        }
        group.AwaitEqual(Seconds, Left, [1, 2]);
        group.AwaitEqual(Seconds, 2 * Left, [3]);
    }

    public static TheoryData<bool> WithAndWithoutOriginal =>
        Requirements.HasOriginal ? [false, true] : [false];

    [LoadTheory]
    [MemberData(nameof(WithAndWithoutOriginal))]
    public void Best_effort_reaches_all_three(bool withOriginal)
    {
        using var group = new Group(
            s_bestEffort, withOriginal ? Requirements.Original : Requirements.Binary);
        group.InjectEach(Flows);
        group.DeleteEach(Flows / 3);
        group.AwaitEqual(Seconds, 2 * (Flows - (Flows / 3)), [1, 2, 3]);
        group.Daemons[2].Tell("-f", "external");
        group.Daemons[2].Tell("-n");
        group.AwaitEqual(Seconds, 2 * (Flows - (Flows / 3)), [1, 2, 3]);
    }

    /// <remarks>What is repeated arrives in the end, and what ended unheard expires.</remarks>
    [LoadTheory]
    [MemberData(nameof(WithAndWithoutOriginal))]
    public void Repeating_reaches_all_three_through_a_lossy_switch(bool withOriginal)
    {
        using var group = new Group(
            s_repeating, withOriginal ? Requirements.Original : Requirements.Binary);
        group.Lab.LoseDatagrams(LossPercent);
        group.InjectEach(Flows);
        group.DeleteEach(Flows / 3);
        group.AwaitEqual(Seconds, 2 * (Flows - (Flows / 3)), [1, 2, 3]);
        Assert.NotEqual(0, group.Lab.LostDatagrams(3));
    }

    /// <remarks>
    /// The original forgets what one of ours has acknowledged and hears one of them only: who
    /// missed something asks it for everything.
    /// </remarks>
    [LoadTheory]
    [MemberData(nameof(WithAndWithoutOriginal))]
    public void Ours_are_told_by_all_through_a_lossy_switch(bool withOriginal)
    {
        using var group = new Group(
            s_reliable, withOriginal ? Requirements.Original : Requirements.Binary);
        group.Lab.LoseDatagrams(LossPercent);
        group.InjectEach(Flows);
        group.AwaitEqual(LossySeconds, 2 * Flows, [1, 2]);
        Assert.NotEqual(0, group.Lab.LostDatagrams(1) + group.Lab.LostDatagrams(2));
    }

    /// <remarks>
    /// The original numbers all peers as one, and drops what comes from the one with the lower
    /// numbers: in FTFW it is told by one of ours only (sync.md 7.4). Nothing is lost here: it
    /// forgets what one of ours has acknowledged, and the other may have missed it.
    /// </remarks>
    [LoadTheory]
    [MemberData(nameof(WithAndWithoutOriginal))]
    public void Ours_are_told_by_all_whoever_is_third(bool withOriginal)
    {
        using var group = new Group(
            s_reliable, withOriginal ? Requirements.Original : Requirements.Binary);
        group.InjectEach(Flows);
        group.AwaitEqual(Seconds, 2 * Flows, [1, 2]);
        output.WriteLine($"measured: three nodes, FTFW, third {(withOriginal ? "C" : "ours")}: it "
            + $"lists {group.Daemons[2].Tell("-e").Count(c => c == '\n')} of {2 * Flows} flows");
    }

    /// <summary>
    /// Who leaves leaves its flows: they live in its kernel and may be taken over at any time.
    /// </summary>
    [LoadFact]
    public void Flows_of_a_peer_that_left_stay_and_are_its_own_when_it_is_back()
    {
        using var group = new Group(s_reliable, Requirements.Binary);
        group.InjectEach(Flows);
        group.AwaitEqual(Seconds, 2 * Flows, [1, 2, 3]);
        Assert.Equal(0, group.Daemons[2].Stop());
        // The others go on, keep what fw3 said, and fw3 hears what it missed.
        group.Load.Inject(1, 100, first: Apart + Flows);
        group.Load.Inject(3, 100, first: (3 * Apart) + Flows);
        group.AwaitListed(2, (2 * Flows) + 100);
        group.AwaitListed(1, 2 * Flows);
        group.Daemons[2].Start();
        group.AwaitEqual(Seconds, (2 * Flows) + 100, [3]);
        group.AwaitEqual(Seconds, (2 * Flows) + 100, [1]);
        group.AwaitEqual(Seconds, (2 * Flows) + 200, [2]);
        group.Load.Delete(3, Flows, first: 3 * Apart);
        group.AwaitEqual(Seconds, Flows + 100, [1]);
    }

    /// <summary>A lab of three with a daemon on each; fw1 and fw2 run ours.</summary>
    private sealed class Group : IDisposable
    {
        internal Group(DaemonConfig config, string third)
        {
            Lab = new Lab(Nodes);
            try
            {
                Load = new LoadTool(Lab);
                DaemonConfig thirdConfig =
                    third == Requirements.Original ? config with { Options = "" } : config;
                Daemons = [.. Enumerable.Range(1, Nodes).Select(node => node == Nodes
                    ? new DaemonProcess(Lab, node, third, thirdConfig)
                    : new DaemonProcess(Lab, node, Requirements.Binary, config))];
                Array.ForEach(Daemons, daemon => daemon.Launch());
                Array.ForEach(Daemons, daemon => daemon.AwaitAnswer());
            }
            catch
            {
                Lab.Dispose();
                throw;
            }
        }

        internal Lab Lab { get; }

        internal LoadTool Load { get; }

        internal DaemonProcess[] Daemons { get; }

        internal void InjectEach(int flows)
        {
            for (int node = 1; node <= Nodes; node++)
            {
                Load.Inject(node, flows, first: node * Apart);
            }
        }

        /// <summary>The first ones of each end.</summary>
        internal void DeleteEach(int flows)
        {
            for (int node = 1; node <= Nodes; node++)
            {
                Load.Delete(node, flows, first: node * Apart);
            }
        }

        internal TableDifference DifferenceOf(int node) => Load.KernelsAgainstListing(
            Daemons[node - 1], "-e", [.. Enumerable.Range(1, Nodes).Where(n => n != node)]);

        internal void AwaitListed(int node, int flows) => Wait.Until(
            $"fw{node} lists {flows} flows", Seconds,
            () => Daemons[node - 1].Tell("-e").Count(c => c == '\n'), count => count == flows);

        /// <summary>With this many flows in each external cache.</summary>
        internal double AwaitEqual(double seconds, int flows, int[] nodes) => nodes.Sum(node =>
            Wait.Until($"fw{node} has the flows of the others", seconds,
                () => DifferenceOf(node), d => d.IsNone && d.Same == flows));

        /// <summary>The nodes ask for everything, until nobody is unproven any more.</summary>
        internal void AskUntilEqual(int flows, int[] nodes) => Array.ForEach(nodes, node =>
            Wait.Until($"fw{node} is sent what the others have", Seconds, () =>
            {
                Daemons[node - 1].Tell("-n");
                Thread.Sleep(300);
                TableDifference difference = DifferenceOf(node);
                return difference.IsNone && difference.Same == flows;
            }));

        public void Dispose() => Lab.Dispose();
    }
}
