using System.Collections.Generic;
using Conntrackd.Config;

namespace Conntrackd.Control;

/// <summary>A word that may follow an option, and the request the two of them make.</summary>
/// <param name="Text">The word; the user may shorten it.</param>
/// <param name="Request">What is sent.</param>
/// <param name="Successor">The word to use instead, if this one is of old times.</param>
internal readonly record struct CommandWord(
    string Text, ControlRequest Request, string? Successor = null);

/// <summary>One option of the command line.</summary>
/// <param name="Letter">The letter behind the dash; a control character: none.</param>
/// <param name="LongName">The same after two dashes.</param>
/// <param name="Operand">What follows, as the help shows it; empty if nothing may follow.</param>
/// <param name="Help">One line of help.</param>
internal sealed record CommandOption(char Letter, string LongName, string Operand, string Help)
{
    /// <summary>The request of the bare option; null for options that are no request.</summary>
    internal ControlRequest? Request { get; init; }

    /// <summary>The words that may follow, in the order in which prefixes are tried.</summary>
    internal CommandWord[] Words { get; init; } = [];
}

/// <summary>Every option there is: the command line and the help text are made from it.</summary>
/// <remarks>Letters, words and their order: shared spec cli, section 1.</remarks>
internal static class CommandOptions
{
    internal const char Daemon = 'd';
    internal const char Config = 'C';
    internal const char Version = 'v';
    internal const char Help = 'h';
    internal const char Xml = 'x';
    internal const char Output = 'o';

    // Options of ours have long names only; these stand where the others have their letter.
    internal const char Check = '\u0001';
    internal const char PrintConfig = '\u0002';
    internal const char Reload = '\u0003';
    internal const char PrintKeepalived = '\u0004';
    internal const char GenerateKey = '\u0005';
    internal const char PrintReference = '\u0006';

    private const string Tables = "[ct|expect]";
    private const string Topics =
        " [network|cache|runtime|link|rsqueue|queue|ct|expect]";

    /// <summary>Options that start the daemon or tell about the program.</summary>
    internal static readonly CommandOption[] General =
    [
        new(Daemon, "daemon", "", "run in daemon mode"),
        new(Config, "config", "[configfile]", "configuration file path"),
        new(Version, "version", "", "display conntrackd version"),
        new(Help, "help", "", "display this help information"),
    ];

    /// <summary>Options that the original does not have.</summary>
    internal static readonly CommandOption[] Own =
    [
        new(Output, "output", "[json|extended]", "form of the answer (requires -i, -e or -s)"),
        new(Check, "check", "", "check the configuration file, start nothing"),
        new(PrintConfig, "print-config", "", "show the settings in force and where they are from"),
        new(Reload, "reload", "", "apply the changed configuration file")
        {
            Request = ControlRequest.Reload,
        },
        new(PrintReference, "print-reference", "", "print every directive with an explanation"),
        new(PrintKeepalived, "print-keepalived", "", "print what keepalived.conf needs"),
        new(GenerateKey, "generate-key", "[file]", "make or extend a key file (see KeyFile)"),
    ];

