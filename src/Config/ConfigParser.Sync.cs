using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Section Sync but for its links.</summary>
internal sealed partial class ConfigParser
{
    private readonly HashSet<SyncMode> _modes = [];
    private SyncOptions? _sync;
    private Token _syncToken;
    private Token _secondMode;

    // Nothing is there yet if a block of Sync stands elsewhere and is read for its errors.
    private SyncOptions OpenSync => _sync ?? new SyncOptions();

    private bool Set(SyncOptions sync)
    {
        _sync = sync;
        return true;
    }

    private bool ReadSync()
    {
        if (_sync is null)
        {
            _sync = new SyncOptions();
            _syncToken = _directive;
        }
        if (_stats is not null) { ReportBothSections(_statsToken); }
        return Braces(Block.Sync, "Sync");
    }

    private bool ReadMode()
    {
        Token directive = _directive;
        if (!Name(out string name, out Token at, "FTFW, ALARM or NOTRACK")) { return false; }
        (Block block, SyncMode mode) = name.ToUpperInvariant() switch
        {
            "FTFW" or "NACK" => (Block.Ftfw, SyncMode.Ftfw),
            "ALARM" or "PERSISTENT" => (Block.Alarm, SyncMode.Alarm),
            "NOTRACK" => (Block.NoTrack, SyncMode.NoTrack),
            _ => (Block.None, default),
        };
        if (block == Block.None)
        {
            Error(at, $"unknown mode {Found(at)}, expected FTFW, ALARM or NOTRACK");
            return Braces(Block.Modes, $"Mode {Shorten(name)}");
        }
        string today = Array.Find(s_blockNames, b => b.Block == block).Name;
        if (!today.EndsWith(name, StringComparison.OrdinalIgnoreCase))
        {
            Warning(at, $"mode {Found(at)} is now called '{today}', please change the file");
        }
        if (_modes.Add(mode) && _modes.Count > 1) { _secondMode = directive; }
        return Braces(block, today);
    }

    private bool ReadCacheTimeout() =>
        Seconds(out uint n) && Set(OpenSync with
        {
            CacheTimeoutSeconds = Or(n, SyncOptions.CacheTimeoutSecondsDefault),
        });

    private bool ReadPurgeTimeout() =>
        Seconds(out uint n) && Set(OpenSync with
        {
            PurgeTimeoutSeconds = Or(n, SyncOptions.PurgeTimeoutSecondsDefault),
        });

    private bool ReadRefreshTime() =>
        Seconds(out uint n)
        && Set(OpenSync with { RefreshSeconds = Or(n, SyncOptions.RefreshSecondsDefault) });

    private bool ReadResendQueueSize() =>
        Number(out uint n, "a number of flows")
        && Set(OpenSync with { ResendQueueSize = Or(n, SyncOptions.ResendQueueSizeDefault) });

    private bool ReadAckWindowSize() =>
        Number(out uint n, "a number of messages")
        && Set(OpenSync with { AckWindowSize = Or(n, SyncOptions.AckWindowSizeDefault) });

    private bool ReadErrorQueueLength() =>
        Number(out uint n, "a number of messages")
        && Set(OpenSync with { ErrorQueueLength = Or(n, SyncOptions.ErrorQueueLengthDefault) });

    /// <summary>Reads a boolean or a list; lists add up, a boolean starts anew.</summary>
    private bool ReadExpectationSync()
    {
        if (TryBool(out bool on))
        {
            ExpectationSync all = on ? ExpectationSync.All : ExpectationSync.Off;
            return Set(OpenSync with { ExpectationSync = all });
        }
        if (_token.Kind != TokenKind.Open)
        {
            return Expected("on, off or a list of helpers in braces");
        }
        var helpers = new List<string>(OpenSync.ExpectationSync.Helpers);
        bool isRead = NameList("ExpectationSync", "a helper name",
            (at, name) => AddExpectationHelper(helpers, at, name));
        var listed = new ExpectationSync(true, helpers);
        return isRead && Set(OpenSync with { ExpectationSync = listed });
    }

    private bool ReadRestored(FlowAttributes attributes) =>
        Bool(out bool on) && Set(OpenSync with
        {
            Withheld = on ? OpenSync.Withheld & ~attributes : OpenSync.Withheld | attributes,
        });

    private void AddExpectationHelper(List<string> helpers, in Token at, string name)
    {
        if (name.Length > ExpectationSync.HelperLengthMax)
        {
            name = name[..ExpectationSync.HelperLengthMax];
            Warning(at, $"helper name {Found(at)} is too long, using '{name}'");
        }
        if (!helpers.Exists(h => h.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            helpers.Add(name);
        }
    }
}
