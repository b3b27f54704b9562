namespace Conntrackd.Config;

/// <summary>Directives that conntrack-tools 1.4.5 removed, and what to write instead.</summary>
/// <remarks>Source: shared spec config, section 14.</remarks>
internal static class RemovedDirectives
{
    /// <summary>What to do about <paramref name="name"/>; null if it never existed.</summary>
    internal static string? AdviceFor(string name) => name switch
    {
        "Family" => "delete it, the family follows from the addresses",
        "IgnoreTrafficFor" => "use 'Filter { Address Ignore { ... } }' in 'General'",
        "IgnoreProtocol" => "use 'Filter { Protocol Ignore { ... } }' in 'General'",
        "Replicate" => "use 'Filter { State Accept { ... for TCP } }' in 'General'",
        "StripNAT" => "delete it, translations are always replicated",
        "DelayDestroyMessages" => "delete it, ended flows are always announced at once",
        "RelaxTransitions" => "use 'TCPWindowTracking off' in 'Options'",
        "ListenTo" => "use 'Interface' and the addresses of the link",
        "ResendBufferSize" => "use 'ResendQueueSize', which counts flows, in 'Mode FTFW'",
        "CacheWriteThrough" => "use 'DisableExternalCache on' in 'Mode FTFW' or 'Mode NOTRACK'",
        "LogFileBufferSize" => "delete it, lines are written at once",
        "DestroyTimeout" => "delete it, ended flows leave the cache at once",
        "McastSndSocketBuffer" => "use 'SndSocketBuffer'",
        "McastRcvSocketBuffer" => "use 'RcvSocketBuffer'",
        _ => null,
    };
}
