namespace Conntrackd.Sync;

/// <summary>How nodes keep each other up to date.</summary>
internal enum SyncMode : byte
{
    /// <summary>Reliable: acknowledged, repaired, flow-controlled.</summary>
    Ftfw,

    /// <summary>Best effort: sent once.</summary>
    NoTrack,

    /// <summary>Repeated periodically; what is not repeated any more expires.</summary>
    Alarm,
}

/// <summary>What the engine is told by the configuration and by its starter.</summary>
/// <param name="Mode">Protocol.</param>
/// <param name="ResendQueueSize">Messages that may wait for acknowledgement.</param>
/// <param name="AckWindowSize">Messages received before an acknowledgement is due.</param>
/// <param name="SendTimeouts">False if CommitTimeout is set: timeouts are then not
/// announced.</param>
/// <param name="WindowTracking">Announce TCP window scales.</param>
/// <param name="FirstSequence">Seconds since 1970 at start, as the original begins.</param>
internal sealed record SyncSettings(
    SyncMode Mode,
    int ResendQueueSize,
    int AckWindowSize,
    bool SendTimeouts,
    bool WindowTracking,
    uint FirstSequence)
{
    /// <summary>ALARM: a flow is repeated after a random 1 to this many seconds.</summary>
    internal uint RefreshSeconds { get; init; } = 60;

    /// <summary>ALARM: an external flow that was not repeated for so long expires.</summary>
    internal uint CacheTimeoutSeconds { get; init; } = 180;

    /// <summary>
    /// Drawn anew at each start: tells nodes of our own kind apart, and their starts. 0: speaks as
    /// the original, which knows nothing of the bodies of ALIVE messages.
    /// </summary>
    internal ulong Incarnation { get; init; }

    /// <summary>
    /// A firewall that comes back with an empty table has forgotten its flows, but they live: the
    /// node that takes over may not have committed them yet. So long they are kept.
    /// </summary>
    internal uint RestartGraceSeconds { get; init; } = 30;

    /// <summary>
    /// NOTRACK with DisableInternalCache: events leave as they come, nothing of them is kept.
    /// </summary>
    internal bool Bypass { get; init; }

    /// <summary>
    /// What every datagram says of its sender (<see cref="Wire.AliveAttribute.Node"/>); 0: nothing,
    /// where addresses and ports tell enough.
    /// </summary>
    internal uint Node { get; init; }
}
