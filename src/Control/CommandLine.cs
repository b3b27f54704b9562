using System.Collections.Generic;

namespace Conntrackd.Control;

/// <summary>What the program was started for.</summary>
internal enum CommandKind : byte
{
    Daemon,
    Request,
    Help,
    Version,

    /// <summary>Check the configuration file.</summary>
    Check,

    /// <summary>Print the settings that a daemon would have.</summary>
    PrintConfig,

    /// <summary>Print the whole language of the configuration.</summary>
    PrintReference,

    /// <summary>Print what keepalived.conf needs.</summary>
    PrintKeepalived,

    /// <summary>Make a key for a sealed link.</summary>
    GenerateKey,

    /// <summary>The words make no sense: print the error, exit with status 1.</summary>
    Invalid,
}

/// <summary>The command line, understood. Pure: reads no file, prints nothing.</summary>
/// <remarks>
/// An option is a dash and one letter, or two dashes and its long name. The original looks at the
/// second letter of any word, so that <c>-i internal</c> asked the peer for a resync; here a word
/// that is no option and fits no table is an error. Words are taken from left to right and the
/// first problem ends the reading, as does <c>-h</c> or <c>-v</c>. Two requests are no error, for
/// the original accepts them: the last one is sent, and a warning names the one that is not.
/// </remarks>
internal sealed record CommandLine
{
    internal const string DefaultConfigPath = "/etc/conntrackd/conntrackd.conf";

    internal CommandKind Kind { get; private init; }

    /// <summary>True if the daemon shall leave the terminal.</summary>
    internal bool Background { get; private init; }

    internal string ConfigPath { get; private init; } = DefaultConfigPath;

    /// <summary>The file that a key is to go to; null: standard output.</summary>
    internal string? KeyPath { get; private init; }

    /// <summary>What to ask the daemon, if <see cref="Kind"/> says so.</summary>
    internal ControlRequest Request { get; private init; }

    /// <summary>Lines for standard error; the work goes on.</summary>
    internal IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>Why the words make no sense; null if they do.</summary>
    internal string? Error { get; private init; }

    /// <summary>True if the usage text explains the error better than its line does.</summary>
    internal bool WantsUsage { get; private init; }

    /// <summary>Reads the words that follow the program's name.</summary>
    internal static CommandLine Parse(ReadOnlySpan<string> words)
    {
        var reader = new Reader(words);
        while (reader.TryTake(out string? word))
        {
            CommandLine? early = Take(ref reader, word);
            if (early is not null) { return early; }
        }
        return new CommandLine
        {
            Kind = reader.Kind
                ?? (reader.Request is null ? CommandKind.Daemon : CommandKind.Request),
            Background = reader.Background,
            ConfigPath = reader.ConfigPath,
            KeyPath = reader.KeyPath,
            Request = reader.Request.GetValueOrDefault(),
            Warnings = reader.Warnings,
        };
    }

    /// <summary>Takes one option with its operand; not null if the reading ends here.</summary>
    private static CommandLine? Take(ref Reader reader, string word)
    {
        CommandOption? option = CommandOptions.Find(word);
        switch (option?.Letter)
        {
            case null:
                string? near = CommandOptions.Nearest(word);
                return Invalid($"Unknown option: {word}"
                    + (near is null ? "" : $" (did you mean `{near}'?)"));

            case CommandOptions.Help:
                return new CommandLine { Kind = CommandKind.Help };

            case CommandOptions.Version:
                return new CommandLine { Kind = CommandKind.Version };

            case CommandOptions.Config:
                if (reader.TryTake(out string? path))
                {
                    reader.ConfigPath = path;
                    return null;
                }
                return Invalid("Missing config filename");

            case CommandOptions.Check or CommandOptions.PrintConfig
                or CommandOptions.PrintReference or CommandOptions.PrintKeepalived
                or CommandOptions.GenerateKey:
                if (reader.Background) { return Conflict(word, "-d"); }
                if (reader.Task.Length > 0) { return Conflict(word, reader.Task); }
                reader.Kind = TaskOf(option.Letter);
                reader.Task = word;
                if (reader.Kind == CommandKind.GenerateKey
                    && reader.TryTakeOperand(out string? keys)) { reader.KeyPath = keys; }
                return null;

            case CommandOptions.Daemon:
                if (reader.Task.Length > 0) { return Conflict(word, reader.Task); }
                reader.Background = true;
                return null;

            case CommandOptions.Xml:
                if (!CommandOptions.TryGetXml(reader.Request, out ControlRequest xml))
                {
                    return Invalid($"Invalid parameters: `{word}' must follow a dump (-i or -e)");
                }
                reader.Request = xml;
                return null;

            case CommandOptions.Output:
                return TakeForm(ref reader, word);

            default:
                return TakeRequest(ref reader, option!, word);
        }
    }

