using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>The manual pages say what the program's own tables say.</summary>
public sealed class ManPageTests
{
    private static readonly string s_commandPage = Read("conntrackd.8");
    private static readonly string s_configPage = Read("conntrackd.conf.5");

    [Fact]
    public void The_command_page_has_every_option_and_no_other()
    {
        string[] found = [.. Regex.Matches(
                s_commandPage, @"^\.It (?:Fl (\w) , )?Fl Fl ([\w-]+)", RegexOptions.Multiline)
            .Select(m => (m.Groups[1].Success ? $"-{m.Groups[1].Value} " : "")
                + $"--{m.Groups[2].Value}")];
        string[] expected = [.. Completions.Options
            .Select(option => string.Join(' ', Completions.Spellings(option)))];
        Assert.Equal(expected.Order(), found.Order());
    }

    [Fact]
    public void The_command_page_has_the_words_behind_each_option()
    {
        foreach (CommandOption option in Completions.OptionsWithWords)
        {
            string head = $".It Fl {option.Letter} , Fl Fl {option.LongName} ";
            string item = s_commandPage[s_commandPage.IndexOf(head, StringComparison.Ordinal)..];
            item = item[..item.IndexOf("\n.It Fl ", StringComparison.Ordinal)];
            string[] found = [.. Regex.Matches(item, @"(?:\bCm|\|) (\w+)")
                .Select(m => m.Groups[1].Value).Distinct()];
            Assert.Equal(Completions.WordsOf(option).Order(), found.Order());
        }
    }

    [Fact]
    public void The_configuration_page_has_what_the_table_of_directives_says()
    {
        string expected = ManText.Renew(s_configPage);
        if (Environment.GetEnvironmentVariable("CONNTRACKD_WRITE") is not null)
        {
            File.WriteAllText(PathOf("conntrackd.conf.5"), expected);
        }
        Assert.Equal(expected, Read("conntrackd.conf.5"));
        Assert.All(ConfigParser.Directives, directive => Assert.Matches(
            $@"(?m)^\.(It Cm|Sh SECTION) {directive.Name}\b", expected));
    }

    [Fact]
    public void The_reference_file_is_what_the_table_of_directives_says()
    {
        string path = Path.Combine(Repository.Root, "packaging", "reference.conf");
        string expected = ReferenceText.Render();
        if (Environment.GetEnvironmentVariable("CONNTRACKD_WRITE") is not null)
        {
            File.WriteAllText(path, expected);
        }
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [ProgramTheory("groff")]
    [InlineData("conntrackd.8")]
    [InlineData("conntrackd.conf.5")]
    public void The_pages_are_set_without_a_warning(string page)
    {
        CommandResult result = Shell.Run(
            "groff", "-mdoc", "-ww", "-z", "-Tutf8", PathOf(page)).Checked();
        Assert.Equal("", result.Error);
    }

    [Fact]
    public void The_example_of_the_configuration_page_is_accepted()
    {
        string example = Regex.Match(
            s_configPage, @"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", RegexOptions.Multiline)
            .Groups[1].Value;
        ConfigResult result = ConfigParser.Parse(
            "example", System.Text.Encoding.ASCII.GetBytes(example));
        Assert.Empty(result.Diagnostics);
        Assert.NotNull(result.Options);
    }

    [Theory]
    [InlineData("\"Mode ALARM\"", ".Cm Mode ALARM ")]
    [InlineData("\"DisableInternalCache\"", ".Cm DisableInternalCache ")]
    [InlineData("\"a TCP link\"", ".Cm TCP ")]
    [InlineData("\"PollSecs\"", ".Cm PollSecs ")]
    [InlineData("no statistics mode", ".Cm Stats ")]
    [InlineData("ExpectationSync: expectations are not", ".Cm ExpectationSync\n")]
    [InlineData("Helper: helpers in user space are not", ".Cm Helper\n")]
    public void The_configuration_page_names_what_the_daemon_refuses(string refusal, string word)
    {
        string launcher = File.ReadAllText(
            Path.Combine(Repository.Root, "src", "Daemon", "Launcher.cs"));
        string caveats =
            s_configPage[s_configPage.IndexOf(".Sh CAVEATS", StringComparison.Ordinal)..];
        Assert.Equal(
            launcher.Contains(refusal, StringComparison.Ordinal),
            caveats.Contains(word, StringComparison.Ordinal));
    }

    private static string PathOf(string page) =>
        Path.Combine(Repository.Root, "packaging", "man", page);

    private static string Read(string page) => File.ReadAllText(PathOf(page));
}
