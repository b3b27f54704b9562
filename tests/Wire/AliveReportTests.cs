using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class AliveReportTests
{
    [Fact]
    public void A_body_with_node_and_report_is_read_as_it_was_written()
    {
        byte[] body = new byte[200];
        Array.Fill(body, (byte)0xa5);
        var node = new AliveNode(0x0102030405060708, 77, AliveNode.Poll);
        var report = new AliveReport(9, 10, 20, 30, 40, 50, 60, 70);
        int length = node.Write(body);
        length += report.Write(body.AsSpan(length), ranges: 2);
        length += AliveReport.WriteRange(body.AsSpan(length), 11, 12);
        length += AliveReport.WriteRange(body.AsSpan(length), 14, 14);

        ReadOnlySpan<byte> rest = body.AsSpan(0, length);
        Assert.True(AliveNode.TryReadFirst(rest, out AliveNode first));
        Assert.Equal(node, first);
        Assert.True(AliveBody.TryNext(ref rest, out AliveAttribute attribute, out _));
        Assert.True(AliveBody.TryNext(ref rest, out attribute, out ReadOnlySpan<byte> value));
        Assert.Equal(AliveAttribute.Report, attribute);
        Assert.True(AliveReport.TryRead(value, out AliveReport read, out var ranges));
        Assert.Equal(report, read);
        Assert.True(AliveReport.TryNextRange(ref ranges, out uint from, out uint to));
        Assert.Equal((11u, 12u), (from, to));
        Assert.True(AliveReport.TryNextRange(ref ranges, out from, out to));
        Assert.Equal((14u, 14u), (from, to));
        Assert.False(AliveReport.TryNextRange(ref ranges, out _, out _));
        Assert.True(rest.IsEmpty);
    }

    [Fact]
    public void A_body_cut_at_any_byte_gives_no_report_and_no_error()
    {
        byte[] body = new byte[AliveNode.Size + AliveReport.SizeMin + AliveReport.RangeSize];
        int length = new AliveNode(1, 2, 3).Write(body);
        length += default(AliveReport).Write(body.AsSpan(length), ranges: 1);
        AliveReport.WriteRange(body.AsSpan(length), 5, 6);
        for (int cut = 0; cut < body.Length; cut++)
        {
            ReadOnlySpan<byte> rest = body.AsSpan(0, cut);
            while (AliveBody.TryNext(ref rest, out AliveAttribute attribute, out var value))
            {
                Assert.NotEqual(AliveAttribute.Report, attribute);
                Assert.True(AliveNode.TryRead(value, out _));
            }
        }
        ReadOnlySpan<byte> shorter = new byte[AliveReport.SizeMin];
        Assert.False(AliveReport.TryRead(shorter[..35], out _, out _));
        Assert.False(AliveReport.TryRead(shorter[..37], out _, out _));
    }

    [Fact]
    public void Marks_of_another_size_and_a_node_without_name_are_refused()
    {
        Assert.False(AliveBody.TryReadBegin(new byte[3], out _));
        Assert.False(AliveBody.TryReadBegin(new byte[5], out _));
        Assert.False(AliveBody.TryReadEnd(new byte[4], out _, out _));
        Assert.True(AliveBody.TryReadEnd(new byte[8], out _, out _));
        Assert.False(AliveNode.TryRead(new byte[16], out _));
    }
}
