using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>What a broken or hostile peer sends is counted and does no harm.</summary>
public sealed class BadDatagramTests
{
    private const double SettleSeconds = 5;

    /// <summary>One datagram for each line of input, in hex, from one socket.</summary>
    private const string Sender = """
        import socket, sys
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((sys.argv[1], 0))
        for line in sys.stdin:
            sock.sendto(bytes.fromhex(line), (sys.argv[2], 3780))

        """;

    private static string VectorPath { get; } =
        Path.Combine(Repository.Root, "..", "shared", "vectors", "malformed.md");

    [VectorFact]
    [Trait("Defect", "35")]
    public void Malformed_datagrams_are_counted_and_leave_only_good_flows()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 2, Requirements.Binary, new DaemonConfig());
        daemon.Start();
        List<string> rows = ReadRows();
        Send(lab, rows);

        // The last good flow of the rows, then the rest of the cache.
        string last = "sport=39970 dport=81";
        Wait.Until("the last row is there", SettleSeconds, () => daemon.Tell("-e"),
            listing => listing.Contains(last, StringComparison.Ordinal));
        Assert.InRange(daemon.Counter("network", "Malformed messages"), 15, rows.Count);
        string[] listing = daemon.Tell("-e").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(listing, line => Assert.True(IsWhole(line), line));
        Assert.InRange(listing.Length, 12, rows.Count);
        Assert.True(daemon.IsRunning, daemon.Log);
    }

    [LabFact]
    [Trait("Defect", "W2")]
    public void Garbage_of_every_length_is_survived()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 2, Requirements.Binary, new DaemonConfig());
        daemon.Start();
        var random = new Random(20);
        byte[] bytes = new byte[1400];
        var rows = new List<string>();
        for (int length = 0; length <= bytes.Length; length += 7)
        {
            random.NextBytes(bytes);
            // Half of them with a header that looks right.
            bytes[0] = (length & 1) == 0 ? (byte)0x10 : bytes[0];
            rows.Add(Convert.ToHexString(bytes.AsSpan(0, length)));
        }
        Send(lab, rows);
        // A datagram may have no bytes at all; every other one here is refused.
        Wait.Until("all are counted", SettleSeconds,
            () => daemon.Counter("network", "Malformed messages") >= rows.Count - 1);
        Assert.Equal("", daemon.Tell("-e"));
        Assert.True(daemon.IsRunning, daemon.Log);
    }

    // The rows of the file without the two whose bytes are abridged there.
    private static List<string> ReadRows() =>
        [.. Regex.Matches(File.ReadAllText(VectorPath), @"(?m)^ {4}([0-9a-f]+)$")
            .Select(match => match.Groups[1].Value)];

    // Row 24 cuts its last attribute, the ports, after the four bytes of its head, which then read
    // as a tail to be ignored: a flow without ports, accepted as the original does.
    private static bool IsWhole(string line) => Regex.IsMatch(
        line, @"^udp +17 .*(src=192\.0\.2\.11 dst=198\.51\.100\.12|src=2001:db8::1 dst=2001:db8::2)"
        + @" sport=(399\d\d dport=81|0 dport=0)\b");

    private static void Send(Lab lab, List<string> rows)
    {
        using var input = new MemoryStream(Encoding.ASCII.GetBytes(string.Join('\n', rows)));
        Shell.RunWithInput(
            input, "ip", "netns", "exec", lab.Namespace(1), "python3", "-c", Sender,
            Lab.SyncAddress(1), Lab.SyncAddress(2)).Checked();
    }

    private sealed class VectorFactAttribute : FactAttribute
    {
        public VectorFactAttribute() => Skip = Requirements.MissingForLab()
            ?? (File.Exists(VectorPath) ? null : "integration: no ../shared/vectors/malformed.md");
    }
}
