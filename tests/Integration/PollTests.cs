using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>PollSecs: no events, the kernel's table is read now and then.</summary>
public sealed class PollTests
{
    private const int Flows = 2_000, More = 300;
    private const double PollSeconds = 1, ReplicatedSeconds = 6;

    private static readonly DaemonConfig s_polling = new() { General = "PollSecs 1" };

    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void Only_differences_are_told_and_ends_are_found(string pair, string link)
    {
        using var nodes = new Pair(pair, s_polling with { Link = link }, new() { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);
        nodes.Load.Update(1, More);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows - More);
        Assert.Equal(0, nodes.Active.Counter("runtime", "events received"));

        // Several polls without a change: not a flow is sent again.
        string before = ExternalCounters(nodes);
        System.Threading.Thread.Sleep(TimeSpan.FromSeconds(3 * PollSeconds));
        Assert.Equal(before, ExternalCounters(nodes));
    }

    /// <summary>Defect 19: the original takes a flow in a zone for gone, every time.</summary>
    [LabTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    [Trait("Defect", "19")]
    public void A_flow_in_a_zone_is_not_taken_for_gone(string pair, string link)
    {
        using var nodes = new Pair(pair, s_polling with { Link = link }, new() { Link = link });
        nodes.Lab.Run(1, "conntrack", "-I", "-p", "udp", "-s", "10.50.0.1", "-d", "10.60.0.1",
            "--sport", "1000", "--dport", "53", "-w", "7", "-t", "600").Checked();
        Wait.Until("the flow is there", ReplicatedSeconds, () => Listed(nodes));
        for (int i = 0; i < 30; i++)
        {
            Assert.True(Listed(nodes), "it was taken for gone");
            System.Threading.Thread.Sleep(100);
        }
    }

    /// <summary>Nothing repairs losses in NOTRACK: each poll tells everything.</summary>
    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void In_notrack_all_is_told_every_time(string pair, string link)
    {
        DaemonConfig noTrack = new() { Link = link, Mode = "NOTRACK { }" };
        using var nodes = new Pair(pair, noTrack with { General = "PollSecs 1" }, noTrack);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);
        nodes.Backup.Tell("-f", "external");
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);
    }

    private static string ExternalCounters(Pair nodes) => Regex.Match(
        nodes.Backup.Tell("-s"), "cache external:.*?\n\n", RegexOptions.Singleline).Value;

    private static bool Listed(Pair nodes) => nodes.Backup.Tell("-e").Split('\n')
        .Any(line => line.Contains("zone=7", StringComparison.Ordinal));
}
