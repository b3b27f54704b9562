using System.Text;
using Conntrackd.Daemon;
using Xunit;

namespace Conntrackd.Tests.Daemon;

/// <summary>Picking values out of a JSON text.</summary>
public sealed class JsonTokensTests
{
    [Fact]
    public void Tokens_come_with_their_depth() => Assert.Equal(
        "1[ 2{ 2data: 3{ 3iname: 3'VI_1' 3state: 32 3list: 4[ 4-1.5 4] 3} 2} 1]",
        Walk("""[{"data": {"iname" : "VI_1","state":2, "list":[-1.5]}}]"""));

    [Theory]
    [InlineData("", "")]
    [InlineData("  \n", "")]
    [InlineData("null", "0null")]
    [InlineData("""{"a\"}":"b\\"}""", """1{ 1a\"}: 1'b\\' 1}""")]
    [InlineData("}]{[", "0} -1] -1{ 0[")]
    [InlineData("[1", "1[ 11 cut")]
    [InlineData("[\"a", "1[ cut")]
    [InlineData("[\"a\\", "1[ cut")]
    public void Whatever_comes_the_walk_ends(string text, string tokens) =>
        Assert.Equal(tokens, Walk(text));

    private static string Walk(string text)
    {
        var seen = new StringBuilder();
        JsonTokens tokens = new(Encoding.UTF8.GetBytes(text));
        while (tokens.TryNext())
        {
            string token = Encoding.UTF8.GetString(tokens.Text);
            seen.Append(' ').Append(tokens.Depth)
                .Append(tokens.IsKey ? token + ":" : tokens.IsString ? $"'{token}'" : token);
        }
        if (tokens.IsCut) { seen.Append(" cut"); }
        return seen.ToString().Trim();
    }
}
