using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// What the original printed and logged, file by file, against ours in the same state. The state
/// is made again on the real kernel; times and the kernel's ids are cut out, counters are not.
/// </summary>
/// <remarks>
/// The files are what conntrackd 1.4.7 answered on Linux 6.18; their name is the request.
/// </remarks>
public sealed partial class SampleTests
{
    private const double Seconds = 5;

    /// <summary>
    /// Two flows of three are there before the daemon, others begin later, all end.
    /// </summary>
    [LabTheory]
    [InlineData("stats-acct0", 0)]
    [InlineData("stats-acct1", 1)]
    public void Statistics_mode(string set, int accounting)
    {
        using var lab = new Lab();
        // Flows that are made while nobody listens tell of changes only if the kernel is asked to.
        lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_events=1",
            $"net.netfilter.nf_conntrack_acct={accounting}",
            $"net.netfilter.nf_conntrack_timestamp={accounting}").Checked();
        string[] log = [.. Lines(set, "conntrackd-stats.log").Select(AfterTab)];
        string[] before = Lines(set, "a.i-populated.out"), all = Lines(set, "a.i.out");
        var network = new SampleNetwork(lab, log);
        network.Make(before);
        DaemonProcess daemon = new DaemonProcess(lab, 1, Requirements.Binary, StatsConfig).Start();
        AssertSample(set, daemon, "a.i-populated", "-i");

        network.Make(all.ExceptBy(before.Select(SampleNetwork.Identity), SampleNetwork.Identity));
        AssertSample(set, daemon, "a.s", "-s");
        AssertSample(set, daemon, "a.i", "-i");
        AssertSample(set, daemon, "a.i-xml", "-i", "-x");
        AssertSample(set, daemon, "a.s-cache", "-s", "cache");
        AssertSample(set, daemon, "a.s-runtime", "-s", "runtime");
        AssertSilent(daemon, "-e", "-s process", "-s network", "-i expect");

        // Here -f followed, which does nothing in the original and empties the cache in ours.
        network.End(all);
        AssertSample(set, daemon, "a.s-after-f", "-s");
        lab.Run(1, "conntrack", "-F").Checked();
        AssertSample(set, daemon, "a.s-after-del", "-s");
        AssertSilent(daemon, "-f internal");
        AssertSample(set, daemon, "a.s-after-fint", "-s");
        AssertSilent(daemon, "-F", "-R", "-t", "-n", "-c", "-k");
        Wait.Until("the daemon has ended", Seconds, () => !daemon.IsRunning);
        Assert.Equal(0, daemon.ExitCode);
        Assert.Equal(Masked(log), Masked(
            [.. File.ReadAllLines(daemon.BasePath + ".flows").Select(AfterTab)]));
        Assert.Equal(
            Lines(set, "conntrackd.log").Select(Untimed),
            File.ReadAllLines(daemon.BasePath + ".log").Select(Untimed).Where(IsOriginals));
    }

    private static DaemonConfig StatsConfig => new()
    {
        Text = path => $$"""
            General {
                HashSize 8192
                HashLimit 65535
                LogFile {{path}}.log
                LockFile {{path}}.lock
                UNIX {
                    Path {{path}}.ctl
                }
                NetlinkBufferSize 262142
                NetlinkBufferSizeMaxGrowth 655355
            }
            Stats {
                LogFile {{path}}.flows
            }

            """,
    };

    /// <summary>Asks until the answer is the sample's; events may be on their way.</summary>
    private static void AssertSample(
        string set, DaemonProcess daemon, string name, params string[] request)
    {
        string[] expected = Masked(Lines(set, name + ".out")), found = [];
        try
        {
            Wait.Until("the answer is the sample's", Seconds, () =>
            {
                found = Masked(Answer(daemon, request));
                return expected.SequenceEqual(found);
            });
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{name}: missing\n{string.Join('\n', expected.Except(found))}\nfound\n"
                + string.Join('\n', found.Except(expected))
                + $"\n{expected.Length} and {found.Length} lines\n{daemon.Log}");
        }
    }

    /// <summary>The samples of these requests are empty files.</summary>
    private static void AssertSilent(DaemonProcess daemon, params string[] requests) =>
        Assert.All(requests, request => Assert.Empty(Answer(daemon, request.Split(' '))));

    // What ours adds to -s process stands behind all that the original says.
    private static string[] Answer(DaemonProcess daemon, string[] request)
    {
        string text = daemon.Tell(request);
        int added = text.IndexOf("sandbox:\n", StringComparison.Ordinal);
        return ToLines(added < 0 ? text : text[..added]);
    }

    private static string[] Lines(string set, string file) => ToLines(File.ReadAllText(Path.Combine(
        AppContext.BaseDirectory, "Integration", "samples", set, file)));

    private static string[] ToLines(string text)
    {
        Assert.True(text.Length == 0 || text[^1] == '\n', "no line feed at the end");
        return text.Length == 0 ? [] : text[..^1].Split('\n');
    }

    // Tables are walked in any order, so flows are sorted; statistics are not.
    private static string[] Masked(string[] lines)
    {
        string[] masked = [.. lines.Select(line => Times().Replace(line, "$1N"))];
        if (masked.Any(line => line.Contains("src", StringComparison.Ordinal)))
        {
            Array.Sort(masked, StringComparer.Ordinal);
        }
        return masked;
    }

    private static string AfterTab(string line) => line[(line.IndexOf('\t') + 1)..];

    // The test runs it in the foreground, the sample was taken in the background.
    private static string Untimed(string line) => LogHead().Replace(line, "")
        .Replace(" console mode ", " daemon mode ", StringComparison.Ordinal);

    // Ours tells besides what a flush took away.
    private static bool IsOriginals(string line) =>
        !line.StartsWith("[notice] flushed ", StringComparison.Ordinal);

    [GeneratedRegex(@"(active since |expires in |delta-time=|<deltatime>|<id>)\d+")]
    private static partial Regex Times();

    [GeneratedRegex(@"^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] \(pid=\d+\) ")]
    private static partial Regex LogHead();
}
