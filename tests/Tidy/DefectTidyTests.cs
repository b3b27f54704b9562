using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Tidy;

/// <summary>
/// docs/defects.md has a row for every numbered defect of the original, with the tests that show
/// what holds here; those tests are there and bear the number ("--filter Defect=6").
/// </summary>
public sealed class DefectTidyTests
{
    private const int Numbered = 35, OfTheWire = 8;

    // What a wall clock may decide: the text of a log or a listing, and a first sequence.
    private static readonly string[] s_wallClockFiles =
    [
        "src/Daemon/CacheDump.cs", "src/Daemon/FlowLog.cs", "src/Daemon/FlowWriter.cs",
        "src/Daemon/KernelDump.cs", "src/Daemon/Node.cs",
        "src/Linux/Clock.cs", "src/Linux/Log.cs", "src/Linux/Syslog.cs",
    ];

    private static readonly Regex s_row = new(@"(?m)^\| (\w+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$");

    private sealed record Row(string Number, string Here, string[] Tests);

    [Fact]
    public void Every_number_has_a_row_that_says_gone_or_kept()
    {
        List<Row> rows = Rows();
        Assert.Equal(
            Enumerable.Range(1, Numbered).Select(n => $"{n}")
                .Concat(Enumerable.Range(1, OfTheWire).Select(n => $"W{n}")),
            rows.Select(row => row.Number));
        Assert.All(rows, row => Assert.Matches("^(gone|kept|never here)", row.Here));
    }

    [Fact]
    public void Every_row_names_tests_that_exist_and_bear_its_number()
    {
        var listed = Rows().SelectMany(row => row.Tests.Select(test => (row.Number, test)));
        var marked = typeof(DefectTidyTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .SelectMany(method => NumbersOf(method)
                .Select(number => (number, $"{method.DeclaringType!.Name}.{method.Name}")));
        Assert.Equal(marked.Order(), listed.Order());
    }

    [Fact]
    [Trait("Defect", "2")]
    public void Only_text_and_first_sequences_come_from_the_wall_clock()
    {
        string root = Repository.Root;
        string[] files = [.. Directory.EnumerateFiles(
                Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => Regex.IsMatch(
                File.ReadAllText(path), @"\bWallSeconds\b|\bDateTime\b|\bTimeProvider\b"))
            .Select(path => Path.GetRelativePath(root, path))
            .Order(StringComparer.Ordinal)];
        Assert.Equal(s_wallClockFiles, files);
    }

    private static List<Row> Rows() =>
        [.. s_row.Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "defects.md")))
            .Where(match => match.Groups[1].Value != "n")
            .Select(match => new Row(
                match.Groups[1].Value, match.Groups[2].Value,
                [.. Regex.Matches(match.Groups[3].Value, "`([^`]+)`").Select(m => m.Groups[1].Value)
                ]))];

    private static IEnumerable<string> NumbersOf(MethodInfo method) => method
        .GetCustomAttributesData()
        .Where(data => data.AttributeType == typeof(TraitAttribute)
            && (string?)data.ConstructorArguments[0].Value == "Defect")
        .Select(data => (string)data.ConstructorArguments[1].Value!);
}
