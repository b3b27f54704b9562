using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// A pair of the original and a pair of ours in the same two namespaces hear the same kernels.
/// Whatever they are asked, they answer the same, byte for byte but for times and traffic, to a
/// client of either kind.
/// </summary>
/// <remarks><code>
///   fw1  original --- original  fw2      port 3780, group .50
///        ours     --- ours               port 3781, group .51
/// </code>
/// The sets are those of the shared samples: modes, links, caches and filters as there.
/// </remarks>
public sealed partial class SideBySideTests
{
    private static readonly string[] s_requests =
    [
        "-i", "-i -x", "-i ct", "-i expect", "-i expect -x", "-e", "-e -x", "-e expect",
        "-e expect -x", "-s", "-s ct", "-s network", "-s cache", "-s runtime", "-s link",
        "-s multicast", "-s rsqueue", "-s process", "-s queue", "-s expect",
    ];

    private static readonly string[] s_added = ["sandbox:\n", "queue controlq:\n"];

    [LabFact]
    public void Reliable_mode_over_two_links_with_real_ftp() => Compare(
        "FTFW { ResendQueueSize 131072 ACKWindowSize 300 PurgeTimeout 60 }", "UDP",
        "Userspace { Protocol Ignore { IGMP } ", expectations: true);

    [LabFact]
    public void Alarm_mode_over_multicast() => Compare(
        "ALARM { RefreshTime 5 CacheTimeout 100 }", "Multicast",
        "Kernelspace { Protocol Accept { TCP UDP ICMP IPv6-ICMP SCTP } ", expectations: true);

    /// <summary>
    /// One firewall only: pairs that inject would play each other's echoes to and fro.
    /// </summary>
    [LabFact]
    public void Best_effort_mode_without_caches_over_tcp() => Compare(
        "NOTRACK { DisableInternalCache on DisableExternalCache on }", "TCP",
        "Kernelspace { Protocol Accept { TCP UDP ICMP IPv6-ICMP SCTP } ", expectations: true,
        firewalls: 1);

    [LabFact]
    public void Best_effort_mode_over_multicast() => Compare(
        "NOTRACK { StartupResync on }", "Multicast",
        "Kernelspace { Protocol Accept { TCP UDP ICMP IPv6-ICMP SCTP } ", expectations: false);

    private static void Compare(
        string mode, string link, string filter, bool expectations, int firewalls = 2)
    {
        if (!Requirements.HasOriginal) { return; }
        using var lab = new Lab();
        using var ftp = new FtpLab(lab);
        for (int firewall = 1; firewall <= firewalls; firewall++)
        {
            lab.Run(firewall, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1",
                "net.netfilter.nf_conntrack_timestamp=1").Checked();
        }
        DaemonConfig Config(int pair) => new()
        {
            Text = path => ConfigOf(mode, link, filter, expectations, pair, path),
        };
        DaemonProcess[] original =
            Start(lab, firewalls, "c", Requirements.Original, Config(0));
        DaemonProcess[] ours = Start(lab, firewalls, "o", Requirements.Binary, Config(1));
        foreach (FlowKind kind in FlowKinds.All)
        {
            lab.Run(1, "conntrack", kind.CreateArguments).Checked();
        }
        InOneZone(lab, "-s 10.50.8.1 --orig-zone 11");
        InOneZone(lab, "-s 10.50.8.2 --reply-zone 12");
        using FtpClient client = ftp.Connect(ipv6: false), second = ftp.Connect(ipv6: true);
        // Passive: a rewritten PORT makes ours read the flow again, which tells more.
        Assert.NotEmpty(client.Tell("open") + client.Tell("pasv"));
        Assert.NotEmpty(second.Tell("open") + second.Tell("pasv"));
        AssertSame(original, ours);
        // What is read from the kernel bears more: marks of 0, ages.
        Assert.Equal("", original[0].Tell("-R") + ours[0].Tell("-R"));
        Assert.Equal("", original[0].Tell("-B") + ours[0].Tell("-B"));
        AssertSame(original, ours);
        // Expectations count as a table of their own, where they are replicated.
        Assert.Equal("", original[0].Tell("-F") + ours[0].Tell("-F"));
        Wait.Until("both have counted the flushes", 5,
            () => original[0].Counter("runtime", "flush kernel table") == (expectations ? 2 : 1)
                && ours[0].Counter("runtime", "flush kernel table") == (expectations ? 2 : 1));
        Assert.All(original.Concat(ours), daemon => Assert.Equal("", daemon.Tell("-k")));
    }

    private static void InOneZone(Lab lab, string zone) => lab.Run(1, "conntrack",
        [.. ("-I -p tcp -d 10.60.0.1 --sport 7 --dport 8 --state ESTABLISHED "
            + $"-u SEEN_REPLY,ASSURED -t 3000 {zone}").Split(' ')]).Checked();

