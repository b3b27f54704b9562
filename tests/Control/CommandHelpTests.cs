using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

public sealed class CommandHelpTests
{
    private const string OriginalVersion = "v1.4.9";

    [Fact]
    public void The_usage_begins_with_the_lines_of_the_original()
    {
        string expected = Golden.Read("help.txt")
            .Replace(OriginalVersion, "v" + CommandHelp.Version, StringComparison.Ordinal);
        string usage = Golden.Print(text => CommandHelp.AppendUsage(text, "conntrackd"));
        string help = Golden.Print(text => CommandHelp.AppendHelp(text, "conntrackd"));
        Assert.StartsWith(usage, help);
        Assert.Contains("\n  conntrackd --check  ", help);
        Assert.StartsWith(expected, usage);
        Assert.Contains("\n  -i, --dump-internal\n", usage);
        Assert.Contains("\n  -t, --reset-timers\n\n", usage);
        Assert.Contains("\n  --reload, apply the changed configuration file\n", usage);
        Assert.Contains("\n  --print-keepalived, ", usage);
        Assert.Contains("\n  --generate-key [file], make or extend a key file", usage);
    }

    [Fact]
    public void The_version_is_two_lines_and_the_first_is_that_of_the_original()
    {
        string[] expected = Golden.Read("version.txt")
            .Replace(OriginalVersion, "v" + CommandHelp.Version, StringComparison.Ordinal)
            .Split('\n');
        string[] lines = Golden.Print(CommandHelp.AppendVersion).Split('\n');
        Assert.Equal(expected.Length, lines.Length);
        Assert.Equal(expected[0], lines[0]);
        Assert.Equal(
            CommandHelp.Version, typeof(CommandHelp).Assembly.GetName().Version!.ToString(3));
    }
}
