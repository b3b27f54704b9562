using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using Conntrackd.Config;
using Xunit;

namespace Conntrackd.Tests.Config;

/// <summary>
/// The corpus of configuration files with the verdicts of conntrack-tools 1.4.7 (corpus/README.md).
/// </summary>
public sealed class CorpusTests
{
    public static TheoryData<string, string> Files
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (string line in File.ReadLines(Path.Combine(Folder(), "index.tsv")).Skip(1))
            {
                string[] columns = line.Split('\t');
                files.Add(columns[0], columns[5]);
            }
            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Each_file_gets_the_verdict_of_the_original(string file, string originalSays)
    {
        ConfigResult result = Parse(file);
        bool isExpected = file.StartsWith("valid/", StringComparison.Ordinal)
            || VerdictChanges.AcceptedFiles.ContainsKey(file);
        string said = string.Join("\n", result.Diagnostics.Select(d => d.Render()));

        Assert.True(isExpected == (result.Options is not null), said);
        Assert.Equal(!isExpected, result.Diagnostics.Any(d => d.Severity == Severity.Error));

        // A syntax error is reported in the line in which the original reports it.
        const string Mark = "config file in line (";
        int at = originalSays.IndexOf(Mark, StringComparison.Ordinal);
        if (at >= 0 && !isExpected)
        {
            int line = int.Parse(originalSays[(at + Mark.Length)..].Split(')')[0]);
            Assert.Contains(result.Diagnostics, d => d.Position.Line == line);
        }
    }

    [Fact]
    public void Texts_judged_differently_are_judged_as_listed()
    {
        foreach ((string text, string reason) in VerdictChanges.AcceptedTexts)
        {
            Assert.True(Parsing.Parse(text).Options is not null, reason);
        }
        foreach ((string text, string reason) in VerdictChanges.RefusedTexts)
        {
            Assert.True(Parsing.Parse(text).Options is null, reason);
        }
    }

    [Fact]
    public void Every_file_of_the_corpus_is_in_the_index()
    {
        string[] files = Directory.EnumerateFiles(Folder(), "*.conf", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Folder(), f)).Order().ToArray();
        string[] indexed = File.ReadLines(Path.Combine(Folder(), "index.tsv")).Skip(1)
            .Select(l => l.Split('\t')[0]).Order().ToArray();

        Assert.Equal(indexed, files);
    }

    [Fact]
    public void What_is_said_about_the_corpus_is_what_the_transcript_holds()
    {
        var said = new StringBuilder();
        foreach (string line in File.ReadLines(Path.Combine(Folder(), "index.tsv")).Skip(1))
        {
            string file = line.Split('\t')[0];
            ConfigResult result = Parse(file);
            if (result.Diagnostics.Count == 0) { continue; }
            said.Append("# ").Append(file).Append('\n');
            foreach (Diagnostic diagnostic in result.Diagnostics)
            {
                said.Append(diagnostic.Severity == Severity.Error ? "error: " : "warning: ")
                    .Append(diagnostic.Render()).Append('\n');
            }
        }
        string transcript = Path.Combine(Folder(), "diagnostics.txt");
        if (Environment.GetEnvironmentVariable("CONNTRACKD_WRITE_TRANSCRIPT") == "1")
        {
            File.WriteAllText(transcript, said.ToString());
        }

        Assert.Equal(File.ReadAllText(transcript), said.ToString());
    }

    internal static string Folder([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "corpus");

    private static ConfigResult Parse(string file) =>
        ConfigParser.Parse(Path.GetFileName(file), File.ReadAllBytes(Path.Combine(Folder(), file)));
}
