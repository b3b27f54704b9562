using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>The forms of answers that the original does not have (docs/output.md).</summary>
public sealed class OutputFormTests
{
    [LabFact]
    public void Dumps_and_statistics_are_json_lines_and_external_flows_show_nat()
    {
        using var pair = new Pair(Pairs.OursOurs, "udp");
        foreach (FlowKind kind in FlowKinds.All)
        {
            pair.Lab.Run(1, "conntrack", kind.CreateArguments).Checked();
        }
        // A flow that is known to be translated: its source becomes the sync address.
        pair.Lab.Run(1, "conntrack", "-I", "-p", "tcp", "-s", "10.50.9.9", "-d", "10.60.0.1",
            "--sport", "1000", "--dport", "80", "--state", "ESTABLISHED",
            "-u", "SEEN_REPLY,ASSURED", "-t", "3000", "-n", "203.0.113.5").Checked();
        Wait.Until("the peer has them", 10, () => pair.Backup.Tell("-e").Contains("10.50.9.9"));
        List<JsonElement> inner = Lines(pair.Active.Tell("-i", "-o", "json"));
        Assert.Equal(pair.Active.Tell("-i").Count(c => c == '\n'), inner.Count);
        List<JsonElement> outer = Lines(pair.Backup.Tell("-e", "-o", "json"));
        JsonElement translated = outer.Single(
            flow => flow.GetProperty("original").GetProperty("source").GetString() == "10.50.9.9");
        Assert.Equal("tcp", translated.GetProperty("protocol").GetString());
        Assert.Equal("ESTABLISHED", translated.GetProperty("state").GetString());
        Assert.Equal("203.0.113.5",
            translated.GetProperty("nat").GetProperty("source").GetString());
        Assert.Equal("203.0.113.5",
            translated.GetProperty("reply").GetProperty("destination").GetString());
        Assert.Equal(80,
            translated.GetProperty("original").GetProperty("destination_port").GetInt32());
        string line = pair.Backup.Tell("-e", "-o", "extended").Split('\n')
            .Single(text => text.Contains("src=10.50.9.9 ", StringComparison.Ordinal));
        Assert.StartsWith("ipv4     2 tcp      6 ESTABLISHED src=10.50.9.9 ", line);
        Assert.Contains("src=10.60.0.1 dst=203.0.113.5 ", line);
        Assert.Contains(" [SNAT] [active since ", line);
        CheckStatistics(pair.Active);
    }

    [LabFact]
    public void Without_internal_cache_the_kernels_table_is_listed()
    {
        using var lab = new Lab();
        DaemonProcess daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig
        {
            Mode = "NOTRACK { DisableInternalCache on }",
        }).Start();
        foreach (FlowKind kind in FlowKinds.All)
        {
            lab.Run(1, "conntrack", kind.CreateArguments).Checked();
        }
        List<JsonElement> flows = Lines(daemon.Tell("-i", "-o", "json"));
        Assert.Equal(FlowKinds.All.Count, flows.Count);
        Assert.All(flows, flow => Assert.True(flow.TryGetProperty("original", out _)));
        Assert.All(flows, flow => Assert.False(flow.TryGetProperty("active_seconds", out _)));
        string text = daemon.Tell("-i", "-o", "extended");
        Assert.Equal(FlowKinds.All.Count, text.Count(c => c == '\n'));
        Assert.All(
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.StartsWith("ipv", line));
        Assert.Equal("bypass", Lines(daemon.Tell("-s", "-o", "json"))[0]
            .GetProperty("type").GetString());
        Assert.Equal("", daemon.Tell("-e", "-o", "json"));
    }

    private static void CheckStatistics(DaemonProcess daemon)
    {
        string[] topics =
            ["ct", "network", "cache", "runtime", "link", "rsqueue", "process", "queue", "expect"];
        foreach (string topic in topics)
        {
            foreach (JsonElement line in Lines(daemon.Tell("-s", topic, "-o", "json")))
            {
                Assert.NotNull(line.GetProperty("type").GetString());
            }
        }
        Assert.Equal(["cache", "cache", "traffic", "link", "messages", "peer"], Types(daemon));
        Assert.Equal(["runtime", "loop"], Types(daemon, "runtime"));
        Assert.Contains("\nevent loop:\n\tturns:", daemon.Tell("-s", "runtime", "-o", "extended"),
            StringComparison.Ordinal);
        Assert.DoesNotContain("turns:", daemon.Tell("-s", "runtime"), StringComparison.Ordinal);
        string peer = $"peer {Lab.SyncAddress(2)} status=ALIVE sync=IN-SYNC:\n";
        Wait.Until("the peer is in sync", 5,
            () => daemon.Tell("-s", "-o", "ext").Contains(peer, StringComparison.Ordinal));
        string text = daemon.Tell("-s", "-o", "ext");
        Assert.StartsWith("cache internal:\n", text);
        Assert.DoesNotContain("peer ", daemon.Tell("-s"), StringComparison.Ordinal);
        // Without a request to change, or with a form that there is not: a usage error.
        Assert.Equal(1, daemon.Ask("-o", "json").ExitCode);
        Assert.Equal(1, daemon.Ask("-i", "-o", "yaml").ExitCode);
        Assert.Equal(1, daemon.Ask("-f", "-o", "json").ExitCode);
    }

    private static IEnumerable<string> Types(DaemonProcess daemon, params string[] topic) =>
        Lines(daemon.Tell(["-s", .. topic, "-o", "json"]))
            .Select(line => line.GetProperty("type").GetString()!);

    private static List<JsonElement> Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
}
