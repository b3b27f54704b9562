using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// The known hard cases as texts: commands, dashes, what happened, an empty line.
/// CONNTRACKD_RECORD=1 writes the transcripts anew; read the difference before you keep it.
/// </summary>
public sealed class ScenarioTests
{
    private const string Dashes = "----";

    public static TheoryData<string> Names =>
        [.. Directory.GetFiles(Folder(), "*.txt")
            .Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_happens_is_what_the_transcript_says(string name)
    {
        string path = Path.Combine(Folder(), name + ".txt");
        string expected = File.ReadAllText(path);
        string actual = Play(expected);
        if (Environment.GetEnvironmentVariable("CONNTRACKD_RECORD") is not null)
        {
            File.WriteAllText(path, actual);
            expected = actual;
        }
        Assert.Equal(expected, actual);
    }

    // The text with its transcripts written anew.
    private static string Play(string text)
    {
        var written = new StringBuilder();
        using var scenario = new Scenario();
        bool inTranscript = false;
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.Length == 0) { inTranscript = false; }
            if (inTranscript) { continue; }
            written.Append(line).Append('\n');
            if (line == Dashes)
            {
                inTranscript = true;
                written.Append(scenario.TakeTranscript());
            }
            else if (line.Length != 0 && line[0] != '#') { scenario.Do(line); }
        }
        return written.ToString();
    }

    private static string Folder([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "scenarios");
}
