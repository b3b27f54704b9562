using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Vectors;

/// <summary>Datagrams of the kernel, decoded and compared with the index beside them.</summary>
public sealed partial class CapturedNetlinkTests
{
    public static TheoryData<string> Datagrams() => [.. VectorFolder.Find("*.bin")];

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void Every_message_reads_as_the_index_says(string path)
    {
        List<string> expected = Index(path);
        var reader = new MessageReader(File.ReadAllBytes(path));
        int count = 0;
        while (reader.TryNext(out NetlinkMessage message))
        {
            Assert.True(count < expected.Count, $"{path}: more messages than lines");
            Compare(expected[count++], message);
        }
        Assert.False(reader.Malformed);
        Assert.Equal(expected.Count, count);
    }

    private static void Compare(string line, in NetlinkMessage message)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"len={message.Payload.Length + MessageReader.HeaderSize} type=0x{message.Type:x4} "
            + $"flags=0x{(ushort)message.Flags:x4} seq={message.Sequence} "
            + $"portid={message.PortId}");
        Assert.StartsWith(head, line, StringComparison.Ordinal);
        string rest = line[head.Length..].Trim();
        switch (message.Type)
        {
            case NetlinkMessage.TypeError:
                Assert.True(ErrorMessage.TryRead(message, out int errno, out uint sequence));
                Assert.Equal(Int(ErrorCode(), rest), -errno);
                Assert.Equal(message.Sequence, sequence);
                Assert.Equal(Int(RequestSequence(), rest), (long)sequence);
                break;
            case NetlinkMessage.TypeDone:
                Assert.StartsWith("NLMSG_DONE", rest, StringComparison.Ordinal);
                break;
            case CtMessage.New or CtMessage.Delete:
                CompareFlow(rest, message);
                break;
            case CtMessage.ExpectNew or CtMessage.ExpectDelete:
                Expectation expectation = default;
                Assert.Equal(
                    DecodeError.None, ExpectationDecoder.Decode(message.Payload, ref expectation));
                Assert.Equal(Pieces(rest), NetlinkText.Expectation(expectation));
                break;
            default:
                CompareNumbers(rest, message);
                break;
        }
    }

    private static void CompareFlow(string rest, in NetlinkMessage message)
    {
        Flow flow = default;
        Assert.Equal(DecodeError.None, FlowDecoder.Decode(message.Payload, ref flow));
        Assert.Equal(Int(FamilyOf(), rest), (int)flow.Family);
        Assert.Equal(Pieces(rest), NetlinkText.Flow(flow));
    }

    /// <summary>Statistics: attributes of 32-bit numbers behind the family header.</summary>
    private static void CompareNumbers(string rest, in NetlinkMessage message)
    {
        string text = "";
        var reader = new AttributeReader(message.Payload[FlowDecoder.HeaderSize..]);
        while (reader.TryNext(out NetlinkAttribute attribute))
        {
            Assert.True(attribute.TryReadUInt32(out uint value));
            text += $" {attribute.Type}={value}";
        }
        Assert.False(reader.Malformed);
        Assert.EndsWith(text, " " + rest, StringComparison.Ordinal);
    }

    /// <summary>The attributes of a line, without lengths, flags and order.</summary>
    private static SortedSet<string> Pieces(string rest)
    {
        string attributes = HeaderOf().Replace(rest, "");
        string[] pieces = attributes.Split(" ; ");
        return [.. pieces.Select(piece => Length().Replace(piece.Trim(), " ").Trim())
            .Where(piece => !Ignored().IsMatch(piece))];
    }

    private static List<string> Index(string path)
    {
        string index = Path.Combine(Path.GetDirectoryName(path)!, "index.md");
        string heading = "## " + Path.GetFileName(path);
        return [.. File.ReadLines(index)
            .SkipWhile(line => line != heading
                && !line.StartsWith(heading + " ", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => Decoded().Match(line)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value)];
    }

    private static long Int(Regex regex, string text) =>
        long.Parse(regex.Match(text).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^- decoded: `(.*)`\s*$")]
    private static partial Regex Decoded();

    [GeneratedRegex(@"error=(-?\d+)")]
    private static partial Regex ErrorCode();

    [GeneratedRegex(@"request: .*?seq=(\d+)")]
    private static partial Regex RequestSequence();

    [GeneratedRegex(@"family=(\d+)")]
    private static partial Regex FamilyOf();

    [GeneratedRegex(@"^family=\S+ version=\S+ res_id=\S+ ?")]
    private static partial Regex HeaderOf();

    [GeneratedRegex(@"(\+N)?\[\d+\] ?")]
    private static partial Regex Length();

    /// <summary>Attributes that no flow or expectation of ours has a member for.</summary>
    [GeneratedRegex(@"^(SECCTX|SECMARK|\d+)\b")]
    private static partial Regex Ignored();
}
