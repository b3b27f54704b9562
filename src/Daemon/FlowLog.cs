using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>The log of ended flows in statistics mode: to a file, to syslog, or to both.</summary>
/// <remarks><code>
/// file     Sun Nov 22 14:40:17 2026 TAB tcp      6 TIME_WAIT src=10.1.1.2 dst=10.2.2.2 …
/// syslog   &lt;14&gt;Nov 22 14:40:17 conntrack-tools[7420]: tcp      6 TIME_WAIT src=10.1.1.2 …
/// </code>
/// The form is the original's. Which lines go to syslog is simpler: those of a Stats section that
/// says so, under its facility, always as info. If Stats names no destination at all, the lines go
/// where General logs, be it a file or not: to its syslog (the original sends them there, as
/// errors). With "LogFormat json" either line is the object of docs/output.md, without the time
/// before it, which is a field. Law of the place: a line allocates nothing; lines of one turn are
/// one write. Source: shared spec cli, section 6.
/// </remarks>
internal sealed class FlowLog : IEndedFlowSink, IDisposable
{
    private const int BytesMax = 65_536;
    private const string SyslogKey = "Stats.Syslog";

    private readonly TextBuffer _lines = new(2 * BytesMax);
    private readonly TextBuffer _line = new();
    private readonly byte[] _time = new byte[LogTime.Size];
    private LogFile? _file;
    private Syslog? _syslog;
    private FlowFilter _filter = FlowFilter.AcceptAll;
    private long _timeSeconds = -1;
    private bool _isJson;

    /// <summary>Where syslog lines go; null: nowhere.</summary>
    internal static SyslogFacility? FacilityOf(Options options)
    {
        StatsOptions stats = options.Stats!;
        bool names = stats.LogFile is not null || options.Origins.ContainsKey(SyslogKey);
        return names ? stats.Syslog : options.Syslog;
    }

    /// <summary>
    /// Opens what the configuration names, in place of what is open. Null, or what failed; then
    /// nothing has changed.
    /// </summary>
    internal string? TryOpen(Options options)
    {
        LogFile? file = null;
        if (options.Stats!.LogFile is string path)
        {
            Errno error = LogFile.TryOpen(path, out file);
            if (error != Errno.None) { return $"can't open logfile `{path}': {error.Describe()}"; }
        }
        Dispose();
        _file = file;
        _syslog = FacilityOf(options) is SyslogFacility facility
            ? new Syslog((int)facility) : null;
        _isJson = options.Stats.IsJson;
        // What a new filter refuses leaves the cache, but has not ended.
        _filter = options.Filter;
        return null;
    }

    /// <summary>Opens the file anew after a rotation.</summary>
    internal Errno Reopen()
    {
        Flush();
        return _file?.Reopen() ?? Errno.None;
    }

    /// <inheritdoc/>
    public void OnEnded(in Flow flow)
    {
        if ((_file is null && _syslog is null) || !_filter.Accepts(in flow)) { return; }
        long now = Clock.WallSeconds();
        _line.Clear();
        if (_isJson) { FlowText.AppendJsonEnded(_line, in flow, now); }
        else { FlowText.Append(_line, in flow, FlowTextSource.Cache, now); }
        _syslog?.Write(LogLevel.Info, _line.Written);
        if (_file is null) { return; }
        if (!_isJson) { AppendTime(now); }
        _lines.Append(_line.Written);
        _lines.Append((byte)'\n');
        if (_lines.Length >= BytesMax) { Flush(); }
    }

    private void AppendTime(long now)
    {
        if (now != _timeSeconds)
        {
            LogTime.Write(_time, now);
            _timeSeconds = now;
        }
        _lines.Append(_time);
        _lines.Append((byte)'\t');
    }

    /// <summary>Writes the lines of this turn.</summary>
    internal void Flush()
    {
        if (_lines.Length == 0) { return; }
        _file?.Write(_lines.Written);
        _lines.Clear();
    }

    public void Dispose()
    {
        Flush();
        _file?.Dispose();
        _syslog?.Dispose();
    }
}