    private static DaemonProcess[] Start(
        Lab lab, int firewalls, string name, string binary, DaemonConfig config) =>
        [.. Enumerable.Range(1, firewalls).Select(
            firewall => new DaemonProcess(lab, firewall, binary, config, name).Start())];

    /// <summary>Asks until the answers are equal; both may be on their way to the same.</summary>
    private static void AssertSame(DaemonProcess[] original, DaemonProcess[] ours)
    {
        for (int firewall = 0; firewall < ours.Length; firewall++)
        {
            foreach (string request in s_requests)
            {
                // The original lists the kernel's table without XML, whatever is asked for, and
                // no expectations then.
                if (ours.Length == 1 && request is ("-i -x" or "-i expect" or "-i expect -x"))
                {
                    continue;
                }
                string expected = "", found = "";
                try
                {
                    Wait.Until("the answers are equal", 8, () =>
                    {
                        expected = Answer(original[firewall], original[firewall], request);
                        found = Answer(ours[firewall], ours[firewall], request);
                        return expected == found;
                    });
                }
                catch (TimeoutException)
                {
                    Assert.Fail($"fw{firewall + 1} {request}\n--- original\n{expected}\n--- ours\n"
                        + $"{found}\n{ours[firewall].Log}");
                }
                Assert.Equal(expected, Answer(original[firewall], ours[firewall], request));
                Assert.Equal(expected, Answer(ours[firewall], original[firewall], request));
            }
        }
    }

    /// <summary>What a client of one kind gets from a daemon of another.</summary>
    private static string Answer(DaemonProcess client, DaemonProcess daemon, string request)
    {
        CommandResult result = client.AskOther(daemon, request.Split(' '));
        string output = result.Output;
        // What ours adds stands behind all that the original says.
        foreach (string added in s_added)
        {
            int at = output.IndexOf(added, StringComparison.Ordinal);
            if (at >= 0) { output = output[..at]; }
        }
        string[] lines = [.. output.Split('\n').Select(Masked)];
        if (!request.StartsWith("-s", StringComparison.Ordinal))
        {
            Array.Sort(lines, StringComparer.Ordinal);
        }
        return $"{result.ExitCode}\n" + string.Join('\n', lines);
    }

    /// <summary>
    /// Times are cut out, and so are counts of traffic, but not how wide they are.
    /// </summary>
    private static string Masked(string line)
    {
        if (line.StartsWith("current active", StringComparison.Ordinal)) { return line; }
        line = Ages().Replace(line, "$1N");
        line = KernelTimeouts().Replace(line, "$1 N ");
        return Columns().Replace(line, match => new string('#', match.Length));
    }

    [GeneratedRegex(@"(active since |expires in |delta-time=|<deltatime>| use="
        + @"| packets=| bytes=|<packets>|<bytes>)\d+")]
    private static partial Regex Ages();

    [GeneratedRegex(@"^(\w+ +\d+) \d+ ")]
    private static partial Regex KernelTimeouts();

    [GeneratedRegex(@"(?<=[\t/]|recv|Bytes|Pckts|sent|^) {3,}\d+")]
    private static partial Regex Columns();

    private static string ConfigOf(
        string mode, string link, string filter, bool expectations, int pair, string path) => $$"""
        Sync {
            Mode {{mode}}
            {{Link(link, path, 33, pair)}}
            {{(link == "UDP" ? Link(link, path, 34, pair) : "")}}
            Options { TCPWindowTracking off ExpectationSync {{(expectations ? "on" : "off")}} }
        }
        General {
            HashSize 32768
            HashLimit 65535
            LogFile {{path}}.log
            LockFile {{path}}.lock
            UNIX { Path {{path}}.ctl }
            NetlinkBufferSize 2097152
            NetlinkBufferSizeMaxGrowth 8388608
            Filter From {{filter}}
                Address Ignore {
                    IPv4_address 127.0.0.1
                    IPv4_address 10.33.0.0/24
                    IPv4_address 10.34.0.0/24
                    IPv6_address ::1
                    IPv6_address fe80::/10
                }
            }
        }

        """;

    private static string Link(string kind, string path, int network, int pair)
    {
        int firewall = path[^2] - '0';
        string device = network == 33 ? "sync" : "sync2";
        return kind == "Multicast"
            ? $"Multicast {{ IPv4_address 225.0.{network}.{50 + pair} Group {3780 + pair} "
                + $"IPv4_interface 10.{network}.0.{firewall} Interface {device} }}"
            : $"{kind} {{ IPv4_address 10.{network}.0.{firewall} "
                + $"IPv4_Destination_Address 10.{network}.0.{3 - firewall} "
                + $"Port {3780 + pair} Interface {device} }}";
    }
}
