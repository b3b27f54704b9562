using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>The modes besides FTFW, whatever runs where: fw1 is active, fw2 is told.</summary>
public sealed class ModeTests
{
    private const int Flows = 3_000, More = 500;
    private const double ReplicatedSeconds = 10;
    private const int RefreshSeconds = 2, CacheTimeoutSeconds = 5;

    private static readonly DaemonConfig s_noTrack = new() { Mode = "NOTRACK { }" };

    private static readonly DaemonConfig s_alarm = new()
    {
        Mode = $"ALARM {{ RefreshTime {RefreshSeconds} CacheTimeout {CacheTimeoutSeconds} }}",
    };

    private static readonly DaemonConfig s_bypass =
        new() { Mode = "NOTRACK { DisableInternalCache on }" };

    private static readonly DaemonConfig s_inject =
        new() { Mode = "NOTRACK { DisableExternalCache on }" };

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    [InlineData(Pairs.OursOurs, "multicast")]
    public void Notrack_tells_changes_ends_bulk_and_answers_a_request(string pair, string link)
    {
        using var nodes = new Pair(pair, s_noTrack with { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, More);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows - More);
        RefillTwice(nodes, Flows - More);

        // Nobody acknowledges, and what is alive says so: nothing waits, nothing is refused.
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed header"));
        nodes.Backup.Tell("-c");
        Assert.True(nodes.Load.KernelAgainstKernel().IsNone);
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    [InlineData(Pairs.OursOurs, "multicast")]
    public void Alarm_tells_changes_repeats_and_lets_expire(string pair, string link)
    {
        using var nodes = new Pair(pair, s_alarm with { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows - More);
        Assert.Matches(
            $@"\[expires in [1-{CacheTimeoutSeconds}]s\] \[active since \d+s\]",
            nodes.Backup.Tell("-e").Split('\n')[0]);

        // What fw2 does not have is repeated, unasked: a request does nothing, with success.
        nodes.Backup.Tell("-f", "external");
        nodes.Backup.Tell("-n");
        nodes.Active.Tell("-B");
        nodes.AwaitReplicated(RefreshSeconds + 3, Flows - More);

        // Who says nothing any more is forgotten.
        nodes.Active.Kill();
        Wait.Until("fw1's flows expire", CacheTimeoutSeconds + 5,
            () => nodes.Backup.Tell("-e").Length, length => length == 0);
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void Alarm_sends_no_control_message_and_counts_what_got_lost(string pair, string link)
    {
        DaemonConfig lossy = new() { Link = link, Mode = "ALARM { RefreshTime 2 }" };
        using var nodes = new Pair(pair, lossy);
        nodes.Lab.LoseDatagrams(30);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(20, Flows);
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
        if (pair == Pairs.OursOurs)
        {
            Assert.NotEqual(0, nodes.Backup.Counter("network", "Packets lost"));
        }
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void Without_internal_cache_events_and_bulks_come_from_the_kernel(
        string pair, string link)
    {
        using var nodes = new Pair(
            pair, s_bypass with { Link = link }, s_noTrack with { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, More);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows - More);
        RefillTwice(nodes, Flows - More);

        string report = nodes.Active.Tell("-s");
        Assert.Matches($@"internal bypass:\nconnections new:\s+{Flows}\n", report);
        Assert.Matches($@"connections destroyed:\s+{More}\n", report);
        Assert.DoesNotContain("cache internal", report, StringComparison.Ordinal);

        // -i lists the kernel's table, with the time that is left and without an age.
        Assert.True(nodes.Load.KernelAgainstListing(nodes.Active, "-i").IsNone);
        string[] lines = nodes.Active.Tell("-i").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Flows - More, lines.Length);
        Assert.All(lines, line => Assert.Matches(@"^(tcp|udp|icmp)\w* +\d+ \d+ .* use=\d+$", line));
        Assert.Equal(0, nodes.Active.Ask("-R").ExitCode);
        Assert.Contains(
            "resync is unsupported in this mode", nodes.Active.Log, StringComparison.Ordinal);
    }

    /// <summary>Defect 12: the original holds an event back for up to a second.</summary>
    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    [Trait("Defect", "12")]
    public void Without_internal_cache_a_single_event_is_not_held_back(string pair, string link)
    {
        using var nodes = new Pair(
            pair, s_bypass with { Link = link }, s_noTrack with { Link = link });
        for (int i = 0; i < 5; i++)
        {
            nodes.Load.Inject(1, 1, first: i);
            double seconds = Wait.Until("the flow is there", 2,
                () => nodes.Backup.Tell("-e").Count(c => c == '\n'), count => count == i + 1);
            Assert.InRange(seconds, 0, 0.4);
        }
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void Without_internal_cache_flushing_it_flushes_the_kernel_but_for_the_filtered(
        string pair, string link)
    {
        using var nodes = new Pair(
            pair, s_bypass with { Link = link }, s_noTrack with { Link = link });
        nodes.Load.Inject(1, More);
        nodes.Lab.Run(1, "conntrack", "-I", "-p", "udp", "-s", Lab.SyncAddress(1),
            "-d", Lab.SyncAddress(2), "--sport", "7", "--dport", "9", "-t", "500").Checked();
        nodes.AwaitOnlyFlows(More);
        nodes.Active.Tell("-f", "internal");
        string[] left = [.. nodes.Lab.KernelListing(1).Split('\n')
            .Where(line => Regex.IsMatch(line, "src=10"))];
        Assert.All(left, line => Assert.Contains(
            $"src={Lab.SyncAddress(1)}", line, StringComparison.Ordinal));
        Assert.Contains(left, line => line.Contains("sport=7 ", StringComparison.Ordinal));
        // A flush is nobody's business but this node's.
        nodes.AwaitOnlyFlows(More);
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.OriginalOrOursActive), MemberType = typeof(Pairs))]
    [Trait("Defect", "10")]
    public void Without_external_cache_flows_go_to_the_kernel_even_without_a_timeout(
        string pair, string link)
    {
        // Defect 10: a peer with CommitTimeout sends no timeouts, the kernel demands them.
        DaemonConfig silent = new() { Link = link, Mode = "NOTRACK { CommitTimeout 90 }" };
        using var nodes = new Pair(pair, silent, s_inject with { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, More);
        nodes.Load.Delete(1, More, first: Flows - More);
        Wait.Until("kernel tables are equal", ReplicatedSeconds,
            nodes.Load.KernelAgainstKernel, d => d.IsNone && d.Same == Flows - More);
        Assert.Equal("", nodes.Backup.Tell("-e"));
        Assert.Equal(Flows, nodes.Backup.Counter("cache", "connections created"));
    }

    private static void RefillTwice(Pair nodes, int flows)
    {
        nodes.Backup.Tell("-f", "external");
        Assert.Equal("", nodes.Backup.Tell("-e"));
        nodes.Active.Tell("-B");
        nodes.AwaitReplicated(ReplicatedSeconds, flows);

        nodes.Backup.Tell("-f", "external");
        nodes.Backup.Tell("-n");
        nodes.AwaitReplicated(ReplicatedSeconds, flows);
        Assert.Contains(
            "resync requested by other node", nodes.Active.Log, StringComparison.Ordinal);
    }
}
