using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>How states are made to reach the peer.</summary>
internal enum SyncMode : byte
{
    Ftfw,                       // acknowledged and repaired
    Alarm,                      // repeated periodically
    NoTrack,                    // sent once
}

/// <summary>Section Sync.</summary>
internal sealed record SyncOptions
{
    internal const int LinksMax = 4;
    internal const uint RefreshSecondsDefault = 60;
    internal const uint CacheTimeoutSecondsDefault = 180;
    internal const uint PurgeTimeoutSecondsDefault = 60;
    internal const uint ResendQueueSizeDefault = 131072;
    internal const uint AckWindowSizeDefault = 300;
    internal const uint ErrorQueueLengthDefault = 128;

    internal SyncMode Mode { get; init; }

    /// <summary>ALARM: a flow is sent again after a random 1-n seconds.</summary>
    internal uint RefreshSeconds { get; init; } = RefreshSecondsDefault;

    /// <summary>ALARM: an external flow that is not refreshed for this long is dropped.</summary>
    internal uint CacheTimeoutSeconds { get; init; } = CacheTimeoutSecondsDefault;

    /// <summary>Timeout of committed flows; 0: what the peer said less the time since.</summary>
    internal uint CommitTimeoutSeconds { get; init; }

    /// <summary>From request -t to the flush of the kernel table.</summary>
    internal uint PurgeTimeoutSeconds { get; init; } = PurgeTimeoutSecondsDefault;

    /// <summary>FTFW: flows kept until acknowledged.</summary>
    internal uint ResendQueueSize { get; init; } = ResendQueueSizeDefault;

    /// <summary>FTFW: messages received until an acknowledgement is sent.</summary>
    internal uint AckWindowSize { get; init; } = AckWindowSizeDefault;

    /// <summary>NOTRACK: events go straight to the link.</summary>
    internal bool DisableInternalCache { get; init; }

    /// <summary>FTFW, NOTRACK: received states go straight to the kernel.</summary>
    internal bool DisableExternalCache { get; init; }

    /// <summary>Ask the peer for everything once, right after start.</summary>
    internal bool StartupResync { get; init; }

    /// <summary>1-4, of any kinds, exactly one of them the default.</summary>
    internal IReadOnlyList<LinkOptions> Links { get; init; } = [];

    /// <summary>All links carry all messages; the receiver drops what it has.</summary>
    internal bool RedundantLinks { get; init; }

    /// <summary>TCP links: messages kept while the peer is away.</summary>
    internal uint ErrorQueueLength { get; init; } = ErrorQueueLengthDefault;

    /// <summary>False: committed TCP flows are made liberal in both directions.</summary>
    internal bool TcpWindowTracking { get; init; }

    internal ExpectationSync ExpectationSync { get; init; } = ExpectationSync.Off;

    /// <summary>Of a node of a sealed link; 0: from its address on the link.</summary>
    internal ushort NodeNumber { get; init; }

    /// <summary>
    /// Block Restore: what is not written into the kernel though the peer told it.
    /// </summary>
    internal FlowAttributes Withheld { get; init; }
}
