using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Expectations and sequence adjustment with real FTP through the kernel's helper, a translated
/// client and a fail-over from fw1 to fw2.
/// </summary>
public sealed class FtpTests
{
    private const double Seconds = 5;

    /// <summary>Every pair, IPv4 and IPv6.</summary>
    public static TheoryData<string, bool> EveryPair => WithFamilies(Pairs.OverUdp);

    /// <summary>Pairs whose active firewall is ours.</summary>
    public static TheoryData<string, bool> OursActive => WithFamilies(Pairs.OursActive);

    [LabTheory]
    [MemberData(nameof(EveryPair))]
    public void An_expectation_is_at_the_peer_until_it_is_used(string pair, bool ipv6)
    {
        using var nodes = new Pair(pair, new DaemonConfig { ExpectationSync = true });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6);
        client.Tell("open");
        foreach (string command in new[] { "port", "pasv" })
        {
            client.Tell(command);
            AwaitExpectations(nodes, 1);
            Assert.Equal(
                WithoutAge(nodes.Active.Tell("-i", "expect")),
                WithoutAge(nodes.Backup.Tell("-e", "expect")));
            Assert.Equal(
                nodes.Active.Tell("-i", "expect", "-x"), nodes.Backup.Tell("-e", "expect", "-x"));

            Assert.StartsWith("150", client.Tell("retr"));
            Assert.Equal("flowing", client.Tell("check"));
            AwaitExpectations(nodes, 0);
            client.Tell("close");
        }
        Assert.Equal(2, nodes.Active.Counter("expect", "connections destroyed"));
    }

    [LabFact]
    public void Best_effort_mode_replicates_expectations_too()
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            ExpectationSync = true,
            Mode = "NOTRACK { }",
        });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6: false);
        client.Tell("open");
        client.Tell("port");
        AwaitExpectations(nodes, 1);
        Assert.StartsWith("150", client.Tell("retr"));
        AwaitExpectations(nodes, 0);
    }

    /// <remarks>The original drops those whose master it knows.</remarks>
    [LabFact]
    [Trait("Defect", "13")]
    public void Without_internal_cache_expectations_are_replicated_too()
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            ExpectationSync = true,
            Mode = "NOTRACK { DisableInternalCache on }",
        });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6: false);
        client.Tell("open");
        client.Tell("port");
        Wait.Until("it is at the peer", Seconds,
            () => nodes.Backup.Tell("-e", "expect").Count(c => c == '\n') == 1);
        Assert.StartsWith("150", client.Tell("retr"));
        Wait.Until("it has gone", Seconds, () => nodes.Backup.Tell("-e", "expect").Length == 0);
    }

    // Defect 18: the original leaves expectations as they were.
    [LoadTheory]
    [InlineData(false)]
    [Trait("Defect", "18")]
    public void Expectations_are_right_again_after_an_overrun(bool ipv6)
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            ExpectationSync = true,
            EventBufferBytes = 128 * 1024,
            EventBufferBytesMax = 256 * 1024,
        });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient first = ftp.Connect(ipv6), second = ftp.Connect(ipv6);
        first.Tell("open");
        second.Tell("open");
        first.Tell("port");
        AwaitExpectations(nodes, 1);
        string before = WithoutAge(nodes.Backup.Tell("-e", "expect"))[0];

        nodes.Active.Freeze();
        nodes.Load.Inject(1, 2_000);
        Assert.StartsWith("150", first.Tell("retr"));
        Assert.StartsWith("200", second.Tell("port"));
        nodes.Active.Thaw();
        Wait.Until("the old one has gone, the new one is there", Seconds, () =>
        {
            string now = WithoutAge(nodes.Backup.Tell("-e", "expect"))[0];
            return now.Length > 0 && now != before;
        });
        AwaitExpectations(nodes, 1);
        Assert.NotEqual(0, nodes.Active.Counter("runtime", "netlink overrun"));
    }

    // The original does not fetch the offsets, and commits expectations without their NAT; so this
    // is about pairs with ours on both sides.
    [LabTheory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [Trait("Defect", "15")]
    public void Control_connection_and_expectation_survive_a_fail_over(bool ipv6, bool direct)
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            ExpectationSync = true,
            Mode = direct ? "FTFW { DisableExternalCache On }" : new DaemonConfig().Mode,
        });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6);
        client.Tell("open");
        client.Tell("port");
        Assert.StartsWith("150", client.Tell("retr"));      // a related flow that goes on
        using FtpClient second = ftp.Connect(ipv6);
        second.Tell("open");
        Assert.StartsWith("200", second.Tell("port"));      // an expectation that waits
        AwaitAdjusted(nodes, 2, direct);

        if (!direct) { nodes.Backup.Tell("-c"); }
        ftp.Route(2);
        string masters = nodes.Lab.Run(2, "conntrack", "-L", "-f", ipv6 ? "ipv6" : "ipv4").Output;
        Assert.Matches("helper=ftp", masters);
        Assert.Equal("flowing", client.Tell("check"));
        Assert.StartsWith("150", second.Tell("retr"));
        Assert.Equal("flowing", second.Tell("check"));
        foreach (FtpClient one in new[] { client, second })
        {
            one.Tell("close");
            foreach (string command in new[] { "port", "pasv", "port" })
            {
                Assert.StartsWith("200", one.Tell("say NOOP"));
                Assert.StartsWith("2", one.Tell(command));
                Assert.StartsWith("150", one.Tell("retr"));
                Assert.Equal("flowing", one.Tell("check"));
                one.Tell("close");
            }
        }
    }

    [LabTheory]
    [MemberData(nameof(OursActive))]
    public void Without_ExpectationSync_the_control_connection_survives(string pair, bool ipv6)
    {
        using var nodes = new Pair(pair, new DaemonConfig());
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6);
        client.Tell("open");
        Assert.StartsWith("200", client.Tell("port"));
        Assert.StartsWith("150", client.Tell("retr"));
        AwaitAdjusted(nodes, 1, direct: false);

        nodes.Backup.Tell("-c");
        ftp.Route(2);
        Assert.Equal("flowing", client.Tell("check"));
        Assert.StartsWith("200", client.Tell("say NOOP"));
        Assert.StartsWith("200", client.Tell("port"));
        Assert.StartsWith("150", client.Tell("retr"));
        Assert.Equal("flowing", client.Tell("check"));
    }

    [LabTheory]
    [MemberData(nameof(OursActive))]
    public void A_related_flow_has_its_master_after_a_commit(string pair, bool ipv6)
    {
        using var nodes = new Pair(pair, new DaemonConfig { ExpectationSync = true });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6);
        client.Tell("open");
        client.Tell("pasv");
        Assert.StartsWith("150", client.Tell("retr"));
        AwaitExpectations(nodes, 0);
        Wait.Until("both flows are at the peer", Seconds, () =>
            nodes.Backup.Tell("-e").Split('\n').Count(line => line.StartsWith("tcp")) == 2);
        nodes.Backup.Tell("-c");
        // The kernel gives the bit to what is created with a master, and only if that is there.
        string expected = nodes.Lab.Run(2, "conntrack", "-L", "-f", ipv6 ? "ipv6" : "ipv4",
            "-u", "EXPECTED").Checked().Output;
        Assert.Single(expected.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("dport=21 ", expected);
    }

    [LabFact]
    [Trait("Defect", "34")]
    public void Commit_flush_and_resync_of_expectations()
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig { ExpectationSync = true });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6: false);
        client.Tell("open");
        client.Tell("port");
        AwaitExpectations(nodes, 1);

        // Without its master the kernel takes none; with it, it comes with everything.
        CommandResult refused = nodes.Backup.Ask("-c", "expect");
        Assert.NotEqual(0, refused.ExitCode);
        nodes.Backup.Tell("-c", "ct");
        Assert.Equal("", Expected(nodes.Lab, 2));
        nodes.Backup.Tell("-c", "expect");
        Assert.Equal(WithoutTime(Expected(nodes.Lab, 1)), WithoutTime(Expected(nodes.Lab, 2)));
        nodes.Backup.Tell("-c");
        Assert.Contains("Committed 1 new expectations", nodes.Backup.Log);

        nodes.Backup.Tell("-F", "expect");
        Assert.Equal("", Expected(nodes.Lab, 2));
        Assert.Equal("", nodes.Backup.Tell("-i", "expect"));
        nodes.Backup.Tell("-R", "expect");
        Assert.NotEqual("", nodes.Backup.Tell("-e", "expect"));

        nodes.Backup.Tell("-f", "external");
        Assert.NotEqual("", nodes.Backup.Tell("-e", "expect"));
        nodes.Backup.Tell("-f");
        Assert.Equal("", nodes.Backup.Tell("-e", "expect"));
        nodes.Active.Tell("-B");
        AwaitExpectations(nodes, 1);
    }

    [LabFact]
    public void A_resync_reads_expectations_behind_their_masters()
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig { ExpectationSync = true });
        using var ftp = new FtpLab(nodes.Lab);
        using FtpClient client = ftp.Connect(ipv6: false);
        client.Tell("open");
        client.Tell("port");
        AwaitExpectations(nodes, 1);

        // Dumps take turns: behind one of flows that of expectations would come next.
        nodes.Active.Tell("-R", "ct");
        nodes.Active.Tell("-f");
        Assert.Equal("", nodes.Active.Tell("-i", "expect"));
        nodes.Active.Tell("-R");
        Assert.NotEqual("", nodes.Active.Tell("-i", "expect"));
    }

    private static TheoryData<string, bool> WithFamilies(TheoryData<string, string> pairs)
    {
        var data = new TheoryData<string, bool>();
        foreach (string pair in pairs.Select(row => (string)row[0]).Distinct())
        {
            data.Add(pair, false);
            data.Add(pair, true);
        }
        return data;
    }

    private static void AwaitExpectations(Pair nodes, int count)
    {
        try
        {
            Wait.Until($"{count} expectations in the peer's cache", Seconds, () =>
                nodes.Backup.Tell("-e", "expect").Count(c => c == '\n') == count &&
                nodes.Active.Tell("-i", "expect").Count(c => c == '\n') == count);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException(string.Join('\n', error.Message, nodes.Active.Log,
                nodes.Active.Tell("-i", "expect"), nodes.Backup.Log,
                nodes.Backup.Tell("-e", "expect")));
        }
    }

    // The offsets are fetched a moment after the event and cannot be seen in a listing: all that
    // was sent has arrived when nothing waits for an answer.
    private static void AwaitAdjusted(Pair nodes, int controls, bool direct)
    {
        Wait.Until("the flows are at the peer", Seconds, () =>
        {
            string listing = direct ? nodes.Lab.KernelListing(2) : nodes.Backup.Tell("-e");
            return listing.Split('\n').Count(line => line.Contains(" dport=21 ")) >= controls;
        });
        System.Threading.Thread.Sleep(400);
    }

    private static string Expected(Lab lab, int firewall) =>
        lab.Run(firewall, "conntrack", "-L", "expect").Checked().Output;

    private static string WithoutTime(string listing) => Regex.Replace(listing, @"(?m)^\d+ ", "");

    private static List<string> WithoutAge(string listing) =>
        [.. listing.Split('\n').Select(line => Regex.Replace(line, @" \[active since \d+s\]", ""))];
}
