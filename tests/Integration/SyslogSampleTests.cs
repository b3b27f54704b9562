using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Where the end of a flow is told in statistics mode: the trials of the original, made with ours.
/// All lines are its own, in the log files and to syslog; the priority of the flow's may differ.
/// </summary>
public sealed partial class SyslogSampleTests
{
    private const double Seconds = 5;

    private static readonly string[] s_trials = File.ReadAllText(Path.Combine(
        AppContext.BaseDirectory, "Integration", "samples", "stats-syslog-trials.txt"))
        .Split("### ", StringSplitOptions.RemoveEmptyEntries);

    /// <remarks>
    /// A priority is eight times the facility and the level: 30 daemon.info, 158 local3.info,
    /// 174 local5.info. That of the original was 27, daemon.err; 14, user.info; or nothing.
    /// </remarks>
    [LabTheory]
    [InlineData(0, "Syslog on", "Syslog on", 27, 30)]
    [InlineData(1, "Syslog on", "", 27, 30)]
    [InlineData(2, "Syslog off", "Syslog on", null, 30)]
    [InlineData(3, "", "Syslog local3 LogFile %", 14, 158)]
    [InlineData(4, "LogFile %", "Syslog local3", 14, 158)]
    [InlineData(5, "Syslog local5", "Syslog local3 LogFile %", 174, 174)]
    [InlineData(6, "LogFile %", "LogFile %", null, null)]
    public void An_ended_flow_is_told(
        int trial, string general, string stats, int? originalPriority, int? priority)
    {
        using var lab = new Lab();
        lab.Run(1, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1",
            "net.netfilter.nf_conntrack_timestamp=1").Checked();
        using var syslog = new SyslogSocket(lab.PathOf("dev"));
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, Config(general, stats, syslog));
        daemon.Start();
        string flow = Syslog(s_trials[0]).Single(IsFlow)["<27> ".Length..];
        new SampleNetwork(lab, []).Make([flow]);
        Wait.Until("it is known", Seconds, () => daemon.Tell("-i").Length > 0);
        lab.Run(1, "conntrack", "-F").Checked();
        Wait.Until("it has ended", Seconds, () => daemon.Tell("-i").Length == 0);
        daemon.Tell("-k");
        Wait.Until("the daemon has ended", Seconds, () => !daemon.IsRunning);

        string[] expected = Syslog(s_trials[trial]), found = [.. syslog.Read().Select(Untimed)];
        Assert.Equal(expected.Where(line => !IsFlow(line)), found.Where(line => !IsFlow(line)));
        Assert.Equal(Told(originalPriority, flow), expected.Where(IsFlow));
        Assert.Equal(Told(priority, flow), found.Where(IsFlow));
        Assert.Equal(
            LogFile(s_trials[trial], "conntrackd-stats.log"), LinesOf(daemon.BasePath + ".stats"));
        Assert.Equal(
            LogFile(s_trials[trial], "conntrackd.log"), LinesOf(daemon.BasePath + ".general"));
    }

    private static DaemonConfig Config(string general, string stats, SyslogSocket syslog) => new()
    {
        Wrapper = ["unshare", "-m", "sh", "-c",
            $"mount --bind {syslog.Device} /dev && exec \"$0\" \"$@\""],
        Text = path => $$"""
            General {
                {{general.Replace("%", path + ".general", StringComparison.Ordinal)}}
                LockFile {{path}}.lock
                UNIX {
                    Path {{path}}.ctl
                }
                NetlinkBufferSize 262142
                NetlinkBufferSizeMaxGrowth 655355
            }
            Stats {
                {{stats.Replace("%", path + ".stats", StringComparison.Ordinal)}}
            }

            """,
    };

    private static bool IsFlow(string line) => line.Contains(" src=", StringComparison.Ordinal);

    private static string[] Told(int? priority, string flow) =>
        priority is null ? [] : [$"<{priority}> {flow}"];

    // Lines of the trial end with $, and one that was told with its line feed has $ alone behind.
    private static string[] Syslog(string trial) =>
        [.. trial[..trial.IndexOf("-- logs:", StringComparison.Ordinal)].Split('\n')
            .Where(line => line.StartsWith('<')).Select(line => Untimed(line[..^1]))];

    private static string[] LogFile(string trial, string name)
    {
        int at = trial.IndexOf($"\n[{name}]\n", StringComparison.Ordinal);
        return at < 0 ? [] : [.. trial[at..].TrimEnd().Split('\n').Skip(2)
            .TakeWhile(line => !line.StartsWith("[conntrackd", StringComparison.Ordinal))
            .Select(line => Untimed(line[..^1].Replace("^I", "\t", StringComparison.Ordinal)))];
    }

    private static string[] LinesOf(string path) =>
        File.Exists(path) ? [.. File.ReadAllLines(path).Select(Untimed)] : [];

    // The trials ran in the background.
    private static string Untimed(string line) => Heads().Replace(line, "$1$2 ")
        .Replace("delta-time=1", "delta-time=0", StringComparison.Ordinal)
        .Replace(" console mode ", " daemon mode ", StringComparison.Ordinal);

    // Of syslog, of a log file, of a flow in a log file.
    [GeneratedRegex(@"^(<\d+>)\w{3} [ \d]\d [\d:]{8} conntrack-tools\[\d+\]: "
        + @"|^\[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\] \(pid=\d+\) "
        + @"|^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}(\t)")]
    private static partial Regex Heads();

    /// <summary>A /dev with the socket of the log daemon in it, which is the test's.</summary>
    private sealed class SyslogSocket : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Dgram, 0);

        internal SyslogSocket(string device)
        {
            Device = Directory.CreateDirectory(device).FullName;
            Shell.Run("mknod", Path.Combine(device, "null"), "c", "1", "3").Checked();
            _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(device, "log")));
        }

        internal string Device { get; }

        /// <summary>What has come; the kernel keeps ten at least.</summary>
        internal IEnumerable<string> Read()
        {
            byte[] buffer = new byte[2048];
            while (_listener.Available > 0)
            {
                yield return Encoding.UTF8.GetString(buffer, 0, _listener.Receive(buffer));
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
