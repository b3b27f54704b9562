using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Conntrackd.Control;
using Conntrackd.Sync;
using Conntrackd.Tests.Vectors;
using Conntrackd.Tests.Wire;
using Conntrackd.Wire;
using Capture = Conntrackd.Tests.Vectors.Capture;

namespace Conntrackd.Tests.Fuzz;

/// <summary>All targets, and the inputs that each begins with.</summary>
internal static partial class FuzzCorpora
{
    private const int PayloadsPerCapture = 40;

    private static readonly Shape s_config = Shape.Text(
        "{", "}", "#", "\"", "\0", "::", "99999999999", "TCP", "Type", "off", "on", "Sync {",
        "General {", "Mode", "FTFW", "ALARM", "NOTRACK", "UDP {", "TCP {", "Multicast {", "Port",
        "3780", "IPv4_address", "10.0.0.1", "Filter From Userspace {", "Address Ignore {",
        "Protocol Accept {", "State Accept {", "ESTABLISHED", "VRRP {", "Group", "Instance",
        "Sandbox {", "Helper {", "ftp", "inet", "KeyFile", "FrameChecksum on", "Interface eth0",
        "HashSize", "-1", "0x10", "4294967296", "ExpectationSync {", "Options {");

    private static readonly Shape s_fifo = Shape.Text(
        "GROUP \"FW\" ", "INSTANCE \"VI_1\" ", "MASTER", "BACKUP", "FAULT", "STOP", "DELETED",
        "MASTER_RX_LOWER_PRI", "MASTER_PRIORITY", " 0\n", " 100\n", "\"", "\n", " ", "999999999",
        "9999999999");

    private static readonly Shape s_json = Shape.Text(
        "{", "}", "[", "]", "\"", ":", ",", "\\\"", "\"data\":", "\"iname\":", "\"VI_1\"",
        "\"state\":", "2", "-1", "99999999999", "true", "null");

    private static readonly Shape s_keys = Shape.Text(
        "active", "1 ", "2 ", "255 ", "256 ", "0 ", "#", "\n", "\t", SealDesk.KeyOne, "zz", "0x");

    /// <summary>The inputs of a short run of all together take some ten seconds.</summary>
    internal static readonly FuzzSubject[] All =
    [
        new("sync-ftfw", Shape.Sync, Datagrams, () => new SyncTarget(SyncMode.Ftfw), 100_000),
        new("sync-notrack", Shape.Sync, Datagrams, () => new SyncTarget(SyncMode.NoTrack), 100_000),
        new("sync-alarm", Shape.Sync, Datagrams, () => new SyncTarget(SyncMode.Alarm), 100_000),
        new("sealed", Frames(SealHeader.Size), SealedFrames, () => new SealedTarget(), 100_000),
        new("checked", Frames(FrameHeader.Size), CheckedFrames, () => new CheckedTarget(), 200_000),
        new("stream", Shape.Sync, Streams, () => new StreamTarget(), 100_000),
        new("event", Shape.Netlink, Netlink, () => new EventTarget(), 150_000),
        new("dump", Shape.Netlink, Netlink, () => new DumpTarget(), 150_000),
        new("config", s_config, Configurations, () => new ConfigTarget(), 10_000),
        new("control", Shape.Bytes, Requests, () => new ControlTarget(), 20_000),
        new("reply", Shape.Bytes, Replies, () => new ReplyTarget(), 100_000),
        new("fifo", s_fifo, Lines, () => new FifoTarget(), 100_000),
        new("keepalived", s_json, Answers, () => new KeepalivedTarget(), 100_000),
        new("keyfile", s_keys, KeyFiles, () => new KeyFileTarget(), 20_000),
    ];

    private static string Folder => Path.Combine(Repository.Root, "tests", "Fuzz", "corpus");

    private static Shape Frames(int prefix) => Shape.Sync with { Prefix = prefix };

