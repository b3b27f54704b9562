using System.Collections.Generic;
using System.Linq;
using System.Text;
using Conntrackd.Control;

namespace Conntrackd.Tests.Packaging;

/// <summary>The files of packaging/completions, made from the table of options.</summary>
internal static class Completions
{
    private const string Head =
        "# SPDX-License-Identifier: GPL-2.0-or-later\n"
        + "# Made from the table of options by tests/Packaging; a test compares them. To make it\n"
        + "# anew: CONNTRACKD_WRITE=1 ./build.sh test --filter FullyQualifiedName~Completion\n";

    /// <summary>Every option, those of the daemon first, those of our own last.</summary>
    internal static IEnumerable<CommandOption> Options =>
        CommandOptions.General.Concat(CommandOptions.Client).Concat(CommandOptions.Own);

    /// <summary>The words that may follow an option, without those of old times.</summary>
    internal static string[] WordsOf(CommandOption option) =>
        option.Letter == CommandOptions.Output ? ["json", "extended"]
        : [.. option.Words.Where(word => word.Successor is null).Select(word => word.Text)];

    /// <summary>Those that words may follow.</summary>
    internal static IEnumerable<CommandOption> OptionsWithWords =>
        Options.Where(option => WordsOf(option).Length > 0);

    /// <summary>Options that a file may follow.</summary>
    internal static bool TakesFile(CommandOption option) =>
        option.Letter is CommandOptions.Config or CommandOptions.GenerateKey;

    /// <summary>The spellings of an option: some have no letter.</summary>
    internal static string[] Spellings(CommandOption option) => char.IsControl(option.Letter)
        ? [$"--{option.LongName}"] : [$"-{option.Letter}", $"--{option.LongName}"];

    internal static string Bash()
    {
        var text = new StringBuilder(Head);
        text.Append("\n_conntrackd()\n{\n    local current=${COMP_WORDS[COMP_CWORD]} words=\n");
        text.Append("    COMPREPLY=()\n    case ${COMP_WORDS[COMP_CWORD - 1]} in\n");
        foreach (CommandOption option in Options)
        {
            string pattern = string.Join(" | ", Spellings(option));
            if (TakesFile(option))
            {
                text.Append($"    {pattern})\n        compopt -o filenames 2>/dev/null\n");
                text.Append("        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n");
                text.Append("        return ;;\n");
            }
            else if (WordsOf(option).Length > 0)
            {
                text.Append($"    {pattern}) words='{string.Join(' ', WordsOf(option))}' ;;\n");
            }
        }
        text.Append("    esac\n    if [[ $current == -* || -z $words ]]; then\n        words='");
        text.AppendJoin("\n            ", Options.Select(o => string.Join(' ', Spellings(o))));
        text.Append("'\n    fi\n");
        text.Append("    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n}\n");
        return text.Append("complete -F _conntrackd conntrackd\n").ToString();
    }

    internal static string Zsh()
    {
        var text = new StringBuilder("#compdef conntrackd\n" + Head + "\n_arguments \\\n");
        text.AppendJoin(" \\\n", Options.Select(option =>
        {
            string[] names = Spellings(option);
            string argument = option.Letter == CommandOptions.Config
                ? ":configuration file:_files"
                : option.Letter == CommandOptions.GenerateKey ? "::key file:_files"
                : WordsOf(option).Length > 0
                    ? $"::what:({string.Join(' ', WordsOf(option))})" : "";
            return names.Length == 1 ? $"    '{names[0]}[{option.Help}]{argument}'"
                : $"    '({string.Join(' ', names)})'{{{string.Join(',', names)}}}"
                + $"'[{option.Help}]{argument}'";
        }));
        return text.Append('\n').ToString();
    }

    internal static string Fish()
    {
        var text = new StringBuilder(Head);
        text.Append("\nfunction __conntrackd_follows\n");
        text.Append("    set -l words (commandline -opc)\n");
        text.Append("    contains -- $words[-1] $argv\nend\n\ncomplete -c conntrackd -f\n");
        foreach (CommandOption option in Options)
        {
            string file = option.Letter == CommandOptions.Config ? " -r -F"
                : TakesFile(option) ? " -F" : "";
            string letter = char.IsControl(option.Letter) ? "" : $" -s {option.Letter}";
            text.Append($"complete -c conntrackd{letter} -l {option.LongName}{file}");
            text.Append($" -d '{option.Help}'\n");
            if (WordsOf(option).Length > 0)
            {
                text.Append("complete -c conntrackd -n '__conntrackd_follows ");
                text.AppendJoin(' ', Spellings(option));
                text.Append($"' -a '{string.Join(' ', WordsOf(option))}'\n");
            }
        }
        return text.ToString();
    }
}
