using System.Threading;
using Conntrackd.Tests.Linux;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Links that fail, switch, vanish and return.</summary>
public sealed class RedundantLinkTests
{
    private const int Flows = 10_000;
    private const double Seconds = 15;

    public static TheoryData<string, string> EachWithTwoLinks
    {
        get
        {
            var data = new TheoryData<string, string>
            {
                { Pairs.OursOurs, "multicast-twice" },
                { Pairs.OursOurs, "udp+multicast" },
                { Pairs.OursOurs, "tcp+udp" },
            };
            foreach (string pair in Pairs.Each)
            {
                data.Add(pair, "udp-twice");
                data.Add(pair, "tcp-twice");
            }
            return data;
        }
    }

    [LoadTheory]
    [MemberData(nameof(EachWithTwoLinks))]
    [Trait("Defect", "25")]
    public void A_cable_pulled_under_load_costs_no_flow(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        AwaitConnected(nodes, link);
        Assert.Contains("device=sync status=RUNNING role=ACTIVE", nodes.Active.Tell("-s", "link"),
            StringComparison.Ordinal);
        var load = new Thread(() =>
        {
            nodes.Load.Churn(1, Flows, first: 100_000, rate: 5000);
            nodes.Load.Inject(1, Flows);
        });
        load.Start();
        Thread.Sleep(700);
        nodes.Lab.SetLink(1, "sync", up: false);
        load.Join();
        nodes.AwaitReplicated(Seconds, Flows);
        AwaitActive(nodes, "sync2");
        Assert.Contains("device `sync2' becomes dedicated link", OursOf(nodes, pair).Log,
            StringComparison.Ordinal);

        // Nobody goes back by himself, but TCP may send old data on the first link once more, and
        // then both ends follow it.
        nodes.Lab.SetLink(1, "sync", up: true);
        nodes.Load.Inject(1, Flows, first: Flows);
        nodes.AwaitReplicated(Seconds, 2 * Flows);
        Wait.Until("both send on one link", Seconds,
            () => ActiveDevice(nodes.Active) == ActiveDevice(nodes.Backup));
        string device = ActiveDevice(nodes.Active);
        Assert.True(device == "sync2" || link.Contains("tcp", StringComparison.Ordinal), device);
        nodes.Lab.SetLink(2, device, up: false);
        nodes.Load.Delete(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        AwaitActive(nodes, device == "sync" ? "sync2" : "sync");
    }

    /// <remarks>Up, but no carrier: the original takes it, and sends into nothing.</remarks>
    [LabFact]
    [Trait("Defect", "26")]
    public void A_link_without_carrier_is_not_switched_to()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp-twice");
        nodes.Lab.SetLink(2, "sync2", up: false);
        Wait.Until("fw1 sees it", Seconds, () => nodes.Active.Tell("-s", "link").Contains(
            "device=sync2 status=NO-CARRIER", StringComparison.Ordinal));
        nodes.Lab.SetLink(2, "sync", up: false);
        Wait.Until("fw1 has no link", Seconds, () => nodes.Active.Log.Contains(
            "no dedicated links available!", StringComparison.Ordinal));
        Assert.DoesNotContain(
            "becomes dedicated link", nodes.Active.Log, StringComparison.Ordinal);
    }

