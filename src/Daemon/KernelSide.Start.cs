using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

// How the kernel side starts: sockets, subscriptions, the first read of the table.
internal sealed partial class KernelSide
{
    /// <summary>
    /// Subscribes to events first, then reads the whole table, so that nothing is missed between.
    /// Null, or what failed.
    /// </summary>
    internal string? TryStart(
        EventLoop loop, FlowWriter? commits = null, FlowWriter? injections = null,
        ExpectationWriter? expectationCommits = null,
        ExpectationWriter? expectationInjections = null)
    {
        Errno error = TableReader.TryOpen(
            this, Counters, out TableReader? reader, expectationSink: this);
        if (error != Errno.None) { return $"can't open netlink dump socket: {error.Describe()}"; }
        _reader = reader!;
        error = TableWriter.TryOpen(this, Counters, out TableWriter? flusher);
        if (error != Errno.None) { return $"can't open netlink flush socket: {error.Describe()}"; }
        _flusher = flusher!;
        if (_replica is not null)
        {
            error = FlowLookup.TryOpen(_replica, Counters, out _lookup);
            if (error != Errno.None)
            {
                return $"can't open netlink get socket: {error.Describe()}";
            }
        }
        if (commits is not null) { commits.Committed = this; }
        string? failed = _options.PollSeconds == 0
            ? TryListen(loop, commits, injections) : StartPolling();
        if (failed is not null) { return failed; }
        if (expectationCommits is not null)
        {
            _events?.AddRequester(expectationCommits.PortId, EventOrigin.Commit);
        }
        if (expectationInjections is not null)
        {
            _events?.AddRequester(expectationInjections.PortId, EventOrigin.Inject);
        }
        failed = IsBypassing
            ? TryOpenBulk() : Populate() ?? PopulateExpectations();
        if (failed is not null) { return failed; }
        error = loop.Add(_reader.FileDescriptor, EventMask.In, new DumpPartReader(this));
        return error == Errno.None ? null : $"event loop: {error.Describe()}";
    }

    private string? TryListen(EventLoop loop, FlowWriter? commits, FlowWriter? injections)
    {
        Errno error = EventSource.TryOpen(
            EventsOf(_options), this, Counters, _log, out EventSource? events,
            expectationSink: this);
        if (error != Errno.None) { return $"can't open netlink event socket: {error.Describe()}"; }
        _events = events!;
        _events.AddRequester(_flusher.PortId, EventOrigin.Flush);
        if (commits is not null)
        {
            _events.AddRequester(commits.PortId, EventOrigin.Commit);
            _events.AddRequester(commits.MenderPortId, EventOrigin.Commit);
        }
        if (injections is not null)
        {
            _events.AddRequester(injections.PortId, EventOrigin.Inject);
            _events.AddRequester(injections.MenderPortId, EventOrigin.Inject);
        }
        if (commits is not null) { _echoes.Add(commits.PortId); }
        if (injections is not null)
        {
            _echoes.Add(injections.PortId);
            _echoes.Add(injections.MenderPortId);
        }
        FilterEvents();
        error = loop.Add(_events.FileDescriptor, EventMask.In, new EventReader(this));
        return error == Errno.None ? null : $"event loop: {error.Describe()}";
    }

    private string? StartPolling()
    {
        _log.Notice("running in polling mode");
        _pollAt = Now() + (_options.PollSeconds * SyncEngine.Second);
        return null;
    }

    private string? TryOpenBulk()
    {
        Errno error = KernelBulk.TryOpen(_replica!, _filter, _log, out _bulk);
        return error == Errno.None ? null : $"can't open netlink bulk socket: {error.Describe()}";
    }

    // The first read of the table, at once; events that come meanwhile wait in their socket.
    private string? Populate()
    {
        for (int tries = 0; tries < 5; tries++)
        {
            _now = Now();
            _engine.BeginDump(announce: false, announceSweep: false);
            Errno error = _reader.StartDump();
            if (error == Errno.None)
            {
                _running = Purpose.Resync;
                error = _reader.RunToEnd();
            }
            while (_engine.Step()) { }
            if (error == Errno.None) { break; }
            if (error == Errno.Eintr) { continue; }
            // So the kernel answers for a subsystem that it does not have and could not load.
            string hint =
                error == Errno.Einval ? " (is the module nf_conntrack_netlink loaded?)" : "";
            return $"can't dump the kernel table: {error.Describe()}{hint}";
        }
        _wanted[(int)Purpose.Resync] = false;
        return null;
    }
}
