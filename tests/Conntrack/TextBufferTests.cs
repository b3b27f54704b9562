using System.Globalization;
using System.Text;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

public sealed class TextBufferTests
{
    [Fact]
    public void The_buffer_grows_and_keeps_what_it_has()
    {
        var text = new TextBuffer(1);
        var expected = new StringBuilder();
        for (int i = 0; i < 1000; i++)
        {
            text.AppendDecimal((ulong)i);
            text.Append((byte)',');
            expected.Append(i.ToString(CultureInfo.InvariantCulture)).Append(',');
        }
        text.Append(new string('ä', 5000));
        expected.Append('ä', 5000);
        Assert.Equal(expected.ToString(), Encoding.UTF8.GetString(text.Written));
        text.Truncate(1);
        Assert.Equal("0", Encoding.UTF8.GetString(text.Written));
        text.Clear();
        Assert.True(text.Written.IsEmpty);
    }

    [Theory]
    [InlineData(0u, "0")]
    [InlineData(0xfu, "f")]
    [InlineData(0x10u, "10")]
    [InlineData(0xc8u, "c8")]
    [InlineData(0x102030au, "102030a")]
    [InlineData(uint.MaxValue, "ffffffff")]
    public void Hexadecimal_has_no_padding(uint value, string expected) =>
        Assert.Equal(expected, SampleFlow.Print(text => text.AppendHex(value)));

    [Theory]
    [InlineData(7ul, 3, "  7")]
    [InlineData(1234ul, 3, "1234")]
    [InlineData(ulong.MaxValue, 0, "18446744073709551615")]
    public void Numbers_are_justified_to_the_right(ulong value, int width, string expected) =>
        Assert.Equal(expected, SampleFlow.Print(text => text.AppendDecimal(value, width)));
}
