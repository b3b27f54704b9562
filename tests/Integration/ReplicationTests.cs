using System.Globalization;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>What happens in fw1's kernel is in fw2's external cache, whatever runs where.</summary>
public sealed class ReplicationTests(ITestOutputHelper output)
{
    private const int Flows = 20_000, Updated = 5_000, Churned = 6_000, ChurnRate = 4_000;
    private const int BulkFlows = 5_000, LossFlows = 4_000, LossPercent = 5;
    private const double ReplicatedSeconds = 10, LossSeconds = 20;

    [LabTheory]
    [MemberData(nameof(Pairs.OverEveryLink), MemberType = typeof(Pairs))]
    public void A_flow_of_every_kind_reaches_the_peer_and_its_kernel(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        foreach (FlowKind kind in FlowKinds.All)
        {
            nodes.Lab.Run(1, "conntrack", kind.CreateArguments).Checked();
        }
        string listing = "";
        Wait.Until("all flows are listed", ReplicatedSeconds, () =>
        {
            listing = nodes.Backup.Tell("-e");
            return listing.Count(c => c == '\n') >= FlowKinds.All.Count;
        });
        Assert.Empty(FlowKinds.All.Where(kind => !IsListed(kind, listing)).Select(k => k.Name));

        nodes.Backup.Tell("-c");
        Assert.Equal(
            ListingText.Kernel(nodes.Lab.KernelListing(1)),
            ListingText.Kernel(nodes.Lab.KernelListing(2)));
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    [InlineData(Pairs.OursOurs, "multicast")]
    public void Tables_are_equal_after_a_burst_updates_and_short_lives(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, Updated);
        nodes.Load.Churn(1, Churned, first: 100_000, ChurnRate);
        nodes.Load.Delete(1, Updated, first: Flows - Updated);
        Measured("burst, updates and short lives", nodes.AwaitReplicated(
            ReplicatedSeconds, Flows - Updated));
        Assert.True(nodes.Load.KernelAgainstListing(nodes.Active, "-i").IsNone, nodes.Active.Log);
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    [InlineData(Pairs.OursOurs, "multicast")]
    public void Tables_are_equal_although_datagrams_are_lost(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Lab.LoseDatagrams(LossPercent);
        nodes.Load.Inject(1, LossFlows);
        nodes.Load.Update(1, LossFlows / 2);
        nodes.Load.Delete(1, LossFlows / 4);
        nodes.Load.Churn(1, LossFlows, first: 100_000, ChurnRate);
        Measured("5 % loss", nodes.AwaitReplicated(LossSeconds, LossFlows - (LossFlows / 4)));
        // Back to fw1 go acknowledgements only, few enough that all may arrive.
        Assert.NotEqual(0, nodes.Lab.LostDatagrams(1) + nodes.Lab.LostDatagrams(2));
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    public void A_bulk_and_a_request_fill_an_empty_external_cache(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Load.Inject(1, BulkFlows);
        nodes.AwaitReplicated(ReplicatedSeconds, BulkFlows);

        nodes.Backup.Tell("-f", "external");
        Assert.Equal("", nodes.Backup.Tell("-e"));
        nodes.Active.Tell("-B");
        Measured("bulk (-B)", nodes.AwaitReplicated(ReplicatedSeconds, BulkFlows));

        nodes.Backup.Tell("-f", "external");
        Assert.Equal("", nodes.Backup.Tell("-e"));
        nodes.Backup.Tell("-n");
        Measured("request (-n)", nodes.AwaitReplicated(ReplicatedSeconds, BulkFlows));
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    public void Tables_are_equal_after_either_side_was_started_anew(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Load.Inject(1, BulkFlows);
        nodes.AwaitReplicated(ReplicatedSeconds, BulkFlows);

        Assert.Equal(0, nodes.Backup.Stop());
        nodes.Load.Inject(1, BulkFlows, first: BulkFlows);
        nodes.Backup.Start();
        nodes.Backup.Tell("-n");
        Measured("restart of fw2", nodes.AwaitReplicated(ReplicatedSeconds, 2 * BulkFlows));

        Assert.Equal(0, nodes.Active.Stop());
        nodes.Load.Inject(1, BulkFlows, first: 2 * BulkFlows);
        nodes.Active.Start();
        nodes.Backup.Tell("-n");
        Measured("restart of fw1", nodes.AwaitReplicated(ReplicatedSeconds, 3 * BulkFlows));

        // The link works on: what comes after both restarts is replicated as ever.
        nodes.Load.Delete(1, BulkFlows);
        nodes.AwaitReplicated(ReplicatedSeconds, 2 * BulkFlows);
    }

    private void Measured(string what, double seconds) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"measured: {what}: equal after {seconds:F2} s"));

    private static bool IsListed(FlowKind kind, string listing) => listing.Split('\n').Any(
        line => kind.Listed.All(part => line.Contains(part, StringComparison.Ordinal)));
}
