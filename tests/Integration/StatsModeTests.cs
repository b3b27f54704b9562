using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Statistics mode against the real kernel: what is logged is what the original logs, compared
/// line by line with the C daemon in the same namespace.
/// </summary>
public sealed class StatsModeTests
{
    private static DaemonConfig Config(string stats, string general = "") => new()
    {
        Text = path => $$"""
            General {
                {{general}}
                LockFile {{path}}.lock
                UNIX {
                    Path {{path}}.ctl
                }
                NetlinkBufferSize 4194304
                NetlinkBufferSizeMaxGrowth 8388608
            }
            Stats {
                {{stats.Replace("%", path, StringComparison.Ordinal)}}
            }

            """,
    };

    [LabFact]
    public void Ended_flows_are_logged_as_the_original_logs_them()
    {
        if (!Requirements.HasOriginal) { return; }
        using var lab = new Lab();
        lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1",
            "net.netfilter.nf_conntrack_timestamp=1").Checked();
        DaemonProcess original = Start(lab, "original", Requirements.Original);
        DaemonProcess ours = Start(lab, "ours", Requirements.Binary);
        MakeAndEndFlows(lab);
        string[] expected = [], found = [];
        Wait.Until("both have logged every flow", 5, () =>
        {
            (expected, found) = (Logged(original), Logged(ours));
            return expected.Length == found.Length && found.Length >= FlowKinds.All.Count;
        });
        Assert.Equal(Untimed(expected), Untimed(found));
        Assert.All(found, line => Assert.Matches(
            @"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\t", line));
        Assert.Equal(original.Tell("-s"), ours.Tell("-s"));
        Assert.Equal(0, ours.Stop());
        original.Tell("-k");
    }

    [LabFact]
    public void Ended_flows_are_logged_as_json_lines_if_the_section_says_so()
    {
        using var lab = new Lab();
        lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1",
            "net.netfilter.nf_conntrack_timestamp=1").Checked();
        DaemonProcess daemon = new DaemonProcess(
            lab, 1, Requirements.Binary, Config("LogFile %.flows LogFormat json")).Start();
        MakeAndEndFlows(lab);
        Wait.Until("every flow is logged", 5, () => Logged(daemon).Length >= FlowKinds.All.Count);
        JsonElement[] ended =
            [.. Logged(daemon).Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement gre = ended.Single(flow => flow.GetProperty("protocol").ValueEquals("gre"));
        Assert.Equal(5, gre.GetProperty("original").GetProperty("source_key").GetInt32());
        Assert.Equal(0, gre.GetProperty("original").GetProperty("packets").GetInt32());
        Assert.Equal(0, gre.GetProperty("reply").GetProperty("bytes").GetInt32());
        Assert.All(ended, flow => Assert.InRange(flow.GetProperty("age_seconds").GetInt32(), 0, 9));
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.All(ended,
            flow => Assert.InRange(flow.GetProperty("time").GetInt64(), now - 9, now));
    }

    [LabFact]
    public void Requests_do_what_the_table_of_statistics_mode_says()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, Config("LogFile %.flows"));
        daemon.Start();
        Create(lab, FlowKinds.All[0]);
        Wait.Until("the flow is shown", 5, () => daemon.Tell("-i").Contains("10.50.0.1"));
        Assert.StartsWith("<flow><meta", daemon.Tell("-i", "-x"));
        Assert.StartsWith("cache:stats\tactive objects:", daemon.Tell("-s", "cache"));
        Assert.StartsWith("daemon uptime: 0 min\n", daemon.Tell("-s", "runtime"));
        string[] silent = ["-e", "-c", "-B", "-n", "-t"];
        Assert.All(silent, word => Assert.Equal("", daemon.Tell(word)));
        string[] empty = ["network", "link", "queue", "rsqueue", "expect"];
        Assert.All(empty, topic => Assert.Equal("", daemon.Tell("-s", topic)));
        Assert.Equal("", daemon.Tell("-f"));
        Assert.Equal("", daemon.Tell("-i"));
        Assert.Equal("", daemon.Tell("-R"));
        Assert.Contains("10.50.0.1", daemon.Tell("-i"));
        Assert.False(HasLogged(daemon));
        Assert.Equal("", daemon.Tell("-F"));
        Wait.Until("the flow is logged", 5, () => HasLogged(daemon));
        daemon.Tell("-k");
        Wait.Until("the daemon has ended", 5, () => !daemon.IsRunning);
        Assert.Equal(0, daemon.ExitCode);
    }

    [LabFact]
    public void Ends_are_found_by_polling_too()
    {
        using var lab = new Lab();
        DaemonProcess daemon = new DaemonProcess(
            lab, 1, Requirements.Binary, Config("LogFile %.flows", "PollSecs 1")).Start();
        Create(lab, FlowKinds.All[0]);
        Wait.Until("the flow is shown", 5, () => daemon.Tell("-i").Contains("10.50.0.1"));
        Wait.Until("it was seen again and again", 8,
            () => daemon.Counter("cache", "update OK/failed") >= 4);
        Assert.False(HasLogged(daemon));
        lab.Run(1, "conntrack", "-F").Checked();
        Wait.Until("the flow is logged", 5, () => HasLogged(daemon));
        Assert.Equal(0, daemon.Counter("runtime", "events received"));
        Assert.Equal(1, daemon.Counter("cache", "creation OK/failed"));
    }

    [LabTheory]
    [InlineData("")]
    [InlineData("Helper {\n}")]
    public void Without_sections_an_idle_daemon_answers_and_stops(string more)
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig
        {
            Text = path => "General {\n" + $"LockFile {path}.lock\n"
                + "UNIX {\n" + $"Path {path}.ctl\n" + "}\n}\n" + $"{more}\n",
        });
        daemon.Launch();
        Wait.Until("it answers", 10, () => daemon.Ask("-s", "runtime").Output.Length > 0);
        string[] words = ["-i", "-e", "-s", "-c", "-f", "-F", "-R", "-B", "-n", "-t"];
        Assert.All(words, word => Assert.Equal("", daemon.Tell(word)));
        Assert.StartsWith("sandbox:\n", daemon.Tell("-s", "process"));
        daemon.Tell("-k");
        Wait.Until("the daemon has ended", 5, () => !daemon.IsRunning);
        Assert.Equal(0, daemon.ExitCode);
        Assert.False(File.Exists(daemon.LockPath));
    }

    private static DaemonProcess Start(Lab lab, string name, string binary) =>
        new DaemonProcess(lab, 1, binary, Config("LogFile %.flows"), name).Start();

    private static void MakeAndEndFlows(Lab lab)
    {
        foreach (FlowKind kind in FlowKinds.All) { Create(lab, kind); }
        lab.Run(1, "conntrack", "-F").Checked();
        // Real packets: counters that are not zero.
        lab.Run(1, "python3", "-c", "import socket; socket.socket(2, 2).sendto(b'x' * 100, "
            + $"('{Lab.SyncAddress(2)}', 9))").Checked();
        lab.Run(1, "conntrack", "-F").Checked();
    }

    private static void Create(Lab lab, FlowKind kind) =>
        lab.Run(1, "conntrack", kind.CreateArguments).Checked();

    private static bool HasLogged(DaemonProcess daemon) =>
        Logged(daemon).Any(line => line.Contains("10.50.0.1", StringComparison.Ordinal));

    private static string[] Logged(DaemonProcess daemon) =>
        File.Exists(daemon.BasePath + ".flows")
            ? File.ReadAllLines(daemon.BasePath + ".flows") : [];

    // The second may change between the two daemons' reading the same event.
    private static List<string> Untimed(string[] lines) =>
        [.. lines.Select(line => line[(line.IndexOf('\t') + 1)..])];
}
