using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>The figures of the README stand in the files that it names.</summary>
public sealed class FiguresTests
{
    private const string Nanoseconds = ", ns";
    private static readonly string[] s_facts =
        ["- CPU: ", "- kernel: ", "- runtime: ", "- commit: "];

    [Fact]
    public void Every_quoted_figure_stands_in_its_file()
    {
        string[][] rows = [.. QuotedRows()];
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            string path = Regex.Match(row[3], @"\((bench/results/[^)]+)\)").Groups[1].Value;
            string text = File.ReadAllText(Path.Combine(Repository.Root, path));
            string[] cells = CellsOf(text, row[0]);
            Assert.Contains(row[2], cells);
            if (row[1] != "–") { Assert.Contains(row[1], cells); }
        });
    }

    [Fact]
    public void The_files_say_where_and_on_what_they_were_measured()
    {
        string folder = Path.Combine(Repository.Root, "bench", "results");
        string[] files = Directory.GetFiles(folder, "*.md", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            string[] lines = File.ReadAllLines(file);
            Assert.All(s_facts, fact => Assert.Contains(
                lines, line => line.StartsWith(fact, StringComparison.Ordinal)));
        });
    }

    private static IEnumerable<string[]> QuotedRows()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string block = Regex.Match(
            readme, "<!-- figures: (.*?)<!-- end of the figures -->", RegexOptions.Singleline)
            .Groups[1].Value;
        return block.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Skip(1).Select(Split);
    }

    // The row of a loop, "name, ns", or of a metric of the comparison, "scenario: metric".
    private static string[] CellsOf(string text, string name)
    {
        bool isLoop = name.EndsWith(Nanoseconds, StringComparison.Ordinal);
        string scenario = isLoop ? "" : name.Split(": ", 2)[0];
        string wanted = isLoop ? name[..^Nanoseconds.Length] : name.Split(": ", 2)[1];
        int start = isLoop ? 0 : text.IndexOf($"\n## {scenario}:", StringComparison.Ordinal);
        Assert.True(start >= 0, $"no scenario {scenario}");
        foreach (string line in text[start..].Split('\n'))
        {
            string[] cells = Split(line);
            if (cells[0] == wanted) { return cells; }
        }
        throw new InvalidOperationException($"no row {wanted}");
    }

    private static string[] Split(string line) =>
        [.. line.Trim('|', ' ').Split('|').Select(cell => cell.Trim())];
}
