using System.Collections.Generic;
using System.Text;
using Conntrackd.Sync;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class VrrpLineTests
{
    [Theory]
    [InlineData("GROUP \"FW\" MASTER 0", true, "FW", "Master", 0u)]
    [InlineData("INSTANCE \"VI_1\" BACKUP 150", false, "VI_1", "Backup", 150u)]
    [InlineData("INSTANCE \"a \"b\" c\" FAULT 1", false, "a \"b\" c", "Fault", 1u)]
    [InlineData("GROUP \"\" STOP 0", true, "", "Stop", 0u)]
    [InlineData("GROUP \"X\" DELETED 0", true, "X", "Deleted", 0u)]
    [InlineData("INSTANCE \"V\" MASTER_RX_LOWER_PRI 100", false, "V", "DoubleMaster", 100u)]
    [InlineData("INSTANCE \"V\" BACKUP_PRIORITY 90", false, "V", "Priority", 90u)]
    public void A_line_is_read_from_both_ends(
        string text, bool isGroup, string name, string word, uint priority)
    {
        Assert.True(VrrpLine.TryParse(Encoding.ASCII.GetBytes(text), out VrrpLine line));
        Assert.Equal(isGroup, line.IsGroup);
        Assert.Equal(name, Encoding.ASCII.GetString(line.Name));
        Assert.Equal(word, line.Word.ToString());
        Assert.Equal(priority, line.Priority);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GROUP")]
    [InlineData("GROUP \"")]
    [InlineData("GROUP \"FW\"")]
    [InlineData("GROUP \"FW\" MASTER")]
    [InlineData("GROUP \"FW\" MASTER ")]
    [InlineData("GROUP \"FW\" MASTER x")]
    [InlineData("GROUP \"FW\" MASTER 9999999999")]
    [InlineData("GROUP \"FW\" DANCING 0")]
    [InlineData("GROUP FW MASTER 0")]
    [InlineData("VIRTUAL \"FW\" MASTER 0")]
    [InlineData("group \"FW\" MASTER 0")]
    [InlineData("GROUP \"FW MASTER 0")]
    public void What_is_no_line_is_refused(string text) =>
        Assert.False(VrrpLine.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Lines_are_the_same_however_they_are_cut()
    {
        byte[] all = "one\ntwo\n\nGROUP \"FW\" MASTER 0\nlast"u8.ToArray();
        for (int size = 1; size <= all.Length; size++)
        {
            var reader = new VrrpLineReader();
            var lines = new List<string>();
            for (int at = 0; at < all.Length; at += size)
            {
                ReadOnlySpan<byte> piece = all.AsSpan(at, Math.Min(size, all.Length - at));
                while (reader.TryNext(ref piece, out ReadOnlySpan<byte> line))
                {
                    lines.Add(Encoding.ASCII.GetString(line));
                }
            }
            Assert.Equal(["one", "two", "", "GROUP \"FW\" MASTER 0"], lines);
        }
    }

    [Fact]
    public void A_line_without_end_costs_no_memory_and_the_next_one_is_read()
    {
        var reader = new VrrpLineReader();
        byte[] flood = new byte[100_000];
        Array.Fill(flood, (byte)'x');
        ReadOnlySpan<byte> bytes = flood;
        Assert.False(reader.TryNext(ref bytes, out _));
        bytes = "x\nGROUP \"FW\" STOP 0\n"u8;
        Assert.True(reader.TryNext(ref bytes, out ReadOnlySpan<byte> line));
        Assert.Equal("GROUP \"FW\" STOP 0", Encoding.ASCII.GetString(line));
        Assert.Equal(1ul, reader.TooLong);
    }
}
