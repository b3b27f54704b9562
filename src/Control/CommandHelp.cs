using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>The usage text and the version text.</summary>
internal static class CommandHelp
{
    private const string Title = "Connection tracking userspace daemon v";

    /// <summary>Version of this program; a test holds it to that of the project file.</summary>
    internal const string Version = "2.0.0";

    /// <summary>Appends the usage: the lines of the original first, then the long names.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="program">The program's name as it was called.</param>
    internal static void AppendUsage(TextBuffer text, string program)
    {
        text.Append($"{Title}{Version}\nUsage: {program} [commands] [options]\n\n");
        text.Append("General commands:\n"u8);
        foreach (CommandOption option in CommandOptions.General) { AppendShort(text, option); }
        text.Append("\nClient mode commands:\n"u8);
        foreach (CommandOption option in CommandOptions.Client) { AppendShort(text, option); }
        text.Append("\nLong names:\n"u8);
        foreach (CommandOption option in CommandOptions.General) { AppendLong(text, option); }
        foreach (CommandOption option in CommandOptions.Client) { AppendLong(text, option); }
        text.Append("\nMore than the original has:\n"u8);
        foreach (CommandOption option in CommandOptions.Own) { AppendOwn(text, option); }
        text.Append("  -s process, what the daemon may do and which dumps run\n"u8);
        text.Append("  -s vrrp, what keepalived says and what follows from it\n\n"u8);
    }

    /// <summary>Appends the usage and how to begin.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="program">The program's name as it was called.</param>
    internal static void AppendHelp(TextBuffer text, string program)
    {
        AppendUsage(text, program);
        text.Append(
            """
            First steps:
              conntrackd --check            is the configuration right? starts nothing
              conntrackd -d                 start in the background; status 0: it is ready
              conntrackd -s                 how many flows here and of the peer; the link
              conntrackd -i                 the flows of this node, one a line
              conntrackd -e -o extended     those of the peer, with their translations
              conntrackd -c                 take over: the peer's flows into the kernel
              conntrackd --reload           apply a changed file without losing anything

            Without a command the daemon runs in the foreground. Words may be shortened
            (-s net). Exit status: 0 done, 1 anything else. Manuals: conntrackd(8),
            conntrackd.conf(5); --print-reference has every directive.


            """u8);
    }

    /// <summary>Appends the two lines that <c>-v</c> prints.</summary>
    internal static void AppendVersion(TextBuffer text) => text.Append(
        $"{Title}{Version}. Licensed under GPLv2.\n(C) 2026 the conntrackd developers\n");

    private static void AppendShort(TextBuffer text, CommandOption option)
    {
        string blank = option.Operand.Length == 0 ? "" : " ";
        text.Append($"  -{option.Letter}{blank}{option.Operand}, {option.Help}\n");
    }

    private static void AppendOwn(TextBuffer text, CommandOption option)
    {
        string letter = char.IsControl(option.Letter) ? "" : $"-{option.Letter}, ";
        string blank = option.Operand.Length == 0 ? "" : " ";
        text.Append($"  {letter}--{option.LongName}{blank}{option.Operand}, {option.Help}\n");
    }

    private static void AppendLong(TextBuffer text, CommandOption option) =>
        text.Append($"  -{option.Letter}, --{option.LongName}\n");
}
