namespace Conntrackd.Config;

/// <summary>Sections General and Stats.</summary>
internal sealed partial class ConfigParser
{
    // The original's bucket arrays overflow at 2^27 (refused, or a crash).
    private const uint HashSizeMax = (1 << 27) - 1;
    private const int UnixPathLengthMax = 107;          // sun_path without its terminator

    private Options _options = new();
    private StatsOptions? _stats;
    private SchedulerPolicy? _schedulerPolicy;
    private byte? _schedulerPriority;
    private Token _general = new(TokenKind.End, 0, 0, 1);
    private Token _statsToken;
    private Token? _logFile;                    // last one that named a file
    private Token? _statsLogFile;

    private bool Set(Options options)
    {
        _options = options;
        return true;
    }

    private bool ReadGeneral()
    {
        _general = _directive;
        return Braces(Block.General, "General");
    }

    private bool ReadStats()
    {
        if (_stats is null)
        {
            _stats = new StatsOptions();
            _statsToken = _directive;
        }
        if (_sync is not null) { ReportBothSections(_syncToken); }
        return Braces(Block.Stats, "Stats");
    }

    private void ReportBothSections(in Token first) => Error(
        _directive,
        $"cannot use both 'Stats' and 'Sync', {Found(first)} stands in line {first.Line}");

    private bool ReadHashSize() =>
        Number(out uint n, "a number of buckets", 0, HashSizeMax)
        && Set(_options with { HashSize = Or(n, Options.HashSizeDefault) });

    private bool ReadHashLimit() =>
        Number(out uint n, "a number of flows", 0, uint.MaxValue)
        && Set(_options with { HashLimit = Or(n, Options.HashLimitDefault) });

    private bool ReadLogFile()
    {
        if (!LogFile(Options.LogFileDefault, ref _logFile, out string? path)) { return false; }
        return path is null || Set(_options with { LogFile = path });
    }

    private bool ReadStatsLogFile()
    {
        if (!LogFile(StatsOptions.LogFileDefault, ref _statsLogFile, out string? path))
        {
            return false;
        }
        if (path is not null) { _stats = _stats! with { LogFile = path }; }
        return true;
    }

    /// <summary>
    /// Reads a boolean or a path; <paramref name="path"/> is null for off, which does not undo an
    /// earlier file. That is how the original has it, so it is said.
    /// </summary>
    private bool LogFile(string fallback, ref Token? earlier, out string? path)
    {
        path = null;
        Token at = _directive;
        if (TryBool(out bool on))
        {
            if (!on)
            {
                if (earlier is Token file)
                {
                    Warning(at, $"'LogFile off' does not undo 'LogFile' of line {file.Line}");
                }
                return true;
            }
            path = fallback;
        }
        else if (!Path(out path, "on, off or a path"))
        {
            return false;
        }
        earlier = at;
        return true;
    }

    private bool ReadSyslog()
    {
        if (!Facility(out SyslogFacility? facility, out bool isKnown)) { return false; }
        return !isKnown || Set(_options with { Syslog = facility });
    }

    private bool ReadStatsSyslog()
    {
        if (!Facility(out SyslogFacility? facility, out bool isKnown)) { return false; }
        if (isKnown) { _stats = _stats! with { Syslog = facility }; }
        return true;
    }

    private bool ReadStatsFormat()
    {
        bool isJson = TryWord("json");
        if (!isJson && !TryWord("text")) { return Expected("text or json"); }
        _stats = _stats! with { IsJson = isJson };
        return true;
    }

    /// <summary>Reads a boolean or a facility; null for off. An unknown one is a warning.</summary>
    private bool Facility(out SyslogFacility? facility, out bool isKnown)
    {
        isKnown = true;
        facility = null;
        if (TryBool(out bool on))
        {
            if (on) { facility = SyslogFacility.Daemon; }
            return true;
        }
        if (!Name(out string name, out Token at, "on, off or a facility")) { return false; }
        facility = name switch
        {
            "daemon" => SyslogFacility.Daemon,
            ['l', 'o', 'c', 'a', 'l', >= '0' and <= '7' and char digit] =>
                SyslogFacility.Local0 + (byte)(digit - '0'),
            _ => null,
        };
        isKnown = facility is not null;
        if (!isKnown)
        {
            Warning(at, $"{Found(at)} is not a known syslog facility (daemon, local0-local7), "
                + "ignoring");
        }
        return true;
    }

    private bool ReadLockFile() =>
        Path(out string path, "a path") && Set(_options with { LockFile = path });

    private bool ReadNetlinkBuffer() =>
        BufferBytes(out int n) && Set(_options with { NetlinkBufferBytes = n });

    private bool ReadNetlinkBufferMax() =>
        BufferBytes(out int n) && Set(_options with { NetlinkBufferMaxBytes = n });

    private bool ReadOverrunResync()
    {
        uint seconds;
        if (TryBool(out bool on))
        {
            seconds = on ? Options.OverrunResyncSecondsDefault : 0;
        }
        else if (_token.Kind != TokenKind.Number)
        {
            return Expected($"on, off or seconds 0-{NumberMax}");
        }
        else if (Seconds(out seconds))
        {
            seconds = Or(seconds, Options.OverrunResyncSecondsDefault);
        }
        else
        {
            return false;
        }
        return Set(_options with { NetlinkOverrunResyncSeconds = seconds });
    }

    private bool ReadIterationLimit() =>
        Number(out uint n, "a number of events")
        && Set(_options with { EventIterationLimit = Or(n, Options.EventIterationLimitDefault) });

    private bool ReadNice()
    {
        if (_token.Kind != TokenKind.SignedNumber)
        {
            return Expected("a number with a sign (-10, +5)");
        }
        Advance();
        Warning(_directive, "'Nice' is deprecated, ignoring; use nice(1) and renice(1)");
        return true;
    }

    private bool ReadUnixPath() =>
        Path(out string path, "a path", UnixPathLengthMax)
        && Set(_options with { UnixPath = path });

    private bool ReadBacklog()
    {
        if (_token.Kind != TokenKind.Number) { return Expected("a number"); }
        Advance();
        Warning(_directive, "'Backlog' is deprecated, ignoring");
        return true;
    }

    private bool ReadSchedulerType()
    {
        if (!Name(out string name, out Token at, "rr or fifo")) { return false; }
        switch (name.ToUpperInvariant())
        {
            case "RR":
                _schedulerPolicy = SchedulerPolicy.RoundRobin;
                break;
            case "FIFO":
                _schedulerPolicy = SchedulerPolicy.Fifo;
                break;
            default:
                Error(at, $"unknown scheduler {Found(at)}, expected rr or fifo");
                break;
        }
        return true;
    }

    private bool ReadSchedulerPriority()
    {
        if (!Number(out uint n, "a priority", 0, SchedulerOptions.PriorityMax)) { return false; }
        _schedulerPriority = (byte)n;
        return true;
    }
}
