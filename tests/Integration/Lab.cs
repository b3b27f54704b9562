using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Two firewalls with a sync link, or three, each in a network namespace of its own, and a
/// directory for their files.
/// </summary>
/// <remarks><code>
///   fw1  sync  10.33.0.1 fd33::1  ----  sync  10.33.0.2 fd33::2  fw2
///        sync2 10.34.0.1 fd34::1  ----  sync2 10.34.0.2 fd34::2
/// </code>
/// The flows of these tests are written into fw1's table; hosts that send real packets through
/// both firewalls are in packaging/demo. Namespaces are called ctd-it-PID-N-fw1 and -fw2. Dispose
/// ends everything that runs in them; what a killed test run left is removed by the next.
/// </remarks>
internal sealed partial class Lab : IDisposable
{
    /// <summary>Begins the name of every namespace and folder; the process id follows.</summary>
    internal const string Prefix = "ctd-it-";

    private const string NamespaceFolder = "/run/netns";
    private static int s_count;

    private readonly string _name;
    private readonly List<Process> _started = [];

    /// <param name="firewalls">Of three, "sync" is on a switch and "sync2" is not there.</param>
    internal Lab(int firewalls = 2)
    {
        Firewalls = firewalls;
        RemoveLeftOvers();
        _name = $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
        Folder = Directory.CreateTempSubdirectory(_name + ".").FullName;
        try
        {
            Build();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal int Firewalls { get; }

    internal string Folder { get; }

    internal static string SyncAddress(int firewall) => $"10.33.0.{firewall}";

    internal string Namespace(int firewall) => $"{_name}-fw{firewall}";

    private string Switch => _name + "-sw";

    internal string PathOf(string file) => Path.Combine(Folder, file);

    internal CommandResult Run(int firewall, string program, params string[] arguments) =>
        Shell.Run("ip", ["netns", "exec", Namespace(firewall), program, .. arguments]);

    /// <summary>Starts a program that stays, with its output appended to a file.</summary>
    /// <remarks>"ip" and the shell replace themselves: the process is the program's own.</remarks>
    internal Process Start(int firewall, string logPath, string program, params string[] arguments)
    {
        Process process = Shell.Start("ip", [
            "netns", "exec", Namespace(firewall), "sh", "-c",
            "exec \"$@\" >>\"$0\" 2>&1", logPath, program, .. arguments]);
        _started.Add(process);
        return process;
    }

    /// <summary>Drops so many of 100 datagrams at random, at every end of the link.</summary>
    internal void LoseDatagrams(int percent)
    {
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            Run(firewall, "nft", "add table ip loss; flush table ip loss; "
                + "add chain ip loss in { type filter hook input priority 0; }; "
                + "add rule ip loss in iifname sync "
                + (percent < 100 ? $"numgen random mod 100 < {percent} " : "") + "counter drop")
                .Checked();
        }
    }

    /// <summary>How many datagrams to a firewall were lost so.</summary>
    internal long LostDatagrams(int firewall)
    {
        string rules = Run(firewall, "nft", "list", "table", "ip", "loss").Checked().Output;
        return long.Parse(
            Regex.Match(rules, @"packets (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    internal string KernelListing(int firewall) =>
        Run(firewall, "conntrack", "-L", "-f", "ipv4").Checked().Output
        + Run(firewall, "conntrack", "-L", "-f", "ipv6").Checked().Output;

    public void Dispose()
    {
        foreach (Process process in _started)
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }
            process.Dispose();
        }
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            RemoveNamespace(Namespace(firewall));
        }
        RemoveNamespace(Switch);
        Directory.Delete(Folder, recursive: true);
    }

    private void Build()
    {
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            string name = Namespace(firewall);
            Ip("netns", "add", name);
            Ip("-n", name, "link", "set", "lo", "up");
            Run(firewall, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0").Checked();
            // Rules that look at the state switch connection tracking on, a NAT chain lets
            // translated flows be written into the table.
            Run(firewall, "nft", "-f", Path.Combine(
                Repository.Root, "packaging", "demo", "firewall.nft")).Checked();
        }
        if (Firewalls > 2)
        {
            ConnectAll();
            return;
        }
        Connect("sync");
        TrustSecondLink();
        Connect("sync2");
    }

    private static void Ip(params string[] arguments) => Shell.Run("ip", arguments).Checked();

    private static void RemoveNamespace(string name)
    {
        if (!File.Exists(Path.Combine(NamespaceFolder, name)))
        {
            return;
        }
        string pids = Shell.Run("ip", "netns", "pids", name).Output;
        foreach (string pid in pids.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Shell.Run("kill", "-KILL", pid);
        }
        Shell.Run("ip", "netns", "del", name);
    }

    // Labs of test runs that do not exist any more.
    private static void RemoveLeftOvers()
    {
        if (Directory.Exists(NamespaceFolder))
        {
            foreach (string path in Directory.GetFiles(NamespaceFolder, Prefix + "*"))
            {
                if (IsLeftOver(path))
                {
                    RemoveNamespace(Path.GetFileName(path));
                }
            }
        }
        foreach (string path in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            if (IsLeftOver(path))
            {
                Directory.Delete(path, recursive: true);
            }
        }
    }

    private static bool IsLeftOver(string path) =>
        !Directory.Exists("/proc/" + Path.GetFileName(path)[Prefix.Length..].Split('-')[0]);
}