    // Captures of the original, the list of bad ones, and what our own kind says.
    private static List<byte[]> Datagrams() =>
    [
        .. VectorFolder.Find("*.pcap").SelectMany(
            path => Capture.Payloads(path).Take(PayloadsPerCapture)),
        .. Regex
            .Matches(Vector("malformed.md"), @"^    ([0-9a-f]{16,})\s*$", RegexOptions.Multiline)
            .Select(match => Convert.FromHexString(match.Groups[1].Value)),
        .. OwnKind(),
    ];

    private static List<byte[]> Streams()
    {
        List<byte[]> single = Datagrams();
        return [.. single, .. single.Chunk(12).Select(part => part.SelectMany(b => b).ToArray())];
    }

    // ALIVE with names, reports and marks of a bulk.
    private static IEnumerable<byte[]> OwnKind()
    {
        for (uint i = 0; i < 8; i++)
        {
            byte[] body = new byte[512];
            int length = new AliveNode(7 + (i / 4), 1000 * i, i % 2).Write(body);
            length += new AliveReport(7, 5000, 5000 + (100 * i), 10, i, 20, i, 0)
                .Write(body.AsSpan(length), (int)(i % 3));
            for (uint range = 0; range < i % 3; range++)
            {
                uint from = 5000 + (10 * range);
                length += AliveReport.WriteRange(body.AsSpan(length), from, from + 3);
            }
            if (i % 2 == 0) { length += AliveBody.WriteBegin(body.AsSpan(length), i); }
            if (i % 4 == 1) { length += AliveBody.WriteEnd(body.AsSpan(length), i, 100); }
            byte[] message = new byte[SyncHeader.Size + length];
            ControlMessage.WriteAlive(
                message, SyncFlags.Alive, 100 + i, body.AsSpan(0, length));
            yield return message;
        }
    }

    private static List<byte[]> SealedFrames() =>
        [.. SealedTarget.Recorded(), .. Datagrams().Take(20)];

    private static List<byte[]> CheckedFrames()
    {
        var framing = new ChecksumFraming();
        return [.. Datagrams().Select(messages =>
        {
            byte[] frame = new byte[messages.Length + framing.OverheadBytes];
            messages.CopyTo(frame, framing.HeadBytes);
            framing.Wrap(frame, messages.Length);
            return frame;
        })];
    }

    private static List<byte[]> Netlink() =>
        [.. VectorFolder.Find("*.bin").Select(File.ReadAllBytes)];

    private static List<byte[]> Configurations() =>
    [
        .. Directory.EnumerateFiles(
            Path.Combine(Repository.Root, "tests", "Config", "corpus"), "*.conf",
            SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        File.ReadAllBytes(Path.Combine(Repository.Root, "conntrackd.conf")),
    ];

    private static List<byte[]> Requests() =>
    [
        .. Enum.GetValues<ControlRequest>().SelectMany(request => Enum.GetValues<ReplyForm>()
            .Select(form => BitConverter.GetBytes((uint)request | ((uint)form << 9)))),
        [], [1], [1, 2, 3], new byte[1000],
    ];

    private static List<byte[]> Replies() =>
    [
        .. Directory.EnumerateFiles(
            Path.Combine(Repository.Root, "tests", "Control", "samples"), "*.out")
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        .. Split("replies.txt"),
    ];

    private static List<byte[]> Lines() => [.. Split("fifo.txt")];

    private static List<byte[]> Answers() => [.. Split("keepalived.txt")];

    private static List<byte[]> KeyFiles() => [Encoding.ASCII.GetBytes(KeyFileTarget.Good)];

    // Inputs of a file are divided by lines of four dashes; \0 and \n mean these characters.
    private static IEnumerable<byte[]> Split(string name) =>
        File.ReadAllText(Path.Combine(Folder, name)).Split("----\n")
            .Select(text => Encoding.UTF8.GetBytes(
                text.Replace("\\0", "\0", StringComparison.Ordinal)));

    private static string Vector(string name) => File.ReadAllText(
        VectorFolder.Find(name).First());
}