    /// <summary>Options that ask the running daemon for something.</summary>
    internal static readonly CommandOption[] Client =
    [
        Table('c', "commit", "commit external cache to conntrack table",
            ControlRequest.Commit, ControlRequest.CommitFlows, ControlRequest.CommitExpectations),
        new('f', "flush", "[internal|external]", "flush internal and external cache")
        {
            Request = ControlRequest.FlushCaches,
            Words =
            [
                new("internal", ControlRequest.FlushInternal),
                new("external", ControlRequest.FlushExternal),
            ],
        },
        Table('F', "flush-kernel", "flush kernel conntrack table",
            ControlRequest.FlushKernel, ControlRequest.FlushKernelFlows,
            ControlRequest.FlushKernelExpectations),
        Table('i', "dump-internal", "display content of the internal cache",
            ControlRequest.DumpInternal, ControlRequest.DumpInternal,
            ControlRequest.DumpInternalExpectations),
        Table('e', "dump-external", "display the content of the external cache",
            ControlRequest.DumpExternal, ControlRequest.DumpExternal,
            ControlRequest.DumpExternalExpectations),
        new('k', "kill", "", "kill conntrack daemon") { Request = ControlRequest.Kill },
        new('s', "stats", Topics, "dump statistics")
        {
            Request = ControlRequest.Statistics,
            Words =
            [
                new("network", ControlRequest.StatisticsNetwork),
                new("cache", ControlRequest.StatisticsCache),
                new("runtime", ControlRequest.StatisticsRuntime),
                new("multicast", ControlRequest.StatisticsLink, Successor: "link"),
                new("link", ControlRequest.StatisticsLink),
                new("rsqueue", ControlRequest.StatisticsResendQueue),
                new("process", ControlRequest.StatisticsProcess),
                new("queue", ControlRequest.StatisticsQueue),
                new("ct", ControlRequest.Statistics),
                new("expect", ControlRequest.StatisticsExpectations),
                new("vrrp", ControlRequest.StatisticsVrrp),
            ],
        },
        Table('R', "resync-kernel", "resync with kernel conntrack table",
            ControlRequest.Resync, ControlRequest.ResyncFlows, ControlRequest.ResyncExpectations),
        new('n', "request-resync", "",
            "request resync with other node (only FT-FW and NOTRACK modes)")
        {
            Request = ControlRequest.RequestResync,
        },
        new('B', "bulk", "", "force a bulk send to other replica firewalls")
        {
            Request = ControlRequest.SendBulk,
        },
        new(Xml, "xml", "", "dump cache in XML format (requires -i or -e)"),
        new('t', "reset-timers", "", "reset the kernel timeout (see PurgeTimeout clause)")
        {
            Request = ControlRequest.ResetTimers,
        },
    ];

    /// <summary>
    /// Finds the option that a word names, as <c>-x</c> or <c>--xml</c>; null if it names none.
    /// </summary>
    internal static CommandOption? Find(string word) =>
        Array.Find(General, option => IsNamed(option, word))
        ?? Array.Find(Client, option => IsNamed(option, word))
        ?? Array.Find(Own, option => IsNamed(option, word));

    /// <summary>What a misspelt long option was meant to be; null if none is near.</summary>
    internal static string? Nearest(string word)
    {
        if (!word.StartsWith('-') || word.Length < 4) { return null; }
        List<string> names = [];
        foreach (CommandOption option in General) { names.Add(option.LongName); }
        foreach (CommandOption option in Client) { names.Add(option.LongName); }
        foreach (CommandOption option in Own) { names.Add(option.LongName); }
        string? near = Spelling.Nearest(word.TrimStart('-'), names);
        return near is null ? null : "--" + near;
    }

    /// <summary>The XML form of a dump; false for everything that has none.</summary>
    internal static bool TryGetXml(ControlRequest? request, out ControlRequest xml)
    {
        ControlRequest? found = request switch
        {
            ControlRequest.DumpInternal => ControlRequest.DumpInternalXml,
            ControlRequest.DumpExternal => ControlRequest.DumpExternalXml,
            ControlRequest.DumpInternalExpectations => ControlRequest.DumpInternalExpectationsXml,
            ControlRequest.DumpExternalExpectations => ControlRequest.DumpExternalExpectationsXml,
            _ => null,
        };
        xml = found.GetValueOrDefault();
        return found.HasValue;
    }

    private static bool IsNamed(CommandOption option, string word) =>
        (word.Length == 2 && word[0] == '-' && word[1] == option.Letter)
        || (word.StartsWith("--", StringComparison.Ordinal)
            && word.AsSpan(2).SequenceEqual(option.LongName));

    private static CommandOption Table(
        char letter, string longName, string help,
        ControlRequest both, ControlRequest flows, ControlRequest expectations) =>
        new(letter, longName, Tables, help)
        {
            Request = both,
            Words = [new("ct", flows), new("expect", expectations)],
        };
}
