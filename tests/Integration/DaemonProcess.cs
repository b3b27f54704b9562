using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>One daemon on one firewall of a lab: started, asked, stopped, frozen, killed.</summary>
internal sealed class DaemonProcess
{
    private const int StartSeconds = 10, StopSeconds = 10;

    private readonly Lab _lab;
    private readonly string _binary;
    private Process? _process;

    /// <summary>The name tells several daemons of one firewall apart.</summary>
    internal DaemonProcess(
        Lab lab, int firewall, string binary, DaemonConfig config, string name = "")
    {
        _lab = lab;
        _binary = binary;
        Wrapper = config.Wrapper;
        Firewall = firewall;
        BasePath = lab.PathOf($"fw{firewall}{name}");
        string text = config.Render(firewall, BasePath);
        File.WriteAllText(ConfigPath, text + Sandbox(config));
        File.WriteAllText(BasePath + ".foreign.conf", text);
    }

    internal int Firewall { get; }

    internal bool IsOriginal => _binary == Requirements.Original;

    /// <summary>The start of the names of all its files.</summary>
    internal string BasePath { get; }

    internal string ConfigPath => BasePath + ".conf";

    internal string SocketPath => BasePath + ".ctl";

    internal string LockPath => BasePath + ".lock";

    /// <summary>Environment of the daemon, NAME=value each.</summary>
    internal string[] Variables { get; init; } = [];

    /// <summary>Program with arguments that starts the daemon in its own place.</summary>
    internal string[] Wrapper { get; init; }

    internal bool IsRunning => _process is { HasExited: false };

    internal int ProcessId => _process!.Id;

    internal int ExitCode => _process!.ExitCode;

    /// <summary>Memory that it occupies.</summary>
    internal long ResidentKilobytes => long.Parse(
        Regex.Match(File.ReadAllText($"/proc/{ProcessId}/status"), @"VmRSS:\s+(\d+)")
            .Groups[1].Value, CultureInfo.InvariantCulture);

    /// <summary>What it printed and what it logged, for messages of failed assertions.</summary>
    /// <remarks>In the foreground both hold the same lines, each is wanted once.</remarks>
    internal string Log => $"daemon of fw{Firewall}, {_binary}:\n" + string.Join(
        '\n', LinesOf(BasePath + ".out").Union(LinesOf(BasePath + ".log")));

    /// <summary>Starts the daemon and waits until it answers.</summary>
    internal DaemonProcess Start()
    {
        Launch();
        AwaitAnswer();
        return this;
    }

    /// <summary>Waits until the daemon that was launched answers.</summary>
    internal void AwaitAnswer() => Wait.Until($"fw{Firewall} answers -s", StartSeconds, () =>
    {
        if (!IsRunning)
        {
            throw new InvalidOperationException(
                $"ended with exit status {_process?.ExitCode}: {Log}");
        }
        return Ask("-s") is { ExitCode: 0, Output.Length: > 0 };
    });

    /// <summary>Waits until both connections of a TCP link are there.</summary>
    /// <remarks>
    /// An original that starts before its peer listens tries again after seconds, keeps 128
    /// datagrams meanwhile and drops the rest: its peer would have to ask for all (StartupResync).
    /// </remarks>
    internal void AwaitConnected() => Wait.Until(
        $"fw{Firewall} is connected", StartSeconds, () => Tell("-s", "network"),
        text => text.Contains(" server=connected client=connected", StringComparison.Ordinal));

    /// <summary>Starts the daemon and waits until it has given up.</summary>
    internal CommandResult StartInVain() => Ask();

    internal void Launch() =>
        _process = _lab.Start(
            Firewall, BasePath + ".out", "env",
            [.. Variables, .. Wrapper, _binary, "-C", ConfigPath]);

    /// <summary>A client command, for example "-e"; the result is not checked.</summary>
    internal CommandResult Ask(params string[] arguments) =>
        _lab.Run(Firewall, _binary, ["-C", ConfigPath, .. arguments]);

    /// <summary>A client of this kind asks another daemon, by words that both kinds know.</summary>
    internal CommandResult AskOther(DaemonProcess daemon, params string[] arguments) =>
        _lab.Run(
            Firewall, _binary, ["-C", daemon.BasePath + ".foreign.conf", .. arguments]);

    /// <summary>As <see cref="Ask"/>, without waiting; its output is in the file .client.</summary>
    internal Process StartAsking(params string[] arguments) =>
        _lab.Start(Firewall, BasePath + ".client", _binary, ["-C", ConfigPath, .. arguments]);

    internal string Tell(params string[] arguments) => Ask(arguments).Checked().Output;

    /// <summary>Ends it in order (SIGTERM) and returns its exit status.</summary>
    internal int Stop()
    {
        Signal("TERM");
        Process process = _process!;
        if (!process.WaitForExit(TimeSpan.FromSeconds(StopSeconds)))
        {
            throw new TimeoutException($"does not stop: {Log}");
        }
        return process.ExitCode;
    }

    internal void Kill()
    {
        Signal("KILL");
        _process!.WaitForExit();
    }

    /// <summary>Stops the clock of the daemon; events pile up meanwhile.</summary>
    internal void Freeze() => Signal("STOP");

    internal void Thaw() => Signal("CONT");

    /// <summary>Changes the configuration file; the daemon is not told.</summary>
    internal void Rewrite(string now, string then)
    {
        string text = File.ReadAllText(ConfigPath);
        Assert.Contains(now, text, StringComparison.Ordinal);
        File.WriteAllText(ConfigPath, text.Replace(now, then, StringComparison.Ordinal));
    }

    /// <summary>The number behind a label in one of the statistics.</summary>
    internal long Counter(string topic, string label)
    {
        string text = Tell("-s", topic);
        Match match = Regex.Match(text, Regex.Escape(label) + @":?\s+(\d+)");
        return match.Success
            ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"no '{label}' in -s {topic}:\n{text}");
    }

    /// <summary>What the active link carried: "Bytes sent", "Pckts recv" and so on.</summary>
    internal long Traffic(string what)
    {
        string text = Tell("-s", "network");
        return long.Parse(
            Regex.Match(text, @"(\d+) " + what).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    internal void Signal(string name) =>
        Shell.Run("kill", "-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture));

    // A call that is not on the daemon's list ends it, and so the test.
    private string Sandbox(DaemonConfig config) =>
        _binary == Requirements.Original
            || config.General.Contains("Sandbox", StringComparison.Ordinal)
            || config.General.Contains("Command", StringComparison.Ordinal)
            ? "" : "General {\n    Sandbox { SystemCalls Kill }\n}\n";

    private static string[] LinesOf(string path) =>
        File.Exists(path) ? File.ReadAllLines(path) : [];
}
