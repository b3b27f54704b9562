namespace Conntrackd.Config;

/// <summary>Settings that do nothing beside the others of the file.</summary>
/// <remarks>
/// The original takes them without a word. They are taken here too: a warning says what is used
/// instead, or what would bring them into effect.
/// </remarks>
internal sealed partial class ConfigParser
{
    private void WarnOfIdleGeneral()
    {
        if (_options.PollSeconds != 0)
        {
            WarnIfGiven("General.NetlinkBufferSize", WithPolling);
            WarnIfGiven("General.NetlinkBufferSizeMaxGrowth", WithPolling);
            WarnIfGiven("General.NetlinkOverrunResync", WithPolling);
            if (_options.NetlinkEventsReliable)
            {
                WarnIfGiven("General.NetlinkEventsReliable", WithPolling);
            }
            return;
        }
        if (_options.NetlinkBufferBytes != 0 && !_options.IsNetlinkBufferHonoured)
        {
            WarnIfGiven("General.NetlinkBufferSize",
                "has no effect without a 'NetlinkBufferSizeMaxGrowth' that is at least as large, "
                    + "the buffer has the default size of the system");
        }
    }

    private const string WithPolling = "has no effect with 'PollSecs', which listens to no events";

    private void WarnOfIdleSync()
    {
        SyncOptions sync = OpenSync;
        if (sync.Mode != SyncMode.Alarm)
        {
            WarnIfGiven("Sync.RefreshTime", NotInUse("ALARM"));
            WarnIfGiven("Sync.CacheTimeout", NotInUse("ALARM"));
        }
        else if (sync.CacheTimeoutSeconds <= sync.RefreshSeconds)
        {
            string key = _origins.ContainsKey("Sync.CacheTimeout")
                ? "Sync.CacheTimeout" : "Sync.RefreshTime";
            WarnIfGiven(key, $"lets flows of the peer vanish after {sync.CacheTimeoutSeconds} s, "
                + $"before they are told again ('RefreshTime' is {sync.RefreshSeconds} s)");
        }
        if (sync.Mode != SyncMode.Ftfw)
        {
            WarnIfGiven("Sync.ResendQueueSize", NotInUse("FTFW"));
            WarnIfGiven("Sync.ACKWindowSize", NotInUse("FTFW"));
        }
    }

    private static string NotInUse(string mode) =>
        $"is only for 'Mode {mode}', which is not in use";

    private void WarnIfGiven(string key, string what)
    {
        if (!_origins.TryGetValue(key, out Token at)) { return; }
        Warning(at, $"'{key[(key.IndexOf('.') + 1)..]}' {what}");
    }
}
