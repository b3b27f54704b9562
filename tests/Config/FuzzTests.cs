using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Conntrackd.Config;
using Xunit;

namespace Conntrackd.Tests.Config;

public sealed class FuzzTests
{
    private const int Seed = 20260601;
    private const int Rounds = 100_000;

    private static readonly byte[][] s_words =
        new[] { "{", "}", "#", "\"", "\0", "::", " 99999999999 ", " TCP ", " Type ", " off " }
            .Select(Encoding.ASCII.GetBytes).ToArray();

    [Fact]
    public void Mutated_files_never_throw_and_are_refused_or_read_in_bounded_time()
    {
        byte[][] corpus = Directory
            .EnumerateFiles(CorpusTests.Folder(), "*.conf", SearchOption.AllDirectories)
            .Order().Select(File.ReadAllBytes).ToArray();
        var random = new Random(Seed);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] text = Mutate(random, corpus);
            long start = Stopwatch.GetTimestamp();
            ConfigResult result = Parse(text, round);

            bool hasError = result.Diagnostics.Any(d => d.Severity == Severity.Error);
            Assert.True(hasError == (result.Options is null), $"round {round}");
            Assert.True(result.Diagnostics.Count <= 1100, $"round {round}");
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 5, $"round {round}");
            if (round % 16 == 0) { CheckDiagnostics(result, round); }
        }
    }

    [Theory]
    [InlineData("General { HashSize 1 } ")]
    [InlineData("x")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("Helper { Type ftp inet tcp { ")]
    [InlineData("a:")]
    [InlineData("1.")]
    [InlineData("/")]
    [InlineData("\u00e9")]
    [InlineData("General{ Filter { Protocol Accept { x } } } ")]
    [InlineData("General{ Filter { Address Ignore { IPv4_address 1.1.1.1 } } } ")]
    [InlineData("Sync { UDP { } } ")]
    [InlineData("Stats { Syslog x } ")]
    public void A_long_file_of_one_line_is_read_in_linear_time(string part)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(
            Enumerable.Repeat(part, 2_000_000 / part.Length)));
        long start = Stopwatch.GetTimestamp();

        ConfigParser.Parse("long.conf", text);

        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 10);
    }

    private static ConfigResult Parse(byte[] text, int round)
    {
        try
        {
            return ConfigParser.Parse("fuzz.conf", text);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"round {round}: {Convert.ToHexString(text)}", e);
        }
    }

    private static void CheckDiagnostics(ConfigResult result, int round)
    {
        foreach (Diagnostic diagnostic in result.Diagnostics)
        {
            Assert.True(diagnostic.Position.Line > 0 && diagnostic.Position.Column > 0);
            string text = diagnostic.Render();
            Assert.True(text.All(c => c is '\n' or '\t' || !char.IsControl(c)), $"round {round}");
        }
    }

    /// <summary>Flips, cuts, repeats and splices; two files may be mixed.</summary>
    private static byte[] Mutate(Random random, byte[][] corpus)
    {
        var text = new List<byte>(corpus[random.Next(corpus.Length)]);
        for (int step = random.Next(1, 6); step > 0; step--)
        {
            int at = random.Next(text.Count + 1);
            int length = random.Next(Math.Min(40, text.Count - at) + 1);
            switch (random.Next(6))
            {
                case 0 when at < text.Count:
                    text[at] = (byte)random.Next(256);
                    break;
                case 1:
                    text.RemoveRange(at, length);
                    break;
                case 2:
                    text.InsertRange(random.Next(text.Count + 1), text.GetRange(at, length));
                    break;
                case 3:
                    byte[] other = corpus[random.Next(corpus.Length)];
                    int from = random.Next(other.Length + 1);
                    text.InsertRange(at, other[from..random.Next(from, other.Length + 1)]);
                    break;
                case 4:
                    text.InsertRange(at, s_words[random.Next(s_words.Length)]);
                    break;
                default:
                    text.RemoveRange(at, text.Count - at);
                    break;
            }
        }
        return [.. text];
    }
}
