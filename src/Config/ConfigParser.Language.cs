using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>
/// The language: every directive, where it is allowed, what it sets, and what it is for. The
/// sections have files of their own.
/// </summary>
internal sealed partial class ConfigParser
{
    /// <summary>How a file names a block.</summary>
    /// <remarks>
    /// No tuple: one with a reference in it brings the machinery that makes generic types while
    /// the program runs, 150 kB.
    /// </remarks>
    private readonly record struct BlockName(Block Block, string Name);

    private static readonly BlockName[] s_blockNames =
    [
        new(Block.File, "top level"),
        new(Block.General, "General"),
        new(Block.Unix, "UNIX"),
        new(Block.Scheduler, "Scheduler"),
        new(Block.Filter, "Filter"),
        new(Block.Address, "Address"),
        new(Block.Sync, "Sync"),
        new(Block.Alarm, "Mode ALARM"),
        new(Block.Ftfw, "Mode FTFW"),
        new(Block.NoTrack, "Mode NOTRACK"),
        new(Block.Multicast, "Multicast"),
        new(Block.Udp, "UDP"),
        new(Block.Tcp, "TCP"),
        new(Block.Options, "Options"),
        new(Block.Restore, "Restore"),
        new(Block.Stats, "Stats"),
        new(Block.Helper, "Helper"),
        new(Block.HelperType, "Type"),
        new(Block.HelperPolicy, "Policy"),
        new(Block.Vrrp, "VRRP"),
        new(Block.Sandbox, "Sandbox"),
        new(Block.VrrpGroup, "Group"),
    ];

    private static readonly Directive[] s_directives =
    [
        new("Sync", Block.File, static p => p.ReadSync())
        {
            Operand = "{ ... }",
            Opens = Block.Sync,
            IsSample = true,
            Help = "Replicate states to other nodes. Excludes 'Stats'.",
        },
        .. SyncLanguage.Directives,
        .. LinkLanguage.Directives,
        new("General", Block.File, static p => p.ReadGeneral())
        {
            Operand = "{ ... }",
            Opens = Block.General,
            IsSample = true,
            Help = "The daemon itself.",
        },
        .. GeneralLanguage.Directives,
        .. SandboxLanguage.Directives,
        .. VrrpLanguage.Directives,
        .. FilterLanguage.Directives,
        new("Stats", Block.File, static p => p.ReadStats())
        {
            Operand = "{ ... }",
            Opens = Block.Stats,
            Help = "Write a line about every flow that ends, instead of replicating.",
        },
        new("Helper", Block.File, static p => p.ReadHelper())
        {
            Operand = "{ ... }",
            Opens = Block.Helper,
            Help = "Connection tracking helpers in user space, for protocols such as FTP. They "
                + "are checked and passed over with a warning.",
        },
        .. HelperLanguage.Directives,
    ];

    /// <summary>All directives, in the order of the manual.</summary>
    internal static IReadOnlyList<Directive> Directives => s_directives;

    /// <summary>The name of one block, as messages and the manual have it.</summary>
    internal static string NameOf(Block block) =>
        Array.Find(s_blockNames, known => known.Block == block).Name;

    private static Directive? FindDirective(string name, Block block)
    {
        foreach (Directive directive in s_directives)
        {
            if ((directive.Blocks & block) != 0 && directive.Name == name) { return directive; }
        }
        return null;
    }

    // 0 stands for the default in most numbers of the language.
    private static uint Or(uint value, uint fallback) => value == 0 ? fallback : value;
}
