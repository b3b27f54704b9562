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
    Modes = Alarm | Ftfw | NoTrack,
    Links = Multicast | Udp | Tcp,
}

/// <summary>One word of the language at one place, and what to do behind it.</summary>
/// <param name="Name">Exact spelling.</param>
/// <param name="Blocks">Where it is allowed.</param>
/// <param name="Read">
/// Reads the arguments; the word is consumed. False: an error was reported and the rest of the
/// directive is to be skipped.
/// </param>
internal sealed record Directive(string Name, Block Blocks, Func<ConfigParser, bool> Read)
{
    /// <summary>What this is another name of, for <see cref="Options.Origins"/>.</summary>
    internal string Canonical { get; init; } = Name;
}
