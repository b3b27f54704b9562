namespace Conntrackd.Sync;

/// <summary>How nodes keep each other up to date.</summary>
internal enum SyncMode : byte
{
    /// <summary>Reliable: acknowledged, repaired, flow-controlled.</summary>
    Ftfw,

    /// <summary>Best effort: sent once.</summary>
    NoTrack,
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
    uint FirstSequence);
