using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>What can only be said when the whole file is read.</summary>
internal sealed partial class ConfigParser
{
    /// <summary>Checks directives against each other and puts the options together.</summary>
    private Options Finish()
    {
        if (!_hasUnread && _errorCount < ErrorsMax)
        {
            CheckLinks();
            CheckVrrp();
        }

        // With errors in the file most of what follows would only be consequences.
        if (_errorCount > 0) { return _options; }
        FinishUnixPath();
        FinishScheduler();
        WarnOfIdleGeneral();
        if (_sync is not null) { FinishSync(); }
        if (_stats is not null) { FinishSyslog(); }
        FinishVrrp();
        FinishSandbox();
        return _options with
        {
            Filter = _filter.Build(),
            Sync = _sync,
            Stats = _stats,
            Helpers = _helpers,
            Origins = Positions(),
        };
    }

    private void FinishUnixPath()
    {
        if (_origins.ContainsKey("UNIX.Path")) { return; }
        Warning(_general,
            $"no 'Path' in 'UNIX' in 'General', the control socket is {Options.UnixPathDefault}");
    }

    /// <summary>
    /// Without Type the priority is not used; with Type and priority 0 the kernel refuses and the
    /// original goes on with the default scheduler.
    /// </summary>
    private void FinishScheduler()
    {
        if (_schedulerPolicy is not SchedulerPolicy policy)
        {
            if (_schedulerPriority is not null)
            {
                Warning(_origins["Scheduler.Priority"],
                    "'Priority' has no effect without 'Type', "
                        + $"using rr {SchedulerOptions.PriorityMax}");
            }
            return;
        }
        byte priority = _schedulerPriority ?? 0;
        if (priority == 0)
        {
            Warning(_origins["Scheduler.Type"], "'Type' needs a 'Priority' of 1-99, "
                + "continuing with the default scheduler of the system");
            policy = SchedulerPolicy.Normal;
        }
        _options = _options with { Scheduler = new SchedulerOptions(policy, priority) };
    }

    private void CheckLinks()
    {
        if (_sync is null || _links.Count > 0) { return; }
        Error(_syncToken, "no dedicated link in 'Sync', expected 'Multicast', 'UDP' or 'TCP'");
    }

    private void FinishSync()
    {
        FinishMode();
        int first = _defaultLink < 0 ? 0 : _defaultLink;
        _links[first] = _links[first] with { IsDefault = true };
        SyncOptions sync = OpenSync with { Links = _links };
        if (sync.DisableExternalCache && sync.CommitTimeoutSeconds != 0)
        {
            Warning(_origins["Sync.CommitTimeout"],
                "'CommitTimeout' cannot be combined with 'DisableExternalCache', ignoring it");
            sync = sync with { CommitTimeoutSeconds = 0 };
        }
        if (sync.DisableInternalCache && sync.Mode != SyncMode.NoTrack)
        {
            Warning(_origins["Sync.DisableInternalCache"],
                "'DisableInternalCache' is only for 'Mode NOTRACK', which is not in use, "
                    + "ignoring it");
            sync = sync with { DisableInternalCache = false };
        }
        if (sync.RedundantLinks && _links.Count == 1)
        {
            Warning(_origins["Options.RedundantLinks"],
                "'RedundantLinks' needs a second link, ignoring it");
            sync = sync with { RedundantLinks = false };
        }
        _sync = sync;
        WarnOfIdleSync();
    }

    /// <summary>Several modes: FTFW before ALARM before NOTRACK, whatever their order.</summary>
    private void FinishMode()
    {
        if (_modes.Count == 0)
        {
            Warning(_syncToken, "no 'Mode' in 'Sync', using 'Mode FTFW'");
        }
        SyncMode mode = _modes.Count == 0 || _modes.Contains(SyncMode.Ftfw) ? SyncMode.Ftfw
            : _modes.Contains(SyncMode.Alarm) ? SyncMode.Alarm
            : SyncMode.NoTrack;
        if (_modes.Count > 1)
        {
            string used = mode == SyncMode.Ftfw ? "FTFW" : "ALARM";
            Warning(_secondMode, $"several modes, using 'Mode {used}' with the settings of all");
        }
        _sync = OpenSync with { Mode = mode };
    }

    /// <summary>A process has one facility; General's, if both sections name one.</summary>
    private void FinishSyslog()
    {
        if (_options.Syslog is not SyslogFacility general || _stats!.Syslog is null) { return; }
        if (_stats.Syslog == general) { return; }
        Warning(_origins["Stats.Syslog"],
            "conflicting 'Syslog' facilities, using that of 'General'");
        _stats = _stats with { Syslog = general };
    }

    private Dictionary<string, SourcePosition> Positions()
    {
        var positions = new Dictionary<string, SourcePosition>(_origins.Count);
        foreach ((string key, Token token) in _origins)
        {
            positions.Add(key, _source.PositionOf(token));
        }
        return positions;
    }
}
