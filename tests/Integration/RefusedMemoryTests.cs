using System.Globalization;
using System.IO;
using System.Linq;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>A system that gives no more memory (RLIMIT_AS), and does again later.</summary>
/// <remarks><code>
/// fw1 (its internal cache) ── sync ── fw2 (its external cache)     one of both is limited
/// </code>A limit of a control group kills instead of refusing: there is nothing to answer.
/// </remarks>
public sealed class RefusedMemoryTests
{
    private const int Flows = 200_000;
    private const long RoomBytes = 6 * 1024 * 1024;
    private const double RefusedSeconds = 30, FoundSeconds = 180;

    [LoadTheory]
    [InlineData("internal")]
    [InlineData("external")]
    public void What_fits_is_kept_and_the_rest_is_found_when_there_is_memory(string cache)
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        DaemonProcess limited = cache == "internal" ? nodes.Active : nodes.Backup;
        // No listing before: what the C library kept for its thread would be room, too.
        Limit(limited, SizeOf(limited) + RoomBytes);
        nodes.Load.Inject(1, Flows);
        AwaitRefusal(limited, cache);
        Assert.True(limited.IsRunning, limited.Log);
        Assert.Contains($"{cache} cache: no memory, flows refused: ", limited.Log);

        Limit(limited, bytes: null);
        nodes.AwaitReplicated(FoundSeconds, Flows);
        Assert.True(nodes.Load.KernelAgainstListing(nodes.Active, "-i").IsNone);
        Assert.Contains($"{cache} cache: looking for flows that were refused", limited.Log);
    }

    private static void AwaitRefusal(DaemonProcess node, string cache) => Wait.Until(
        $"fw{node.Firewall} refuses flows", RefusedSeconds, () => node.Tell("-s", "cache"),
        text => RefusedOf(text, cache) is > 0 and < Flows);

    private static long RefusedOf(string text, string cache)
    {
        string part = text[text.IndexOf("cache:" + cache, StringComparison.Ordinal)..];
        string line = part.Split('\n')
            .First(static line => line.Contains("no memory available", StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture);
    }

    private static long SizeOf(DaemonProcess node)
    {
        string line = File.ReadLines($"/proc/{node.ProcessId}/status")
            .First(static line => line.StartsWith("VmSize:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split()[^2], CultureInfo.InvariantCulture);
    }

    private static void Limit(DaemonProcess node, long? bytes) => Shell.Run(
        "prlimit", "--pid", Text(node.ProcessId),
        $"--as={(bytes is long limit ? Text(limit) : "unlimited")}:unlimited").Checked();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