    /// <summary>What is done without a daemon, neither running nor to be started.</summary>
    private static CommandKind TaskOf(char letter) => letter switch
    {
        CommandOptions.Check => CommandKind.Check,
        CommandOptions.PrintConfig => CommandKind.PrintConfig,
        CommandOptions.PrintReference => CommandKind.PrintReference,
        CommandOptions.GenerateKey => CommandKind.GenerateKey,
        _ => CommandKind.PrintKeepalived,
    };

    private static CommandLine? TakeForm(ref Reader reader, string word)
    {
        if (!reader.TryTakeOperand(out string? name)
            || !ReplyForms.TryFind(name, out ReplyForm form))
        {
            return Invalid($"Invalid parameters: `{word}' needs json or extended");
        }
        if (ReplyForms.Combine(reader.Request, form) is not ControlRequest request)
        {
            return Invalid($"Invalid parameters: `{word}' must follow -i, -e (flows) or -s");
        }
        reader.Request = request;
        return null;
    }

    private static CommandLine? TakeRequest(ref Reader reader, CommandOption option, string word)
    {
        if (reader.Background) { return Conflict(word, "-d"); }
        if (reader.Kind is not null) { return Conflict(word, reader.Task); }
        if (reader.Request is not null)
        {
            reader.Warnings.Add(
                $"one request at a time: `{word}' is sent, `{reader.Task}' is not");
        }
        reader.Request = option.Request;
        reader.Task = word;
        if (option.Words.Length == 0 || !reader.TryTakeOperand(out string? operand))
        {
            return null;
        }
        if (!TryFindWord(option, operand, out CommandWord found))
        {
            return new CommandLine
            {
                Kind = CommandKind.Invalid,
                Error = $"unknown parameter `{operand}' for option `{word}'",
            };
        }
        reader.Request = found.Request;
        if (found.Successor is not null)
        {
            reader.Warnings.Add(
                $"use `{found.Successor}' instead of `{found.Text}' as parameter.");
        }
        return null;
    }

    /// <summary>
    /// Finds the first word that begins so. An empty operand fits none: it is an unset variable of
    /// a script, and guessing a table to flush would be wrong.
    /// </summary>
    private static bool TryFindWord(CommandOption option, string operand, out CommandWord found)
    {
        found = default;
        if (operand.Length == 0) { return false; }
        foreach (CommandWord word in option.Words)
        {
            if (!word.Text.StartsWith(operand, StringComparison.Ordinal)) { continue; }
            found = word;
            return true;
        }
        return false;
    }

    private static CommandLine Conflict(string word, string earlier) => Invalid(
        $"Invalid parameters: `{word}' and `{earlier}' exclude each other");

    private static CommandLine Invalid(string error) =>
        new() { Kind = CommandKind.Invalid, Error = error, WantsUsage = true };

    /// <summary>The words not yet read, and what the read ones said.</summary>
    private ref struct Reader(ReadOnlySpan<string> words)
    {
        private ReadOnlySpan<string> _words = words;

        internal bool Background;
        internal string ConfigPath = DefaultConfigPath;
        internal string? KeyPath;
        internal ControlRequest? Request;
        internal CommandKind? Kind;

        /// <summary>The word that asks for something but a daemon; empty if none did.</summary>
        internal string Task = "";
        internal readonly List<string> Warnings = [];

        internal bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? word)
        {
            word = _words.IsEmpty ? null : _words[0];
            if (word is null) { return false; }
            _words = _words[1..];
            return true;
        }

        /// <summary>Takes the next word unless it begins with a dash.</summary>
        internal bool TryTakeOperand(
            [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? word)
        {
            word = null;
            return !_words.IsEmpty && !_words[0].StartsWith('-') && TryTake(out word);
        }
    }
}
