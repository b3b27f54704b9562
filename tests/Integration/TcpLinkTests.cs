using System.Globalization;
using System.Threading;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>TCP links: against the original, cut, blocked, disturbed.</summary>
public sealed class TcpLinkTests(ITestOutputHelper output)
{
    private const int Flows = 5_000, ManyFlows = 200_000;
    private const double Seconds = 15, ManySeconds = 40;
    private const string Connected = "server=connected client=connected";
    private static readonly DaemonConfig s_bestEffort =
        new() { Link = "tcp", Mode = "NOTRACK {\n    }" };

    public static TheoryData<string, string> EachOverBothFamilies
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string pair in Pairs.Each)
            {
                data.Add(pair, "tcp");
                data.Add(pair, "tcp6");
            }
            return data;
        }
    }

    [LoadTheory]
    [MemberData(nameof(EachOverBothFamilies))]
    public void Tables_are_equal_before_and_after_a_peer_was_killed(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        AwaitConnections(nodes);
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, Flows / 2);
        nodes.Load.Inject(2, Flows, first: 4 * Flows);
        AwaitBoth(nodes, Seconds, Flows);

        nodes.Backup.Kill();
        Wait.Until("fw1 saw the end", Seconds, () => nodes.Active.Tell("-s").Contains(
            "server=disconnected client=disconnected", StringComparison.Ordinal));
        nodes.Load.Inject(1, Flows, first: Flows);
        StartAfterKill(nodes, nodes.Backup);
        nodes.AwaitReplicated(Seconds, 2 * Flows);

        nodes.Active.Kill();
        nodes.Load.Delete(1, Flows);
        StartAfterKill(nodes, nodes.Active);
        nodes.Load.Inject(1, Flows, first: 2 * Flows);
        nodes.Backup.Tell("-f", "external");
        nodes.Backup.Tell("-n");
        nodes.AwaitReplicated(Seconds, 2 * Flows);
        Assert.Equal(0, nodes.Active.Counter("network", "Malformed messages"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
    }

    [LoadTheory]
    [MemberData(nameof(Pairs.Each), MemberType = typeof(Pairs))]
    public void Best_effort_replicates_too(string pair)
    {
        using var nodes = new Pair(pair, s_bestEffort);
        AwaitConnections(nodes);
        nodes.Load.Inject(1, Flows);
        nodes.Load.Delete(1, Flows / 2);
        nodes.AwaitReplicated(Seconds, Flows / 2);
    }

    [LoadFact]
    public void Large_tables_go_both_ways_at_once()
    {
        using var nodes = new Pair(Pairs.OursOurs, "tcp");
        AwaitConnections(nodes);
        nodes.Load.Inject(1, ManyFlows);
        nodes.Load.Inject(2, ManyFlows, first: 2 * ManyFlows);
        AwaitBoth(nodes, ManySeconds, ManyFlows);
        nodes.Active.Tell("-f", "external");
        nodes.Backup.Tell("-f", "external");
        nodes.Active.Tell("-B");
        nodes.Backup.Tell("-B");
        double seconds = AwaitBoth(nodes, ManySeconds, ManyFlows);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: bulk of {ManyFlows} both ways at once: equal after {seconds:F2} s"));
        Assert.Equal(0, nodes.Active.Counter("network", "Packets lost"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Packets lost"));
    }

    /// <remarks>Best effort: whoever connects again sends all, since some may be gone.</remarks>
    [LoadTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connections_reset_under_load_cost_no_flow(bool reliable)
    {
        using var nodes = new Pair(
            Pairs.OursOurs, reliable ? new DaemonConfig { Link = "tcp" } : s_bestEffort);
        AwaitConnections(nodes);
        var load = new Thread(() => nodes.Load.Inject(1, 4 * Flows));
        load.Start();
        nodes.Lab.ResetConnections();
        load.Join();
        nodes.Lab.ResetConnections();
        nodes.Load.Inject(1, Flows, first: 4 * Flows);
        nodes.AwaitReplicated(Seconds, 5 * Flows);
        AwaitConnections(nodes);
        Assert.Contains("connecting again", nodes.Active.Log + nodes.Backup.Log,
            StringComparison.Ordinal);
    }

    /// <remarks>Its socket fills; what changes meanwhile waits as flows and comes later.</remarks>
    [LoadFact]
    public void A_peer_that_stands_still_for_seconds_misses_nothing()
    {
        using var nodes = new Pair(Pairs.OursOurs, s_bestEffort);
        AwaitConnections(nodes);
        nodes.Backup.Freeze();
        nodes.Load.Inject(1, ManyFlows / 2);
        nodes.Load.Delete(1, Flows);
        Thread.Sleep(2000);
        nodes.Backup.Thaw();
        nodes.AwaitReplicated(Seconds, (ManyFlows / 2) - Flows);
        Assert.Equal(0, nodes.Backup.Counter("network", "Packets lost"));
        Assert.DoesNotContain("lost", nodes.Active.Log, StringComparison.Ordinal);
    }

    [LoadFact]
    public void Strangers_and_garbage_on_the_port_are_refused_and_the_link_lives()
    {
        using var nodes = new Pair(Pairs.OursOurs, "tcp");
        AwaitConnections(nodes);
        nodes.Lab.Run(2, "ip", "addr", "add", "10.33.0.9/24", "dev", "sync").Checked();
        Send(nodes, "10.33.0.9", "b'stranger'");
        Wait.Until("the stranger is named", Seconds, () => nodes.Active.Log.Contains(
            "refused what came from 10.33.0.9", StringComparison.Ordinal));
        Assert.Contains(
            "IPv4_Destination_Address is 10.33.0.2", nodes.Active.Log, StringComparison.Ordinal);
        // From the peer's own address: taken for the peer, until it talks nonsense or the peer
        // has connected again.
        Wait.Until("the nonsense is counted", Seconds, () =>
        {
            Send(nodes, "10.33.0.2", @"b'\x10\x00\x00\x03' * 100");
            return nodes.Active.Counter("network", "Bad message size") > 0;
        });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Inject(2, Flows, first: 4 * Flows);
        AwaitBoth(nodes, Seconds, Flows);
        AwaitConnections(nodes);
    }

    private static void Send(Pair nodes, string from, string bytes) =>
        nodes.Lab.Run(2, "python3", "-c", "import socket, time\n"
            + $"s = socket.create_connection(('10.33.0.1', 3780), 5, ('{from}', 0))\n"
            + $"s.sendall({bytes})\ntime.sleep(0.3)").Checked();

    private static void AwaitConnections(Pair nodes)
    {
        foreach (DaemonProcess daemon in new[] { nodes.Active, nodes.Backup })
        {
            Wait.Until($"fw{daemon.Firewall} is connected both ways", Seconds,
                () => daemon.Tell("-s").Contains(Connected, StringComparison.Ordinal));
        }
    }

    private static void StartAfterKill(Pair nodes, DaemonProcess daemon)
    {
        // The original keeps its lock file when it is killed.
        System.IO.File.Delete(daemon.LockPath);
        daemon.Start();
        AwaitConnections(nodes);
        daemon.Tell("-n");
    }

    private static double AwaitBoth(Pair nodes, double seconds, int flows) =>
        nodes.AwaitReplicated(seconds, flows) + Wait.Until(
            $"fw1's external cache has fw2's {flows} flows", seconds,
            () => nodes.Load.KernelAgainstListing(nodes.Active, "-e", kernelOf: 2),
            difference => difference.IsNone && difference.Same == flows);
}
