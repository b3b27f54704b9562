using System.Text;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

public sealed class ReplyReaderTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("two\nlines\n", null)]
    [InlineData("two\nlines\n", "kernel table: refused")]
    [InlineData("", "refused")]
    public void A_framed_answer_is_understood_wherever_it_is_cut(string answer, string? failure)
    {
        var text = new TextBuffer();
        text.Append(ReplyFrame.Mark);
        text.Append(answer);
        ReplyFrame.AppendEnd(text, failure);
        for (int cut = 0; cut <= text.Length; cut++)
        {
            var reader = new ReplyReader();
            string read = Take(reader, text.Written[..cut]) + Take(reader, text.Written[cut..]);
            Assert.Equal(answer, read);
            Assert.Equal(failure, reader.Finish());
        }
    }

    [Fact]
    public void A_framed_answer_without_its_end_is_a_failure()
    {
        var reader = new ReplyReader();
        Assert.Equal("half", Take(reader, "\0half"u8));
        Assert.Contains("before the answer was complete", reader.Finish());
        Assert.Equal("", Take(reader, "\0"u8));
        Assert.NotNull(reader.Finish());
    }

    [Fact]
    public void A_failure_without_words_and_one_with_too_many_are_failures()
    {
        var reader = new ReplyReader();
        Take(reader, "\0\0"u8);
        Take(reader, "1"u8);
        Assert.Equal("the daemon could not do it", reader.Finish());
        Take(reader, new byte[100_000]);
        Assert.InRange(reader.Finish()!.Length, 1, 1024);
    }

    [Fact]
    public void A_bare_answer_is_all_text_and_a_success()
    {
        var reader = new ReplyReader();
        Assert.Null(reader.Finish());
        Assert.Equal("cache", Take(reader, "cache"u8));
        Assert.Equal(" internal:\n", Take(reader, " internal:\n"u8));
        Assert.Null(reader.Finish());
    }

    private static string Take(ReplyReader reader, ReadOnlySpan<byte> piece) =>
        Encoding.UTF8.GetString(reader.Take(piece));
}
