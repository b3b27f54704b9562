using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Conntrackd.Tests.Vectors;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

/// <summary>A stream means the same wherever it is cut.</summary>
public sealed class SyncStreamReaderTests
{
    public static TheoryData<string> Captures() => [.. VectorFolder.Find("*tcp4*.pcap")];

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_captured_stream_reads_the_same_cut_at_every_byte(string path)
    {
        byte[] stream = [.. Capture.Payloads(path).SelectMany(payload => payload)];
        Assert.NotEmpty(stream);
        List<string> expected = Messages(stream);
        Assert.Equal(expected, ReadInPieces(stream, [stream.Length]));
        Assert.Equal(expected, ReadInPieces(stream, [.. Enumerable.Repeat(1, stream.Length)]));
        for (int cut = 1; cut < Math.Min(stream.Length, 2000); cut++)
        {
            Assert.Equal(expected, ReadInPieces(stream, [cut, stream.Length - cut]));
        }
    }

    [Fact]
    public void Random_pieces_of_a_long_stream_give_every_message_once()
    {
        var random = new Random(4711);
        byte[] stream = [.. Enumerable.Range(0, 20_000).SelectMany(i =>
            Message((byte)(i % 3), 0, 8 + random.Next(300), (uint)i))];
        var pieces = new List<int>();
        for (int left = stream.Length; left > 0; left -= pieces[^1])
        {
            pieces.Add(Math.Min(left, 1 + random.Next(50_000)));
        }
        Assert.Equal(Messages(stream), ReadInPieces(stream, pieces));
    }

    [Theory]
    [InlineData(0x10, 0x00, 0)]
    [InlineData(0x10, 0x00, 7)]
    [InlineData(0x1a, 0x08, 15)]
    [InlineData(0x1a, 0x04, 8)]
    [InlineData(0x10, 0x00, SyncStreamReader.MessageMax + 1)]
    [InlineData(0x10, 0x00, 0xffff)]
    public void A_length_that_no_message_has_ends_the_stream_behind_the_good_ones(
        byte versionType, byte flags, int length)
    {
        byte[] good = Message(0, 0, 40, 1);
        byte[] bad = [versionType, flags, (byte)(length >> 8), (byte)length, 0, 0, 0, 2];
        byte[] stream = [.. good, .. bad, .. good];
        var reader = new SyncStreamReader();
        stream.CopyTo(reader.Room());
        reader.Commit(stream.Length);
        Assert.Equal(good, reader.TakeWhole().ToArray());
        Assert.True(reader.IsBroken);
        Assert.True(reader.TakeWhole().IsEmpty);

        reader.Clear();
        good.CopyTo(reader.Room());
        reader.Commit(good.Length);
        Assert.Equal(good, reader.TakeWhole().ToArray());
        Assert.False(reader.IsBroken);
    }

    [Fact]
    public void The_longest_message_passes_and_a_foreign_version_is_a_message()
    {
        byte[] stream = [.. Message(0, 0, SyncStreamReader.MessageMax, 1), .. Message(0, 0, 8, 2)];
        stream[0] = 0x20;
        Assert.Equal([stream.Length], WholeLengths(stream, stream.Length));
        Assert.Equal(
            [SyncStreamReader.MessageMax, 8], WholeLengths(stream, SyncStreamReader.MessageMax));
    }

    [Fact]
    [Trait("Defect", "27")]
    public void What_is_left_of_a_message_is_forgotten_with_its_connection()
    {
        var reader = new SyncStreamReader();
        byte[] message = Message(0, 0, 100, 1);
        message.AsSpan(0, 60).CopyTo(reader.Room());
        reader.Commit(60);
        Assert.True(reader.TakeWhole().IsEmpty);
        Assert.Equal(60, reader.TailLength);
        reader.Clear();
        Assert.Equal(0, reader.TailLength);
        message.CopyTo(reader.Room());
        reader.Commit(message.Length);
        Assert.Equal(message, reader.TakeWhole().ToArray());
    }

    [Fact]
    public void Boundaries_of_built_messages_are_found()
    {
        byte[] built = [.. Message(0, 0, 8, 1), .. Message(1, 0, 20, 2), .. Message(2, 0, 12, 3)];
        int[] boundaries = [.. Enumerable.Range(0, built.Length + 2).Select(
            at => SyncStreamReader.BoundaryFrom(built, at))];
        int[] expected = [.. Enumerable.Range(0, built.Length + 2).Select(
            at => at == 0 ? 0 : at <= 8 ? 8 : at <= 28 ? 28 : 40)];
        Assert.Equal(expected, boundaries);
        Assert.Equal(0, SyncStreamReader.BoundaryFrom([], 1));
    }

    private static List<int> WholeLengths(byte[] stream, int piece)
    {
        var reader = new SyncStreamReader();
        var lengths = new List<int>();
        for (int at = 0; at < stream.Length; at += piece)
        {
            int bytes = Math.Min(piece, stream.Length - at);
            stream.AsSpan(at, bytes).CopyTo(reader.Room());
            reader.Commit(bytes);
            lengths.Add(reader.TakeWhole().Length);
            Assert.False(reader.IsBroken);
        }
        return lengths;
    }

    private static List<string> ReadInPieces(byte[] stream, IEnumerable<int> pieces)
    {
        var reader = new SyncStreamReader();
        var messages = new List<string>();
        int at = 0;
        foreach (int piece in pieces)
        {
            for (int left = piece; left > 0;)
            {
                Span<byte> room = reader.Room();
                Assert.False(room.IsEmpty);
                int bytes = Math.Min(left, room.Length);
                stream.AsSpan(at, bytes).CopyTo(room);
                reader.Commit(bytes);
                messages.AddRange(Messages(reader.TakeWhole()));
                Assert.False(reader.IsBroken);
                at += bytes;
                left -= bytes;
            }
        }
        Assert.Equal(0, reader.TailLength);
        return messages;
    }

    private static List<string> Messages(ReadOnlySpan<byte> whole)
    {
        var counters = new ReceiveCounters();
        var messages = new List<string>();
        var reader = new SyncMessageReader(whole, counters);
        while (reader.TryNext(out SyncMessage message))
        {
            messages.Add($"{message.Header} {message.From}-{message.To} "
                + Convert.ToHexString(message.Body));
        }
        Assert.Equal(0ul, counters.Malformed);
        return messages;
    }

    private static byte[] Message(byte type, byte flags, int length, uint sequence)
    {
        byte[] message = new byte[length];
        message[0] = (byte)(0x10 | type);
        message[1] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), sequence);
        return message;
    }
}
