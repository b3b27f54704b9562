using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>
/// The language: every directive, where it is allowed, what it sets, and what it is for. The
/// sections have files of their own.
/// </summary>
internal sealed partial class ConfigParser
{
    private static readonly (Block Block, string Name)[] s_blockNames =
    [
        (Block.File, "top level"),
        (Block.General, "General"),
        (Block.Unix, "UNIX"),
        (Block.Scheduler, "Scheduler"),
        (Block.Filter, "Filter"),
        (Block.Address, "Address"),
        (Block.Sync, "Sync"),
        (Block.Alarm, "Mode ALARM"),
        (Block.Ftfw, "Mode FTFW"),
        (Block.NoTrack, "Mode NOTRACK"),
        (Block.Multicast, "Multicast"),
        (Block.Udp, "UDP"),
        (Block.Tcp, "TCP"),
        (Block.Options, "Options"),
        (Block.Restore, "Restore"),
        (Block.Stats, "Stats"),
        (Block.Helper, "Helper"),
        (Block.HelperType, "Type"),
        (Block.HelperPolicy, "Policy"),
        (Block.Vrrp, "VRRP"),
        (Block.Sandbox, "Sandbox"),
        (Block.VrrpGroup, "Group"),
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
