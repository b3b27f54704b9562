using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Starts the daemon with every file of the corpus that the original runs with, asks it, stops it.
/// </summary>
/// <remarks>
/// As the truth of the corpus was found: one network namespace with the interfaces that the files
/// name, and for each file fresh /run, /var/log and /var/lock.
/// </remarks>
public sealed class CorpusStartTests
{
    private static readonly string[] s_interfaces =
    [
        "eth0", "eth1", "eth2", "eth3", "eth4", "br-lan", "bond0", "eth1.100", "ae0",
    ];

    // Which interface carries which address besides 10.10.N.1 and fd00:10N::1.
    private static readonly (string Interface, string Address)[] s_further =
    [
        ("eth2", "192.168.100.100"), ("eth3", "192.168.100.101"), ("eth4", "192.168.2.100"),
    ];

    private static string Corpus => Path.Combine(Repository.Root, "..", "shared", "configs");

    [CorpusFact]
    public void Every_file_runs_and_stops_as_with_the_original()
    {
        using var lab = new Lab();
        MakeInterfaces(lab);
        var wrong = new List<string>();
        string[] files = [.. File.ReadLines(Path.Combine(Corpus, "index.tsv"))
            .Select(line => line.Split('\t'))
            .Where(row => row[0].StartsWith("valid/", StringComparison.Ordinal)
                && row[2] == "runs")
            .Select(row => row[0])];
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            CommandResult result = RunOnce(lab, Path.Combine(Corpus, file));
            if (result.ExitCode == 0) { continue; }
            wrong.Add($"{file}: {result.Output}{result.Error}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // Exit status 0: it ran, answered -s runtime with something, and stopped with 0 after -k.
    private static CommandResult RunOnce(Lab lab, string config)
    {
        const string Script = """
            mount -t tmpfs none /run && mkdir -p /run/lock && mount -t tmpfs none /var/log
            if [ ! -L /var/lock ]; then mount -t tmpfs none /var/lock; fi
            "$0" -C "$1" & daemon=$!
            tries=0
            while [ ! -S /run/conntrackd.ctl ] && [ $tries -lt 100 ] && kill -0 $daemon; do
                sleep 0.05; tries=$((tries + 1))
            done 2>/dev/null
            answer=$("$0" -C "$1" -s runtime) && [ -n "$answer" ] && "$0" -C "$1" -k \
                || kill -9 $daemon
            wait $daemon
            """;
        return lab.Run(1, "unshare", "-m", "sh", "-c", Script, Requirements.Binary, config);
    }

    private static void MakeInterfaces(Lab lab)
    {
        string name = lab.Namespace(1);
        for (int n = 0; n < s_interfaces.Length; n++)
        {
            string device = s_interfaces[n];
            Ip("-n", name, "link", "add", device, "type", "veth", "peer", "name", $"peer{n}");
            Ip("-n", name, "link", "set", device, "up");
            Ip("-n", name, "link", "set", $"peer{n}", "up");
            Ip("-n", name, "addr", "add", $"10.10.{n}.1/24", "dev", device);
            Ip("-n", name, "addr", "add", $"fd00:10{n}::1/64", "dev", device, "nodad");
        }
        foreach ((string device, string address) in s_further)
        {
            Ip("-n", name, "addr", "add", address + "/24", "dev", device);
        }
        lab.Run(1, "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1", "net.ipv6.ip_nonlocal_bind=1")
            .Checked();
    }

    private static void Ip(params string[] arguments) => Shell.Run("ip", arguments).Checked();
}

/// <summary>A fact that needs the lab and the corpus of configurations.</summary>
internal sealed class CorpusFactAttribute : FactAttribute
{
    public CorpusFactAttribute() => Skip = Requirements.MissingForLab()
        ?? (Directory.Exists(Path.Combine(Repository.Root, "..", "shared", "configs"))
            ? null : "integration: the configurations are not at hand (../shared/configs)");
}
