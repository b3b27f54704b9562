using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Requests that change something, from a client of either kind to a daemon of either kind. Those
/// that only ask are in <see cref="SideBySideTests"/>.
/// </summary>
/// <remarks><code>
///   fw1  original        fw2  ours        linked to nobody: each has a port of its own
/// </code></remarks>
public sealed partial class ForeignClientTests
{
    // The last one calls off what the one before has begun.
    private static readonly string[] s_requests =
    [
        "-c", "-c ct", "-c expect", "-R", "-R ct", "-R expect", "-B", "-n", "-f", "-f internal",
        "-f external", "-F", "-F ct", "-F expect", "-t", "-c",
    ];

    [MixedPairsFact]
    public void Every_request_does_the_same_whoever_asks_whom()
    {
        using var lab = new Lab();
        DaemonProcess original = Start(lab, 1, Requirements.Original);
        DaemonProcess ours = Start(lab, 2, Requirements.Binary);
        List<string> expected = Done(original, original);
        Assert.All(s_requests, request => Assert.Contains(expected, line => line == request));
        Assert.True(expected.Count >= 2 * s_requests.Length, string.Join('\n', expected));
        Assert.Equal(expected, Done(original, ours));
        Assert.Equal(expected, Done(ours, original));
        Assert.Equal(expected, Done(ours, ours));
        foreach ((DaemonProcess client, DaemonProcess daemon) in
            new[] { (ours, original), (original, ours) })
        {
            CommandResult kill = client.AskOther(daemon, "-k");
            Assert.Equal((0, "", ""), (kill.ExitCode, kill.Output, kill.Error));
            Wait.Until("it has ended", 5, () => !daemon.IsRunning);
            Assert.Equal(0, daemon.ExitCode);
        }
    }

    private static DaemonProcess Start(Lab lab, int firewall, string binary) => new DaemonProcess(
        lab, firewall, binary, new DaemonConfig
        {
            ExpectationSync = true,
            LinkMore = firewall => $"Port {3780 + firewall}",
        }).Start();

    /// <summary>Each request with the lines that the daemon has logged because of it.</summary>
    private static List<string> Done(DaemonProcess client, DaemonProcess daemon)
    {
        var done = new List<string>();
        foreach (string request in s_requests)
        {
            int before = Logged(daemon).Length;
            CommandResult result = client.AskOther(daemon, request.Split(' '));
            Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
            done.Add(request);
            done.AddRange(Logged(daemon).Skip(before));
            // The original has one child that flushes, and is silent on a request for another.
            Wait.Until("no flush runs", 5, () => !daemon.IsOriginal
                || daemon.Tell("-s", "process") == "");
        }
        return done;
    }

    // Ours also says what came of a flush, at any time.
    private static string[] Logged(DaemonProcess daemon) =>
        [.. File.ReadAllLines(daemon.BasePath + ".log")
            .Select(line => Varying().Replace(line, ""))
            .Where(line => !line.StartsWith("flushed ", StringComparison.Ordinal))];

    [GeneratedRegex(@"^\[.*?\] \(pid=\d+\) \[\w+\] |\d+\.\d+ (?=seconds)")]
    private static partial Regex Varying();
}
