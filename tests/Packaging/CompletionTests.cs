using System.IO;
using System.Linq;
using Conntrackd.Control;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

public sealed class CompletionTests
{
    private static readonly string s_folder =
        Path.Combine(Repository.Root, "packaging", "completions");

    [Theory]
    [InlineData("conntrackd.bash")]
    [InlineData("_conntrackd")]
    [InlineData("conntrackd.fish")]
    public void The_files_are_what_the_table_of_options_says(string file)
    {
        string path = Path.Combine(s_folder, file);
        string expected = file switch
        {
            "conntrackd.bash" => Completions.Bash(),
            "_conntrackd" => Completions.Zsh(),
            _ => Completions.Fish(),
        };
        if (Environment.GetEnvironmentVariable("CONNTRACKD_WRITE") is not null)
        {
            File.WriteAllText(path, expected);
        }
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [Fact]
    public void Bash_completes_every_option_in_both_spellings()
    {
        string[] expected = [.. Completions.Options.SelectMany(Completions.Spellings)];
        Assert.Equal(expected.Order(), Complete("conntrackd", "-").Order());
        Assert.Equal(["--dump-internal"], Complete("conntrackd", "--dump-i"));
    }

    [Fact]
    public void Bash_completes_the_words_behind_each_option()
    {
        foreach (CommandOption option in Completions.OptionsWithWords)
        {
            foreach (string spelling in Completions.Spellings(option))
            {
                Assert.Equal(
                    Completions.WordsOf(option).Order(),
                    Complete("conntrackd", spelling, "").Order());
            }
        }
        Assert.Equal(["rsqueue", "runtime"], Complete("conntrackd", "-s", "r").Order());
    }

    [Fact]
    public void Bash_completes_files_behind_the_configuration_option()
    {
        string path = Path.Combine(Repository.Root, "conntrackd.conf");
        Assert.Equal([path], Complete("conntrackd", "-C", path[..^1]));
    }

    /// <summary>zsh loads the function as its completion system would.</summary>
    [ProgramFact("zsh")]
    public void Zsh_loads_the_function()
    {
        const string Script = "fpath=(\"$1\" $fpath); autoload -Uz compinit; "
            + "compinit -u -D; print -r -- $_comps[conntrackd]; autoload +X _conntrackd";
        CommandResult result = Shell.Run("zsh", "-fc", Script, "zsh", s_folder).Checked();
        Assert.Equal("_conntrackd\n", result.Output);
        Assert.Equal("", result.Error);
    }

    [ProgramFact("fish")]
    public void Fish_completes_options_and_the_words_behind_them()
    {
        string[] options = [.. Completions.Options.Select(option => $"--{option.LongName}")];
        Assert.Equal(options.Order(), CompleteInFish("conntrackd --").Order());
        foreach (CommandOption option in Completions.OptionsWithWords)
        {
            Assert.Equal(
                Completions.WordsOf(option).Order(),
                CompleteInFish($"conntrackd --{option.LongName} ").Order());
        }
    }

    private static string[] CompleteInFish(string line) =>
    [
        .. Shell.Run("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
            Path.Combine(s_folder, "conntrackd.fish"), line).Checked().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(answer => answer.Split('\t')[0]),
    ];

    private static string[] Complete(params string[] words) => Shell.Run(
        "bash", ["-c",
            "source \"$0\" || exit; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _conntrackd; "
                + "printf '%s\\n' \"${COMPREPLY[@]}\"",
            Path.Combine(s_folder, "conntrackd.bash"), .. words])
        .Checked().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
