using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Conntrackd.Linux;
using Conntrackd.Tests.Linux;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Links with a key file or a digest, real daemons and a hostile host between.</summary>
public sealed class SealedLinkTests : IDisposable
{
    private const int Flows = 2_000, More = 200;
    private const double Seconds = 15;

    private readonly TemporaryDirectory _keys = new();

    public void Dispose() => _keys.Dispose();

    [LoadTheory]
    [InlineData("FTFW { }", "udp")]
    [InlineData("FTFW { }", "udp6")]
    [InlineData("FTFW { }", "tcp")]
    [InlineData("FTFW { }", "multicast")]
    [InlineData("FTFW { }", "udp-twice")]
    [InlineData("NOTRACK { StartupResync on }", "udp")]
    [InlineData("NOTRACK { StartupResync on }", "tcp")]
    [InlineData("NOTRACK { StartupResync on }", "multicast")]
    [InlineData("ALARM { RefreshTime 2 }", "udp")]
    [InlineData("ALARM { RefreshTime 2 }", "tcp")]
    [InlineData("ALARM { RefreshTime 2 }", "multicast")]
    public void A_sealed_pair_replicates_as_an_open_one(string mode, string link)
    {
        MakeKeys();
        using var nodes = new Pair(Pairs.OursOurs, Sealed(link) with { Mode = mode });
        nodes.Load.Inject(1, Flows);
        nodes.Load.Update(1, More);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(Seconds, Flows - More);
        AssertOnlyAccepted(nodes.Backup);
        AssertOnlyAccepted(nodes.Active);

        // Another start is another incarnation; it asks, or is told, and is read.
        Assert.Equal(0, nodes.Backup.Stop());
        nodes.Backup.Start();
        nodes.AwaitReplicated(Seconds, Flows - More);
        AssertOnlyAccepted(nodes.Backup);
        Assert.Equal(1, nodes.Backup.Counter("network", "Nodes proven"));
    }

    [LoadTheory]
    [InlineData("udp")]
    [InlineData("tcp")]
    [InlineData("multicast")]
    public void A_checked_pair_replicates_as_an_open_one(string link)
    {
        using var nodes = new Pair(Pairs.OursOurs, Checked(link));
        nodes.Load.Inject(1, Flows);
        nodes.Load.Delete(1, More, first: Flows - More);
        nodes.AwaitReplicated(Seconds, Flows - More);
        Assert.NotEqual(0, nodes.Backup.Counter("network", "Accepted frames"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Corrupt frames"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Without a digest"));
    }

    /// <summary>
    /// What the peer sent in two runs, recorded on the wire, comes again from its own address,
    /// whole and with bits turned: at once, to a daemon that started since, and to both.
    /// </summary>
    [LoadFact]
    public void A_recording_sent_again_does_nothing_but_count()
    {
        MakeKeys();
        using var nodes = new Pair(Pairs.OursOurs, Sealed("udp"));
        string recording = nodes.Lab.PathOf("recording");
        Process recorder = nodes.Lab.Start(
            2, nodes.Lab.PathOf("recorder.out"), "python3", "-c", Recorder, recording);
        Wait.Until("the recorder listens", 5, () => File.Exists(recording));
        // Else the recorder sees several datagrams as one: the kernel cuts them behind it.
        nodes.Lab.Run(1, "ip", "link", "set", "dev", "sync", "gso_max_segs", "1").Checked();
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        nodes.Active.Kill();
        nodes.Active.Start();
        nodes.Load.Delete(1, Flows);
        nodes.AwaitOnlyFlows(0);
        Thread.Sleep(500);
        recorder.Kill();
        recorder.WaitForExit();
        string[] frames = File.ReadAllLines(recording);
        Assert.True(frames.Length > 20, $"{frames.Length} frames recorded");

        AssertOnlyCounted(nodes, frames);
        nodes.Backup.Kill();
        nodes.Backup.Start();
        AssertOnlyCounted(nodes, frames);
        nodes.Active.Kill();
        AssertOnlyCounted(nodes, frames);
        nodes.Active.Start();
        nodes.Load.Inject(1, More);
        nodes.AwaitReplicated(Seconds, More);
    }

