using System.Collections.Generic;
using System.IO;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Vectors;

/// <summary>
/// Datagrams of the original, decoded, compared with an independent decoding, built again.
/// </summary>
public sealed class CapturedSyncTests
{
    public static TheoryData<string> Captures() => [.. VectorFolder.Find("*.pcap")];

    [Theory]
    [MemberData(nameof(Captures))]
    public void Every_message_reads_as_the_listing_says(string path)
    {
        List<string>? expected = Listing(path);
        if (expected is null) { return; }
        var counters = new ReceiveCounters();
        var actual = new List<string>();
        foreach (byte[] payload in Capture.Payloads(path))
        {
            var reader = new SyncMessageReader(payload, counters);
            while (reader.TryNext(out SyncMessage message))
            {
                actual.Add(Render(message));
            }
        }
        Assert.Equal(expected, actual);
        Assert.Equal(0ul, counters.Malformed);
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void Every_message_is_built_again_to_the_byte(string path)
    {
        var counters = new ReceiveCounters();
        foreach (byte[] payload in Capture.Payloads(path))
        {
            byte[] built = new byte[payload.Length];
            Array.Fill(built, (byte)0xa5);
            int at = 0;
            var reader = new SyncMessageReader(payload, counters);
            while (reader.TryNext(out SyncMessage message))
            {
                at += Build(built.AsSpan(at), message);
            }
            Assert.Equal(Convert.ToHexString(payload), Convert.ToHexString(built[..at]));
        }
    }

    private static int Build(Span<byte> target, in SyncMessage message)
    {
        SyncHeader header = message.Header;
        Flow flow = default;
        Expectation expectation = default;
        var options = new FlowMessageOptions(Timeout: true, WindowScale: true);
        switch (header.Class)
        {
            case SyncClass.Alive:
                return ControlMessage.WriteAlive(
                    target, header.Flags, header.Sequence, message.Body);
            case SyncClass.Ack or SyncClass.Nack or SyncClass.Resync:
                return ControlMessage.WriteRange(
                    target, header.Flags, header.Sequence, message.From, message.To);
            case SyncClass.Data when header.Type <= SyncType.FlowDestroy:
                Assert.True(FlowMessage.TryDecode(message.Body, ref flow, out int unknown));
                Assert.Equal(0, unknown);
                return FlowMessage.Encode(
                    target, flow, header.Type, header.Flags, header.Sequence, options);
            case SyncClass.Data:
                Assert.True(
                    ExpectationMessage.TryDecode(message.Body, ref expectation, out unknown));
                Assert.Equal(0, unknown);
                return ExpectationMessage.Encode(
                    target, expectation, header.Type, header.Flags, header.Sequence, options);
            default:
                throw new InvalidOperationException($"message of class {header.Class}");
        }
    }

    private static string Render(in SyncMessage message)
    {
        string head = SyncText.Head(message);
        if (message.Header.Class != SyncClass.Data) { return head; }
        Flow flow = default;
        if (message.Header.Type <= SyncType.FlowDestroy)
        {
            Assert.True(FlowMessage.TryDecode(message.Body, ref flow, out _));
            return $"{head} {SyncText.Flow(flow)}";
        }
        Expectation expectation = default;
        Assert.True(ExpectationMessage.TryDecode(message.Body, ref expectation, out _));
        return $"{head} {SyncText.Expectation(expectation)}";
    }

    /// <summary>The lines of the listing beside the capture; null if it has none.</summary>
    private static List<string>? Listing(string path)
    {
        string listing = Path.Combine(Path.GetDirectoryName(path)!, "vectors.md");
        if (!File.Exists(listing)) { return null; }
        string heading = "## " + Path.GetFileNameWithoutExtension(path);
        string[] section = [.. File.ReadLines(listing).SkipWhile(line => line.Trim() != heading)];
        if (section.Length == 0) { return null; }
        List<string> lines = [.. section.Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .SkipWhile(line => !line.StartsWith("Decoded", StringComparison.Ordinal))
            .Select(line => line.Trim())
            .Where(line => line.StartsWith("v1 ", StringComparison.Ordinal))];
        return lines;
    }
}
