using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Tidy;

/// <summary>The reader behind the tidy test sees what it is meant to see.</summary>
public sealed class SourceFileTests
{
    private const string Sample = """"
        // class InComment { }
        namespace Conntrackd.Wire;

        /// <summary>Has a summary.</summary>
        [Something("struct Not { }")]
        internal readonly record struct Header(int A, int B)
        {
            private static readonly int[] s_table =
            {
                1,
                2,
            };

            internal int Sum(
                int x)
            {
                string s = $"class {x} {{" + @"a\" + "\"{" + """ { " """;
                char c = '{', d = '\'';
                if (x > 0)
                {
                    return x;
                }
                return s.Length + c + d;
            }

            internal int Twice { get { return 2; } }

            internal int Kind => A switch
            {
                1 => 2,
                _ => 3,
            };
        }

        internal enum Bare { One }

        /// <summary>No body.</summary>
        internal record struct Pair(int Left, int Right);

        internal record struct Naked(int Left);

        """";

    private static readonly SourceFile s_file = new("src/Wire/Header.cs", Sample);

    [Fact]
    public void Finds_every_type_and_its_summary()
    {
        Assert.Collection(
            s_file.Types,
            t => Assert.Equal(new SourceType("Header", 6, false, true), t),
            t => Assert.Equal(new SourceType("Bare", 35, false, false), t),
            t => Assert.Equal(new SourceType("Pair", 38, false, true), t),
            t => Assert.Equal(new SourceType("Naked", 40, false, false), t));
    }

    [Fact]
    public void Measures_functions_from_their_head_to_their_last_brace()
    {
        Assert.Collection(
            s_file.Functions,
            f => Assert.Equal((14, 11), (f.FirstLine, f.LineCount)),
            f => Assert.Equal((26, 1), (f.FirstLine, f.LineCount)),
            f => Assert.Equal((28, 5), (f.FirstLine, f.LineCount)));
    }

    [Fact]
    public void Sees_no_code_in_comments_and_literals()
    {
        Assert.Empty(s_file.Find(new Regex("InComment|Not|class")));
        Assert.Equal([(14, "Sum")], s_file.Find(new Regex("Sum")));
    }
}
