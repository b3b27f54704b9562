using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>When fw1 is gone, fw2 carries on with what it was told.</summary>
public sealed class TakeOverTests(ITestOutputHelper output)
{
    private const int Flows = 20_000;
    private const double ReplicatedSeconds = 10, OverrunSeconds = 3;

    // Too small for the events of a frozen daemon: the kernel drops some for certain.
    private static readonly DaemonConfig s_smallBuffers = new()
    {
        EventBufferBytes = 128 * 1024,
        EventBufferBytesMax = 256 * 1024,
    };

    [LoadTheory]
    [MemberData(nameof(Pairs.OverUdp), MemberType = typeof(Pairs))]
    public void A_commit_makes_the_kernel_tables_equal(string pair, string link)
    {
        using var nodes = new Pair(pair, link);
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);

        nodes.Backup.Tell("-c");
        TableDifference? difference = null;
        double seconds = Wait.Until(
            "kernel tables are equal",
            ReplicatedSeconds,
            () => difference = nodes.Load.KernelAgainstKernel(),
            d => d.IsNone && d.Same == Flows);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"measured: commit: equal {seconds:F2} s after -c"));

        // A second commit finds everything there and changes nothing.
        nodes.Backup.Tell("-c");
        Assert.Equal(
            new TableDifference(Flows, 0, 0, 0), nodes.Load.KernelAgainstKernel());
    }

    [LoadFact]
    public void While_a_commit_runs_a_second_waits_for_it_and_a_flush_is_refused()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);

        // The daemon stands still until all have asked.
        nodes.Backup.Freeze();
        Process[] commits = [nodes.Backup.StartAsking("-c"), nodes.Backup.StartAsking("-c")];
        AwaitClients(nodes, 2);
        Process flush = nodes.Backup.StartAsking("-f");
        AwaitClients(nodes, 3);
        nodes.Backup.Thaw();
        foreach (Process client in (Process[])[.. commits, flush]) { client.WaitForExit(); }

        Assert.True(commits[0].ExitCode == 0 && commits[1].ExitCode == 0, nodes.Backup.Log);
        Assert.Equal(1, flush.ExitCode);
        Assert.Contains("a commit is in progress, nothing was flushed",
            File.ReadAllText(nodes.Backup.BasePath + ".client"), StringComparison.Ordinal);
        Assert.Equal(Flows, nodes.Load.KernelAgainstKernel().Same);
        Assert.Contains($"Committed {Flows} new entries", nodes.Backup.Log,
            StringComparison.Ordinal);
        Assert.Equal(Flows, nodes.Load.KernelAgainstListing(nodes.Backup, "-e").Same);
    }

    // The kernel lists a socket for the daemon and one for each client it has not accepted.
    private static void AwaitClients(Pair nodes, int count) => Wait.Until(
        $"{count} clients wait", ReplicatedSeconds,
        () => Regex.Count(
            nodes.Lab.Run(2, "cat", "/proc/net/unix").Output,
            Regex.Escape(nodes.Backup.SocketPath)), n => n == count + 1);

    [LoadTheory]
    [MemberData(nameof(Pairs.OursActive), MemberType = typeof(Pairs))]
    public void Tables_are_equal_soon_after_the_kernel_dropped_events(string pair, string link)
    {
        using var nodes = new Pair(pair, s_smallBuffers with { Link = link });
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(ReplicatedSeconds, Flows);
        long overruns = nodes.Active.Counter("runtime", "netlink overrun");

        nodes.Active.Freeze();
        nodes.Load.Delete(1, Flows / 2);
        nodes.Load.Inject(1, Flows / 2, first: Flows);
        nodes.Active.Thaw();
        double seconds = nodes.AwaitReplicated(OverrunSeconds, Flows);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"measured: overrun: equal after {seconds:F2} s"));
        Assert.True(nodes.Active.Counter("runtime", "netlink overrun") > overruns);
    }

    [LabTheory]
    [MemberData(nameof(Pairs.Each), MemberType = typeof(Pairs))]
    public void Live_connections_survive_the_death_of_a_firewall(string pair)
    {
        CommandResult demo = Demo(pair);
        Assert.True(demo.ExitCode == 0, demo.ToString());
        Assert.Contains("Every connection lives", demo.Output, StringComparison.Ordinal);
    }

    /// <summary>The rules of the demo are strict: without state nothing passes.</summary>
    [LabFact]
    public void No_connection_survives_without_a_commit()
    {
        CommandResult demo = Demo(Pairs.OursOurs, "--no-commit");
        Assert.Equal(1, demo.ExitCode);
        Assert.Matches(@"(?m)^all +40 +0 ", demo.Output);
    }

    private static CommandResult Demo(string pair, params string[] options)
    {
        (string active, string backup) = Pairs.Binaries(pair);
        string script = Path.Combine(Repository.Root, "packaging", "demo", "demo.sh");
        return Shell.Run(script, [
            "--daemon", active, "--peer", backup, "--seconds", "2", .. options]);
    }
}
