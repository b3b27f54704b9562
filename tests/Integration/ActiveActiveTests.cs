using System.Linq;
using System.Threading;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Both firewalls forward, each has flows of its own and those of the other.</summary>
public sealed class ActiveActiveTests
{
    private const int Flows = 500, Apart = 100_000;
    private const double Seconds = 10;

    private const string Direct = "DisableExternalCache on";

    /// <summary>Every pair in every mode.</summary>
    public static TheoryData<string, string> Cached =>
        Cross("FTFW { }", "NOTRACK { }", "ALARM { RefreshTime 2 CacheTimeout 60 }");

    /// <summary>Every pair in the modes that can do without an external cache.</summary>
    public static TheoryData<string, string> Uncached =>
        Cross($"FTFW {{ {Direct} }}", $"NOTRACK {{ {Direct} }}");

    /// <remarks>
    /// The scripts announce all after a commit, so that fw1 is told of its own flows; what it
    /// knows itself is newer.
    /// </remarks>
    [LoadTheory]
    [MemberData(nameof(Cached))]
    public void A_commit_on_one_node_damages_neither_table(string pair, string mode)
    {
        using var nodes = new Pair(pair, new DaemonConfig { Mode = mode });
        Fill(nodes);
        string[] own = Kernel(nodes, 1), others = Kernel(nodes, 2);
        AwaitExternal(nodes.Active, others);
        AwaitExternal(nodes.Backup, own);

        nodes.Backup.Tell("-c");
        Assert.Equal("", ListingText.Difference(own, Kernel(nodes, 1)));
        Assert.Equal("", ListingText.Difference(Union(own, others), Kernel(nodes, 2)));
        // Nobody told fw1 what fw2 has put into its own kernel.
        nodes.Load.Inject(2, 1, first: Apart + Flows);
        AwaitExternal(nodes.Active, [.. Kernel(nodes, 2).Except(own)]);

        // Life goes on at both.
        nodes.Load.Update(1, Flows);
        nodes.Load.Delete(2, Flows / 2, first: Apart);
        string[] later = Kernel(nodes, 1);
        Assert.NotEqual(own, later);
        AwaitExternal(nodes.Backup, later);
        AwaitExternal(nodes.Active, [.. Kernel(nodes, 2).Except(own)]);
    }

    /// <remarks>What one puts into the kernel of the other comes back as no event.</remarks>
    [LoadTheory]
    [MemberData(nameof(Uncached))]
    public void With_direct_injection_both_have_all_and_nothing_echoes(string pair, string mode)
    {
        using var nodes = new Pair(pair, new DaemonConfig { Mode = mode });
        Fill(nodes);
        AwaitEqualKernels(nodes, 2 * Flows);
        nodes.Load.Update(1, Flows, first: Apart);     // fw2's flows now pass through fw1
        AwaitEqualKernels(nodes, 2 * Flows);
        nodes.Load.Delete(2, Flows / 2, first: Apart);
        nodes.Load.Delete(1, Flows / 2);
        AwaitEqualKernels(nodes, Flows);

        long sent = nodes.Active.Traffic("Bytes sent") + nodes.Backup.Traffic("Bytes sent");
        Thread.Sleep(2000);
        long later = nodes.Active.Traffic("Bytes sent") + nodes.Backup.Traffic("Bytes sent");
        Assert.InRange(later - sent, 1, 1000);
    }

    private static TheoryData<string, string> Cross(params string[] modes)
    {
        var data = new TheoryData<string, string>();
        foreach (string pair in Pairs.Names())
        {
            foreach (string mode in modes) { data.Add(pair, mode); }
        }
        return data;
    }

    private static void Fill(Pair nodes)
    {
        nodes.Load.Inject(1, Flows);
        nodes.Load.Inject(2, Flows, first: Apart);
    }

    private static string[] Kernel(Pair nodes, int firewall) =>
        ListingText.Original(nodes.Lab.KernelListing(firewall));

    private static string[] Union(string[] one, string[] other) =>
        [.. one.Concat(other).Order(StringComparer.Ordinal)];

    private static void AwaitExternal(DaemonProcess daemon, string[] expected) => Wait.Until(
        $"fw{daemon.Firewall}'s external cache is right", Seconds,
        () => ListingText.Difference(expected, ListingText.Original(daemon.Tell("-e"))),
        difference => difference.Length == 0);

    private static void AwaitEqualKernels(Pair nodes, int flows) => Wait.Until(
        "the kernel tables are equal", Seconds,
        nodes.Load.KernelAgainstKernel, d => d.IsNone && d.Same == flows);
}
