using System.Diagnostics;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Links of every kind under conditions that are not those of a laboratory.</summary>
public sealed class TransportTests
{
    private const int Flows = 3_000;
    private const double Seconds = 15;

    /// <remarks>Nothing leaves in fragments: a lost one would cost the whole datagram.</remarks>
    [LoadTheory]
    [InlineData("udp", 576)]
    [InlineData("multicast", 576)]
    [InlineData("tcp", 576)]
    [InlineData("udp6", 1280)]
    [InlineData("multicast6", 1280)]
    [InlineData("udp", 9000)]
    [InlineData("multicast6", 9000)]
    [InlineData("tcp6", 9000)]
    public void Every_MTU_carries_a_bulk_and_no_fragment(string link, int mtu)
    {
        var config = new DaemonConfig { Link = link };
        using var nodes = new Pair(Pairs.OursOurs, config, config, lab => lab.SetMtu(mtu));
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Backup.Tell("-f", "external");
        // Events leave as they come, a bulk in full datagrams: a link of 9,000 is used as such.
        long bytes = -nodes.Active.Traffic("Bytes sent");
        long packets = -nodes.Active.Traffic("Pckts sent");
        nodes.Active.Tell("-B");
        nodes.AwaitReplicated(Seconds, Flows);
        Assert.Equal(0, Fragments(nodes.Lab));
        if (link.StartsWith("tcp", StringComparison.Ordinal)) { return; }
        bytes += nodes.Active.Traffic("Bytes sent");
        packets += nodes.Active.Traffic("Pckts sent");
        Assert.True(bytes / packets > mtu / 4, $"{bytes} bytes in {packets} packets");
    }

    [LoadTheory]
    [InlineData(Pairs.OursOurs, "udp-local")]
    [InlineData(Pairs.OursOurs, "tcp-local")]
    [Trait("Defect", "28")]
    public void Link_local_addresses_have_the_scope_of_the_interface(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
    }

    /// <remarks>
    /// Ten days apart: times on the link are durations, so every expiry is as with equal clocks.
    /// </remarks>
    [LoadTheory]
    [InlineData("FTFW { }")]
    [InlineData("ALARM { RefreshTime 2 CacheTimeout 4 }")]
    public void A_peer_may_have_another_clock(string mode)
    {
        var config = new DaemonConfig { Mode = mode };
        using var nodes = new Pair(Pairs.OursOurs, config, config with
        {
            Wrapper = ["unshare", "-T", "--monotonic", "864000", "--boottime", "864000"],
        });
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Backup.Tell("-c");
        Assert.True(nodes.Load.KernelAgainstKernel().IsNone);
        nodes.Active.Stop();
        if (mode[0] != 'A') { return; }
        Wait.Until("fw1's flows expire", Seconds, () => nodes.Backup.Tell("-e").Length == 0);
    }

    [LoadTheory]
    [InlineData("udp")]
    [InlineData("multicast6")]
    [InlineData("tcp")]
    public void A_cable_that_flaps_ten_times_a_second_costs_no_flow(string link)
    {
        using var nodes = new Pair(Pairs.OursOurs, link);
        var load = new Thread(() => nodes.Load.Churn(1, 10_000, first: 100_000, rate: 5000));
        load.Start();
        for (int i = 0; i < 20; i++)
        {
            nodes.Lab.SetLink(1 + (i % 2), "sync", up: false);
            Thread.Sleep(50);
            nodes.Lab.SetLink(1 + (i % 2), "sync", up: true);
            Thread.Sleep(50);
        }
        load.Join();
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
    }

    [LoadFact]
    public void A_flood_of_a_third_host_is_refused_and_the_link_lives()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Lab.Run(1, "ip", "addr", "add", "10.33.0.99/24", "dev", "sync").Checked();
        Process flood = nodes.Lab.Start(1, nodes.Lab.PathOf("flood.out"), "python3", "-c",
            FloodScript, "10.33.0.99", Lab.SyncAddress(2));
        Wait.Until("it is refused", Seconds, () => nodes.Backup.Log.Contains(
            "refused what came from 10.33.0.99", StringComparison.Ordinal));
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        Assert.False(flood.HasExited);
        nodes.Load.Delete(1, Flows / 2);
        nodes.AwaitReplicated(Seconds, Flows / 2);
        flood.Kill();
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
    }

    /// <remarks>The group is everywhere; the link is one interface.</remarks>
    [LoadFact]
    public void What_comes_to_the_group_through_another_interface_is_not_heard()
    {
        using var nodes = new Pair(Pairs.OursOurs, "multicast");
        // A member on the other interface too: the kernel hands it to every socket of the group.
        Process member = nodes.Lab.Start(2, nodes.Lab.PathOf("member.out"), "python3", "-c",
            MemberScript, "225.0.33.50", Lab.SecondAddress(2));
        nodes.Lab.Run(1, "python3", "-c", GroupScript, "225.0.33.50", Lab.SecondAddress(1))
            .Checked();
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
        member.Kill();
        Assert.Contains("heard", System.IO.File.ReadAllText(nodes.Lab.PathOf("member.out")),
            StringComparison.Ordinal);
    }

    private const string FloodScript = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((sys.argv[1], 0))
        while True:
            s.sendto(b"\x10" * 1000, (sys.argv[2], 3780))
        """;

    private const string GroupScript = """
        import socket, sys, time
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
        for i in range(20):
            s.sendto(b"\x10" * 1000, (sys.argv[1], 3780))
            time.sleep(0.02)
        """;

    private const string MemberScript = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((sys.argv[1], 3780))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(sys.argv[1]) + socket.inet_aton(sys.argv[2]))
        while s.recv(2000) != b"\x10" * 1000: pass
        print("heard", flush=True)
        s.recv(2000)
        """;

    // Both families.
    private static long Fragments(Lab lab)
    {
        string snmp = lab.Run(1, "cat", "/proc/net/snmp", "/proc/net/snmp6").Checked().Output;
        string[] names = [], values = [];
        foreach (string line in snmp.Split('\n').Where(l => l.StartsWith("Ip: ")))
        {
            (names, values) = (values, line.Split(' '));
        }
        return long.Parse(values[Array.IndexOf(names, "FragCreates")])
            + long.Parse(Regex.Match(snmp, @"Ip6FragCreates\s+(\d+)").Groups[1].Value);
    }
}