    /// <remarks>Of each five datagrams of one link one is lost, and nobody asks for it.</remarks>
    [LoadTheory]
    [InlineData("udp-twice", "FTFW", "")]
    [InlineData("multicast+tcp", "FTFW", "")]
    [InlineData("udp-twice", "NOTRACK", "")]
    [InlineData("udp-twice", "FTFW", "KeyFile")]
    [InlineData("multicast+tcp", "FTFW", "KeyFile")]
    [InlineData("udp-twice", "NOTRACK", "KeyFile")]
    [InlineData("udp-twice", "FTFW", "FrameChecksum")]
    [InlineData("multicast+tcp", "NOTRACK", "FrameChecksum")]
    public void On_redundant_links_what_one_loses_is_not_lost(
        string link, string mode, string guard)
    {
        using var keys = new TemporaryDirectory();
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            Link = link,
            LinkMore = Guard(guard, keys.File("link.key")),
            Mode = $"{mode} {{ }}",
            Options = "RedundantLinks on",
        });
        Thread.Sleep(1500);
        nodes.Lab.LoseDatagrams(20);
        nodes.Load.Churn(1, Flows, first: 100_000, rate: 5000);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        string links = nodes.Backup.Tell("-s", "link");
        Assert.True(nodes.Lab.LostDatagrams(2) > 20, links);
        Assert.Equal(2, links.AsSpan().Count("role=ACTIVE"));
        Assert.True(nodes.Backup.Counter("link", "Duplicate messages") > 0, links);
        Assert.Equal(0, nodes.Backup.Counter("network", "Packets lost"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Packets before"));
        if (guard.Length == 0) { return; }
        // Both copies are read, neither is refused for the other.
        Assert.NotEqual(0, nodes.Backup.Counter("network", "Accepted frames"));
        string[] refusals = guard == "KeyFile"
            ? ["Not sealed", "Wrong key or forged", "Replayed frames", "Frames too late"]
            : ["Without a digest", "Corrupt frames"];
        foreach (string reason in refusals)
        {
            Assert.Equal(0, nodes.Backup.Counter("network", reason));
        }
    }

    private static Func<int, string> Guard(string guard, string key)
    {
        if (guard == "FrameChecksum") { return _ => "FrameChecksum on"; }
        if (guard.Length == 0) { return _ => ""; }
        Shell.Run(Requirements.Binary, "--generate-key", key).Checked();
        return _ => $"KeyFile {key}";
    }

    /// <remarks>It drops what it has, by the sequence, and counts it as come too late.</remarks>
    [MixedLoadTheory]
    [InlineData(Pairs.OursOriginal)]
    [InlineData(Pairs.OriginalOurs)]
    public void Redundant_links_do_no_harm_to_the_original(string pair)
    {
        var plain = new DaemonConfig { Link = "udp-twice" };
        DaemonConfig redundant = plain with { Options = "RedundantLinks on" };
        bool first = pair == Pairs.OursOriginal;
        using var nodes = new Pair(pair, first ? redundant : plain, first ? plain : redundant);
        Thread.Sleep(1500);
        nodes.Load.Churn(1, Flows, first: 100_000, rate: 5000);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Lab.SetLink(1, "sync", up: false);
        nodes.Load.Delete(1, Flows / 2);
        nodes.Load.Update(1, Flows / 2, first: Flows / 2);
        nodes.AwaitReplicated(Seconds, Flows / 2);
        if (first) { Assert.True(nodes.Backup.Counter("network", "Packets before") > 0); }
    }

    /// <remarks>
    /// Both interfaces have carrier, but nothing passes: as behind a broken switch.
    /// </remarks>
    [LoadFact]
    public void A_link_that_is_up_and_dead_is_left_when_nobody_is_heard()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp+multicast");
        Thread.Sleep(1500);
        nodes.Lab.LoseDatagrams(100);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        AwaitActive(nodes, "sync2");
        Assert.Contains("device `sync': nobody heard for 3 s, trying another link",
            nodes.Active.Log + nodes.Backup.Log, StringComparison.Ordinal);
    }

    [LoadTheory]
    [InlineData("udp")]
    [InlineData("udp6")]
    [InlineData("multicast")]
    [InlineData("tcp")]
    public void An_interface_that_is_taken_away_and_comes_back_needs_no_restart(string link)
    {
        using var nodes = new Pair(Pairs.OursOurs, link);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Lab.Disconnect("sync");
        Wait.Until("the loss is told", Seconds, () => nodes.Active.Log.Contains(
            "no dedicated links available!", StringComparison.Ordinal));
        Assert.Contains("status=DOWN", nodes.Active.Tell("-s", "link"), StringComparison.Ordinal);
        nodes.Load.Inject(1, Flows, first: Flows);
        nodes.Lab.Connect("sync");
        nodes.AwaitReplicated(Seconds, 2 * Flows);
    }

    [LoadTheory]
    [InlineData("udp")]
    [InlineData("multicast")]
    [InlineData("multicast6")]
    [InlineData("tcp")]
    public void An_interface_that_is_missing_at_the_start_is_waited_for(string link)
    {
        using var lab = new Lab();
        lab.Disconnect("sync");
        var config = new DaemonConfig { Link = link };
        DaemonProcess active = new DaemonProcess(lab, 1, Requirements.Binary, config).Start();
        DaemonProcess backup = new DaemonProcess(lab, 2, Requirements.Binary, config).Start();
        Assert.Contains("No such device, waiting for it", active.Log, StringComparison.Ordinal);
        var load = new LoadTool(lab);
        load.Inject(1, Flows);
        lab.Connect("sync");
        Wait.Until("the tables are equal", Seconds,
            () => load.KernelAgainstListing(backup, "-e"), d => d.IsNone && d.Same == Flows);
    }

    [LoadFact]
    public void Cables_that_flap_cost_no_flow_and_both_ends_meet()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp-twice");
        var load = new Thread(() => nodes.Load.Churn(1, 2 * Flows, first: 100_000, rate: 8000));
        load.Start();
        for (int i = 0; i < 20; i++)
        {
            nodes.Lab.SetLink(1 + (i % 2), "sync", up: i % 4 >= 2);
            Thread.Sleep(50);
        }
        nodes.Lab.SetLink(1, "sync", up: true);
        nodes.Lab.SetLink(2, "sync", up: true);
        load.Join();
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        Wait.Until("both send on one link", Seconds,
            () => ActiveDevice(nodes.Active) == ActiveDevice(nodes.Backup));
    }

    /// <remarks>The original binds nothing: routing chooses the address it sends from.</remarks>
    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void A_peer_that_sends_from_another_address_is_named_in_the_log(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Lab.Run(2, "ip", "addr", "add", "10.33.0.22/24", "dev", "sync").Checked();
        if (pair == Pairs.OursOurs)
        {
            nodes.Lab.Run(2, "python3", "-c", "import socket\n"
                + "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                + "s.bind(('10.33.0.22', 0))\ns.sendto(b'x' * 20, ('10.33.0.1', 3780))").Checked();
        }
        else
        {
            nodes.Lab.Run(2, "ip", "route", "replace", "10.33.0.0/24", "dev", "sync", "src",
                "10.33.0.22").Checked();
        }
        const string Named = "refused what came from 10.33.0.22: IPv4_Destination_Address is "
            + "10.33.0.2. If 10.33.0.22 is the peer, make it send from 10.33.0.2";
        Wait.Until("the address is named", Seconds,
            () => nodes.Active.Log.Contains(Named, StringComparison.Ordinal));
    }

    // Both have heard each other on the first link.
    private static void AwaitConnected(Pair nodes, string link)
    {
        Thread.Sleep(1500);
        if (!link.StartsWith("tcp", StringComparison.Ordinal)) { return; }
        nodes.Active.AwaitConnected();
        nodes.Backup.AwaitConnected();
    }

    private static DaemonProcess OursOf(Pair nodes, string pair) =>
        pair == Pairs.OriginalOurs ? nodes.Backup : nodes.Active;

    private static void AwaitActive(Pair nodes, string device)
    {
        foreach (DaemonProcess daemon in new[] { nodes.Active, nodes.Backup })
        {
            Wait.Until($"fw{daemon.Firewall} sends on {device}", Seconds,
                () => ActiveDevice(daemon) == device);
        }
    }

    private static string ActiveDevice(DaemonProcess daemon)
    {
        foreach (string line in daemon.Tell("-s", "link").Split('\n'))
        {
            if (!line.Contains("role=ACTIVE", StringComparison.Ordinal)) { continue; }
            return line.Split("device=")[1].Split(' ')[0];
        }
        return "";
    }
}
