using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("-c", ControlRequest.Commit)]
    [InlineData("-c ct", ControlRequest.CommitFlows)]
    [InlineData("-c exp", ControlRequest.CommitExpectations)]
    [InlineData("--commit expect", ControlRequest.CommitExpectations)]
    [InlineData("-f", ControlRequest.FlushCaches)]
    [InlineData("-f int", ControlRequest.FlushInternal)]
    [InlineData("-f external", ControlRequest.FlushExternal)]
    [InlineData("-F", ControlRequest.FlushKernel)]
    [InlineData("-F c", ControlRequest.FlushKernelFlows)]
    [InlineData("-F expect", ControlRequest.FlushKernelExpectations)]
    [InlineData("-i", ControlRequest.DumpInternal)]
    [InlineData("-i ct", ControlRequest.DumpInternal)]
    [InlineData("-i expect", ControlRequest.DumpInternalExpectations)]
    [InlineData("-i -x", ControlRequest.DumpInternalXml)]
    [InlineData("-i ct -x", ControlRequest.DumpInternalXml)]
    [InlineData("-i exp -x", ControlRequest.DumpInternalExpectationsXml)]
    [InlineData("-e", ControlRequest.DumpExternal)]
    [InlineData("--dump-external ct --xml", ControlRequest.DumpExternalXml)]
    [InlineData("-e e", ControlRequest.DumpExternalExpectations)]
    [InlineData("-e expect -x", ControlRequest.DumpExternalExpectationsXml)]
    [InlineData("-k", ControlRequest.Kill)]
    [InlineData("-R", ControlRequest.Resync)]
    [InlineData("-R ct", ControlRequest.ResyncFlows)]
    [InlineData("-R expect", ControlRequest.ResyncExpectations)]
    [InlineData("-n", ControlRequest.RequestResync)]
    [InlineData("--bulk", ControlRequest.SendBulk)]
    [InlineData("-t", ControlRequest.ResetTimers)]
    [InlineData("-s", ControlRequest.Statistics)]
    [InlineData("-s ct", ControlRequest.Statistics)]
    [InlineData("-s c", ControlRequest.StatisticsCache)]
    [InlineData("-s n", ControlRequest.StatisticsNetwork)]
    [InlineData("-s r", ControlRequest.StatisticsRuntime)]
    [InlineData("-s rs", ControlRequest.StatisticsResendQueue)]
    [InlineData("-s link", ControlRequest.StatisticsLink)]
    [InlineData("-s p", ControlRequest.StatisticsProcess)]
    [InlineData("--stats queue", ControlRequest.StatisticsQueue)]
    [InlineData("-s exp", ControlRequest.StatisticsExpectations)]
    internal void Every_documented_request_is_understood(string words, ControlRequest request)
    {
        CommandLine line = Parse(words);
        Assert.Equal(CommandKind.Request, line.Kind);
        Assert.Equal(request, line.Request);
        Assert.Empty(line.Warnings);
    }

    [Theory]
    [InlineData("", false, CommandLine.DefaultConfigPath)]
    [InlineData("-d", true, CommandLine.DefaultConfigPath)]
    [InlineData("-C a -d", true, "a")]
    [InlineData("--daemon --config a -C -b", true, "-b")]
    public void Without_a_request_the_daemon_starts(string words, bool background, string path)
    {
        CommandLine line = Parse(words);
        Assert.Equal(CommandKind.Daemon, line.Kind);
        Assert.Equal(background, line.Background);
        Assert.Equal(path, line.ConfigPath);
    }

    [Fact]
    public void A_request_keeps_the_configuration_path()
    {
        CommandLine line = Parse("-C /run/conntrackd/conntrackd.conf -s exp");
        Assert.Equal(CommandKind.Request, line.Kind);
        Assert.Equal("/run/conntrackd/conntrackd.conf", line.ConfigPath);
    }

    [Theory]
    [InlineData("--generate-key", null)]
    [InlineData("--generate-key /etc/x.key", "/etc/x.key")]
    [InlineData("--generate-key x -C y", "x")]
    public void A_key_goes_to_the_file_that_is_named(string words, string? path)
    {
        CommandLine line = Parse(words);
        Assert.Equal(CommandKind.GenerateKey, line.Kind);
        Assert.Equal(path, line.KeyPath);
    }

    [Theory]
    [InlineData("-h -d -i", CommandKind.Help)]
    [InlineData("--help", CommandKind.Help)]
    [InlineData("-d -v nonsense", CommandKind.Version)]
    [InlineData("--version", CommandKind.Version)]
    internal void Help_and_version_act_where_they_stand(string words, CommandKind kind) =>
        Assert.Equal(kind, Parse(words).Kind);

    [Theory]
    [InlineData("-z", "Unknown option: -z")]
    [InlineData("-", "Unknown option: -")]
    [InlineData("xi", "Unknown option: xi")]
    [InlineData("-ix", "Unknown option: -ix")]
    [InlineData("-dC a", "Unknown option: -dC")]
    [InlineData("--intern", "Unknown option: --intern")]
    [InlineData("--dump-interal", "Unknown option: --dump-interal (did you mean "
        + "`--dump-internal'?)")]
    [InlineData("-help", "Unknown option: -help (did you mean `--help'?)")]
    [InlineData("-k now", "Unknown option: now")]
    [InlineData("--generate-key -d", "Invalid parameters: `-d' and `--generate-key' exclude "
        + "each other")]
    [InlineData("-i -x ct", "Unknown option: ct")]
    [InlineData("-z -h", "Unknown option: -z")]
    [InlineData("-s -C", "Missing config filename")]
    [InlineData("-x", "Invalid parameters: `-x' must follow a dump (-i or -e)")]
    [InlineData("-x -i", "Invalid parameters: `-x' must follow a dump (-i or -e)")]
    [InlineData("-s -x", "Invalid parameters: `-x' must follow a dump (-i or -e)")]
    [InlineData("-i -x -x", "Invalid parameters: `-x' must follow a dump (-i or -e)")]
    [InlineData("-d --kill", "Invalid parameters: `--kill' and `-d' exclude each other")]
    [InlineData("-k -d", "Invalid parameters: `-d' and `-k' exclude each other")]
    public void Misuse_is_an_error_with_usage(string words, string error)
    {
        CommandLine line = Parse(words);
        Assert.Equal(CommandKind.Invalid, line.Kind);
        Assert.Equal(error, line.Error);
        Assert.True(line.WantsUsage);
    }

    [Theory]
    [InlineData("-i internal", "unknown parameter `internal' for option `-i'")]
    [InlineData("-i stuff", "unknown parameter `stuff' for option `-i'")]
    [InlineData("-e external", "unknown parameter `external' for option `-e'")]
    [InlineData("-f all", "unknown parameter `all' for option `-f'")]
    [InlineData("-s ctx", "unknown parameter `ctx' for option `-s'")]
    [InlineData("-c expects", "unknown parameter `expects' for option `-c'")]
    public void A_word_that_fits_no_table_is_an_error(string words, string error)
    {
        CommandLine line = Parse(words);
        Assert.Equal(CommandKind.Invalid, line.Kind);
        Assert.Equal(error, line.Error);
        Assert.False(line.WantsUsage);
    }

    [Fact]
    public void An_empty_word_is_an_error()
    {
        Assert.Equal("Unknown option: ", CommandLine.Parse([""]).Error);
        Assert.Equal(
            "unknown parameter `' for option `-f'", CommandLine.Parse(["-f", ""]).Error);
    }

    [Fact]
    public void Of_two_requests_the_last_is_sent_with_a_warning()
    {
        CommandLine line = Parse("-i -s");
        Assert.Equal(ControlRequest.Statistics, line.Request);
        Assert.Equal(["one request at a time: `-s' is sent, `-i' is not"], line.Warnings);
    }

    [Theory]
    [InlineData("-s multicast")]
    [InlineData("-s m")]
    public void The_old_name_of_link_works_with_a_warning(string words)
    {
        CommandLine line = Parse(words);
        Assert.Equal(ControlRequest.StatisticsLink, line.Request);
        Assert.Equal(["use `link' instead of `multicast' as parameter."], line.Warnings);
    }

    [Fact]
    public void Letters_and_long_names_are_unique()
    {
        var seen = new System.Collections.Generic.HashSet<string>();
        CommandOption[] all = [.. CommandOptions.General, .. CommandOptions.Client];
        foreach (CommandOption option in all)
        {
            Assert.True(seen.Add($"-{option.Letter}"));
            Assert.True(seen.Add($"--{option.LongName}"));
            Assert.Same(option, CommandOptions.Find($"-{option.Letter}"));
            Assert.Same(option, CommandOptions.Find($"--{option.LongName}"));
        }
    }

    private static CommandLine Parse(string words) =>
        CommandLine.Parse(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
