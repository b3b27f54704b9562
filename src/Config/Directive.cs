namespace Conntrackd.Config;

/// <summary>Blocks of the language; a directive may be allowed in several.</summary>
[Flags]
internal enum Block : uint
{
    None = 0,
    File = 1 << 0,              // outside all braces
    General = 1 << 1,
    Unix = 1 << 2,
    Scheduler = 1 << 3,
    Filter = 1 << 4,
    Address = 1 << 5,
    Sync = 1 << 6,
    Alarm = 1 << 7,
    Ftfw = 1 << 8,
    NoTrack = 1 << 9,
    Multicast = 1 << 10,
    Udp = 1 << 11,
    Tcp = 1 << 12,
    Options = 1 << 13,
    Stats = 1 << 14,
    Helper = 1 << 15,
    HelperType = 1 << 16,
    HelperPolicy = 1 << 17,
    Vrrp = 1 << 18,
    Sandbox = 1 << 19,
    Restore = 1 << 20,
    VrrpGroup = 1 << 21,
    Modes = Alarm | Ftfw | NoTrack,
    Links = Multicast | Udp | Tcp,
}

/// <summary>One word of the language at one place: what it means, what to do behind it.</summary>
/// <remarks>
/// Whoever adds a directive writes its documentation here, in the same entry: the manual page and
/// the reference file are made of it (<see cref="ReferenceText"/>). A word of the language stands
/// in single quotes.
/// </remarks>
/// <param name="Name">Exact spelling.</param>
/// <param name="Blocks">Where it is allowed.</param>
/// <param name="Read">
/// Reads the arguments; the word is consumed. False: an error was reported and the rest of the
/// directive is to be skipped.
/// </param>
internal sealed record Directive(string Name, Block Blocks, Func<ConfigParser, bool> Read)
{
    /// <summary>What follows the word: "number", "bool | path"; "{ ... }" for a block.</summary>
    internal required string Operand { get; init; }

    /// <summary>What it is for, in full sentences, without the default.</summary>
    internal required string Help { get; init; }

    /// <summary>The value that counts without it, as it is written; empty: there is none.</summary>
    internal string Default { get; init; } = "";

    /// <summary>
    /// What the reference file shows behind the word, behind a hash; empty: the default, without
    /// one.
    /// </summary>
    internal string Example { get; init; } = "";

    /// <summary>True if the reference file needs it to be a whole: no hash before it.</summary>
    internal bool IsSample { get; init; }

    /// <summary>The blocks whose brace it opens.</summary>
    internal Block Opens { get; init; }

    /// <summary>Among <see cref="Blocks"/> those that only old files use.</summary>
    internal Block Tolerated { get; init; }

    /// <summary>True if it has no effect, or is an old name.</summary>
    internal bool IsDeprecated { get; init; }

    /// <summary>What this is another name of, for <see cref="Options.Origins"/>.</summary>
    internal string Canonical { get; init; } = Name;
}