    [LoadFact]
    public void Keys_are_changed_under_load_and_no_frame_is_refused()
    {
        MakeKeys();
        using var nodes = new Pair(Pairs.OursOurs, Sealed("udp") with { Mode = "NOTRACK { }" });
        Wait.Until("they know each other", 5, () =>
            nodes.Backup.Counter("network", "Nodes proven") == 1
            && nodes.Active.Counter("network", "Nodes proven") == 1);
        long before = nodes.Backup.Counter("network", "Sender not proven");
        var load = new Thread(() => nodes.Load.Churn(1, 20_000, first: 100_000, rate: 4_000));
        load.Start();
        string one = File.ReadAllText(KeyPath(1));
        Shell.Run(Requirements.Binary, "--generate-key", KeyPath(1)).Checked();
        string both = File.ReadAllText(KeyPath(1));
        Assert.Matches(@"(?m)^1 \w{64} active\n2 \w{64}$", both);
        // Its cipher belongs to the key from the first day on.
        both = both.TrimEnd() + (Sodium.TryStart() && Sodium.HasAes ? " aes\n" : "\n");
        string second = both.Replace(" active", "", StringComparison.Ordinal).TrimEnd()
            + " active\n";
        string only = Regex.Match(second, @"(?m)^2 .*$").Value + "\n";
        foreach (string text in (string[])[both, second, only])
        {
            foreach (DaemonProcess daemon in (DaemonProcess[])[nodes.Backup, nodes.Active])
            {
                WriteKeys(daemon.Firewall, text);
                Assert.Equal("", daemon.Tell("--reload"));
                Thread.Sleep(300);
            }
        }
        load.Join();
        nodes.Load.Inject(1, Flows);
        nodes.AwaitReplicated(Seconds, Flows);
        Assert.Equal(2, nodes.Active.Counter("network", "Key sent with"));
        Assert.Equal(before, nodes.Backup.Counter("network", "Sender not proven"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Packets lost"));
        AssertOnlyAccepted(nodes.Backup);
        AssertOnlyAccepted(nodes.Active);

        // A bad file changes nothing, and a node with the old key is told apart.
        WriteKeys(1, "3 tooshort active\n");
        CommandResult bad = nodes.Active.Ask("--reload");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("key 3 has 8 digits, expected 64", bad.Error, StringComparison.Ordinal);
        WriteKeys(1, one);
        nodes.Active.Tell("--reload");
        Wait.Until("it is refused", 5, () =>
            nodes.Backup.Counter("network", "Unknown key number") > 0);
        Wait.Until("it is said", 5, () => nodes.Backup.Log.Contains(
            "sealed with key 1, which", StringComparison.Ordinal));
    }

    [LoadTheory]
    [InlineData(Pairs.OursOriginal)]
    [InlineData(Pairs.OriginalOurs)]
    [InlineData(Pairs.OursOurs)]
    public void An_open_node_and_a_sealed_one_take_nothing_from_each_other(string pair)
    {
        if (pair != Pairs.OursOurs && !Requirements.HasOriginal) { return; }
        MakeKeys();
        bool firstIsSealed = pair != Pairs.OriginalOurs;
        DaemonConfig open = new(), closed = Sealed("udp");
        using var nodes = new Pair(
            pair, firstIsSealed ? closed : open, firstIsSealed ? open : closed);
        DaemonProcess sealedNode = firstIsSealed ? nodes.Active : nodes.Backup;
        DaemonProcess openNode = firstIsSealed ? nodes.Backup : nodes.Active;
        nodes.Load.Inject(1, More);
        nodes.Load.Inject(2, More, first: Flows);
        Wait.Until("both have refused", Seconds, () =>
            sealedNode.Counter("network", "Not sealed") > 2
            && openNode.Counter("network", "Wrong protocol version") > 2);
        Assert.Equal("", sealedNode.Tell("-e"));
        Assert.Equal("", openNode.Tell("-e"));
        string cause = "not sealed: the other node has no 'KeyFile', or is the original";
        Assert.Equal(1, Regex.Count(File.ReadAllText(sealedNode.BasePath + ".log"), cause));
        if (pair == Pairs.OursOurs)
        {
            Assert.Contains("sealed: 'KeyFile' is configured there and not here", openNode.Log);
        }
    }

    [LabTheory]
    [InlineData("chmod 640", "mode 0640, others than its owner can use it: chmod 600")]
    [InlineData("truncate -s 40", "line 1: key 1 has ")]
    [InlineData("rm", "can't open key file")]
    public void A_daemon_does_not_start_with_a_key_file_that_is_not_good(
        string spoil, string reason)
    {
        File.WriteAllText(KeyPath(1), "1 " + new string('a', 64) + "\n");
        Shell.Run("chmod", "600", KeyPath(1)).Checked();
        Shell.Run("sh", "-c", $"{spoil} {KeyPath(1)}").Checked();
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, Sealed("udp"));
        CommandResult result = daemon.StartInVain();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        Assert.Contains(reason, daemon.Ask("--check").Error, StringComparison.Ordinal);
    }

    [LabFact]
    public void A_daemon_with_a_key_leaves_no_core_and_its_keys_are_locked()
    {
        MakeKeys();
        using var lab = new Lab();
        DaemonProcess daemon =
            new DaemonProcess(lab, 1, Requirements.Binary, Sealed("udp")).Start();
        string status = File.ReadAllText($"/proc/{daemon.ProcessId}/status");
        Assert.Matches(@"VmLck:\s+[1-9]\d* kB", status);
        Assert.DoesNotContain("cannot be locked", daemon.Log, StringComparison.Ordinal);
        string smaps = File.ReadAllText($"/proc/{daemon.ProcessId}/smaps");
        Assert.Matches(@"VmFlags:.* lo .*dd", smaps);
        Assert.Matches(
            "(?s)\nkeys:\n\tmemory:\t\t\t[1-9]\\d+ bytes, all locked\n\tcore dumps:\t\toff\n$",
            daemon.Tell("-s", "process"));
        Assert.Contains("\"core_dumps\":false", daemon.Tell("-s", "process", "-o", "json"));
        string key = File.ReadAllLines(KeyPath(1))[1].Split(' ')[1];
        Assert.DoesNotContain(key, daemon.Log, StringComparison.Ordinal);
    }

    private static DaemonConfig Checked(string link) =>
        new() { Link = link, LinkMore = static _ => "FrameChecksum on" };

    private DaemonConfig Sealed(string link) =>
        new() { Link = link, LinkMore = firewall => $"KeyFile {KeyPath(firewall)}" };

    private string KeyPath(int firewall) => _keys.File($"fw{firewall}.key");

    private void MakeKeys()
    {
        Shell.Run(Requirements.Binary, "--generate-key", KeyPath(1)).Checked();
        WriteKeys(2, File.ReadAllText(KeyPath(1)));
    }

    private void WriteKeys(int firewall, string text)
    {
        File.WriteAllText(KeyPath(firewall), text);
        Shell.Run("chmod", "600", KeyPath(firewall)).Checked();
    }

    private static void AssertOnlyAccepted(DaemonProcess daemon)
    {
        Assert.NotEqual(0, daemon.Counter("network", "Accepted beacons"));
        foreach (string reason in (string[])["Not sealed", "Wrong frame size",
            "Unknown key number", "Wrong key or forged", "Own frames returned",
            "Replayed frames", "Frames too late", "Too many nodes"])
        {
            Assert.True(daemon.Counter("network", reason) == 0, $"{reason}\n{daemon.Log}");
        }
        Assert.Equal(0, daemon.Counter("network", "Malformed messages"));
    }

    private static void AssertOnlyCounted(Pair nodes, string[] frames)
    {
        string listing = nodes.Backup.Tell("-e");
        long accepted = nodes.Backup.Counter("network", "Accepted frames");
        long refused = Refused(nodes.Backup);
        var random = new Random(3);
        string[] turned = [.. frames.Select(frame => Turn(frame, random))];
        Send(nodes.Lab, [.. frames, .. turned]);
        Wait.Until("all are refused", 10, () => Refused(nodes.Backup) - refused
            >= 2 * frames.Length);
        Assert.Equal(listing, nodes.Backup.Tell("-e"));
        Assert.Equal(0, nodes.Backup.Counter("network", "Malformed messages"));
        // Alone on the link, nothing at all is accepted; the peer's own frames are few.
        long more = nodes.Backup.Counter("network", "Accepted frames") - accepted;
        Assert.InRange(more, 0, nodes.Active.IsRunning ? 60 : 0);
    }

    private static long Refused(DaemonProcess daemon)
    {
        string text = daemon.Tell("-s", "network");
        string sealedBlock = text[text.IndexOf("sealed link", StringComparison.Ordinal)..];
        string[] reasons = ["Not sealed", "Wrong frame size", "Unknown key number",
            "Wrong key or forged", "Own frames returned", "Sender not proven",
            "Replayed frames", "Frames too late", "Too many nodes"];
        return reasons.Sum(reason => long.Parse(
            Regex.Match(sealedBlock, reason + @":\s+(\d+)").Groups[1].Value));
    }

    private static string Turn(string frame, Random random)
    {
        byte[] bytes = Convert.FromHexString(frame);
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return Convert.ToHexString(bytes);
    }

    private static void Send(Lab lab, IEnumerable<string> frames)
    {
        using var input = new MemoryStream(
            System.Text.Encoding.ASCII.GetBytes(string.Join('\n', frames)));
        Shell.RunWithInput(
            input, "ip", "netns", "exec", lab.Namespace(1), "python3", "-c", Sender).Checked();
    }

    private const string Sender = """
        import socket, sys, time
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("10.33.0.1", 0))
        for i, line in enumerate(sys.stdin):
            sock.sendto(bytes.fromhex(line), ("10.33.0.2", 3780))
            if i % 50 == 0: time.sleep(0.002)

        """;

    /// <summary>Writes what comes from fw1 over UDP, in hex, one datagram a line.</summary>
    private const string Recorder = """
        import os, socket, sys
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 * 1024 * 1024)
        sock.bind(("sync", 0))
        with open(sys.argv[1], "w", buffering=1) as out:
            while True:
                packet, address = sock.recvfrom(65536)
                at = 4 * (packet[0] & 15)
                if packet[9] == 17 and packet[12:16] == bytes([10, 33, 0, 1]):
                    end = at + int.from_bytes(packet[at + 4:at + 6], "big")
                    out.write(packet[at + 8:end].hex() + "\n")

        """;
}
