using System.Collections.Generic;
using System.Globalization;
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
    public void The_configuration_page_has_every_directive_and_no_other()
    {
        string[] found = [.. Items().Select(item => item.Name).Distinct()];
        string[] expected =
            [.. ConfigParser.Directives.Select(directive => directive.Name).Distinct()];
        Assert.Equal(expected.Order(), found.Order());
    }

    [Theory]
    [InlineData("HashSize", Options.HashSizeDefault)]
    [InlineData("HashLimit", Options.HashLimitDefault)]
    [InlineData("EventIterationLimit", Options.EventIterationLimitDefault)]
    [InlineData("PurgeTimeout", SyncOptions.PurgeTimeoutSecondsDefault)]
    [InlineData("RefreshTime", SyncOptions.RefreshSecondsDefault)]
    [InlineData("CacheTimeout", SyncOptions.CacheTimeoutSecondsDefault)]
    [InlineData("ResendQueueSize", SyncOptions.ResendQueueSizeDefault)]
    [InlineData("ACKWindowSize", SyncOptions.AckWindowSizeDefault)]
    [InlineData("ErrorQueueLength", SyncOptions.ErrorQueueLengthDefault)]
    public void The_configuration_page_has_the_defaults(string directive, uint value)
    {
        string text = Items().First(item => item.Name == directive).Text;
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"The default is {value}."), text);
    }

    [Theory]
    [InlineData("LockFile", Options.LockFileDefault)]
    [InlineData("Path", Options.UnixPathDefault)]
    [InlineData("LogFile", Options.LogFileDefault)]
    public void The_configuration_page_has_the_paths(string directive, string path) =>
        Assert.Contains(
            path, Items().Last(item => item.Name == directive).Text, StringComparison.Ordinal);

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

    private static List<(string Name, string Text)> Items()
    {
        MatchCollection heads = Regex.Matches(
            s_configPage, @"^\.It Cm ([\w]+).*$", RegexOptions.Multiline);
        var items = new List<(string, string)>();
        for (int i = 0; i < heads.Count; i++)
        {
            int end = i + 1 < heads.Count ? heads[i + 1].Index : s_configPage.Length;
            items.Add((heads[i].Groups[1].Value, s_configPage[heads[i].Index..end]));
        }
        return items;
    }

    private static string PathOf(string page) =>
        Path.Combine(Repository.Root, "packaging", "man", page);

    private static string Read(string page) => File.ReadAllText(PathOf(page));
}
