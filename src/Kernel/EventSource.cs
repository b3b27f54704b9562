using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>Listens to the changes of the kernel's table.</summary>
/// <remarks>
/// One socket for all groups, which keeps the events of a flow in order. Law of the place: reading
/// allocates nothing. Overruns: the kernel reports ENOBUFS once, before the events it had already
/// queued, and drops every further one until the queue has been read empty; only then OnOverrun of
/// the sink is called. Source: shared spec ctnetlink, section 7.
/// </remarks>
internal sealed class EventSource : IDisposable
{
    private const int GroupNew = 1;             // NFNLGRP_CONNTRACK_NEW
    private const int GroupUpdate = 2;          // NFNLGRP_CONNTRACK_UPDATE
    private const int GroupDestroy = 3;         // NFNLGRP_CONNTRACK_DESTROY
    private const int GroupExpectNew = 4;       // NFNLGRP_CONNTRACK_EXP_NEW
    private const int GroupExpectDestroy = 6;   // NFNLGRP_CONNTRACK_EXP_DESTROY

    /// <summary>64 events a call; the largest realistic one is below 700 bytes.</summary>
    /// <remarks>
    /// Not a power of two: at distances of 4096 all slots would share a few sets of the first
    /// cache.
    /// </remarks>
    private const int SlotCount = 64, SlotBytes = 2048 + 64;

    private const int LogIntervalSeconds = 10;
    private const string EventsSetting = "/proc/sys/net/netfilter/nf_conntrack_events";

    private readonly int _fd;
    private readonly IKernelSink _sink;
    private readonly EventIntake _intake;
    private readonly KernelCounters _counters;
    private readonly Log _log;
    private readonly ReceiveBatch _batch = new(SlotCount, SlotBytes);

    private EventSourceOptions _options;
    private bool _gap;                          // events were lost and the queue is not yet empty
    private bool _limitTold;
    private bool _isCapped;             // the kernel did not give more when asked
    private uint _dropsSeen;
    private LogThrottle _failureLog = new(LogIntervalSeconds);
    private LogThrottle _overrunLog = new(LogIntervalSeconds);

    private EventSource(
        int fd, EventSourceOptions options, IKernelSink sink, IExpectationSink? expectationSink,
        KernelCounters counters, Log log)
    {
        _fd = fd;
        _options = options;
        _sink = sink;
        _intake = new EventIntake(sink, expectationSink, counters);
        _counters = counters;
        _log = log;
    }

    internal int FileDescriptor => _fd;

    /// <summary>Opens and subscribes. Eperm without CAP_NET_ADMIN.</summary>
    internal static Errno TryOpen(
        EventSourceOptions options, IKernelSink sink, KernelCounters counters, Log log,
        out EventSource? source, IExpectationSink? expectationSink = null)
    {
        source = null;
        RequestEventsAlways(log);
        Errno error = NetlinkSocket.Open(NetlinkSocket.Netfilter, out int fd, out _);
        if (error != Errno.None) { return error; }
        EventSource opened = new(fd, options, sink, expectationSink, counters, log);
        error = opened.SetUp();
        if (error != Errno.None)
        {
            opened.Dispose();
            return error;
        }
        source = opened;
        return Errno.None;
    }

    /// <summary>
    /// Events caused through the socket with this port id are ours, of this origin. The id may be
    /// reused by another process once that socket is closed.
    /// </summary>
    internal void AddRequester(uint portId, EventOrigin origin) =>
        _intake.AddRequester(portId, origin);

    /// <summary>
    /// Lets the kernel drop what an <see cref="EventProgram"/> drops, instead of any earlier one.
    /// If the kernel refuses, everything comes.
    /// </summary>
    internal Errno Attach(ReadOnlySpan<byte> program) => SocketFilter.Attach(_fd, program);

    /// <summary>
    /// Hears of new flows, or not for a while: of what comes meanwhile only a dump tells. If
    /// nobody else listens either, the kernel need not describe them.
    /// </summary>
    internal Errno HearNew(bool on) =>
        on ? NetlinkSocket.Join(_fd, GroupNew) : NetlinkSocket.Leave(_fd, GroupNew);

    /// <summary>
    /// Takes over a changed buffer and reliability; which events are subscribed to stays. An error
    /// means that the reliability could not be changed.
    /// </summary>
    internal Errno Change(EventSourceOptions options)
    {
        EventSourceOptions old = _options;
        _options = options with { Expectations = old.Expectations };
        bool sameBuffer = (old.BufferBytes, old.BufferBytesMax)
            == (options.BufferBytes, options.BufferBytesMax);
        if (!sameBuffer)
        {
            _limitTold = _isCapped = false;
            SetInitialBuffer();
        }
        return old.Reliable == options.Reliable ? Errno.None : SetReliable(options.Reliable);
    }

    /// <summary>Hands over at most so many events; true if more may be waiting.</summary>
    internal bool Read(int datagramsMax)
    {
        int rest = datagramsMax;
        while (rest > 0)
        {
            Errno error = _batch.Receive(_fd, rest, out int count);
            if (error == Errno.None)
            {
                for (int i = 0; i < count; i++) { Take(i); }
                _intake.HandOver();
                // Fewer than asked for means empty; but the end of a gap must be seen as EAGAIN.
                if (count < Math.Min(rest, SlotCount) && !_gap) { return false; }
                rest -= count;
                continue;
            }
            if (error == Errno.Eagain)
            {
                if (_gap) { EndGap(); }
                return false;
            }
            rest--;
            if (error == Errno.Enobufs) { OverrunSlow(); }
            else { FailureSlow(error); }
        }
        return true;
    }

    /// <summary>
    /// For reliable mode, where the kernel does not report overruns: looks at its count of drops.
    /// To be called now and then; a new loss becomes an overrun, which the sink is told as soon as
    /// the queue is empty, perhaps from here.
    /// </summary>
    internal void PollDrops()
    {
        uint drops = ReadDrops();
        if (drops == _dropsSeen) { return; }
        _dropsSeen = drops;
        if (!_options.Reliable) { return; } // ENOBUFS tells it there
        OverrunSlow();
        Read(SlotCount); // nothing may be waiting that would wake the loop
    }

    public void Dispose()
    {
        Libc.Close(_fd);
        _batch.Dispose();
    }

    private void Take(int index)
    {
        if (!NetlinkSocket.IsFromKernel(_batch.Source(index)))
        {
            _counters.DatagramsForeign++;
            return;
        }
        if (_batch.IsTruncated(index))
        {
            _counters.EventsTruncated++;
            _gap = true;
            return;
        }
        _intake.Take(_batch.Datagram(index));
    }

    private void EndGap()
    {
        _gap = false;
        _sink.OnOverrun();
    }

    private void OverrunSlow()
    {
        _counters.Overruns++;
        _counters.CatchEventFailed++;
        _gap = true;
        Grow();
    }

    private void Grow()
    {
        int current = _counters.BufferBytes;
        if (current <= _options.BufferBytesMax / 2 && !_isCapped)
        {
            SetBuffer(current * 2);
            _isCapped = _counters.BufferBytes <= current;
            if (!_isCapped)
            {
                _log.Notice(
                    "netlink event socket buffer size has been doubled to "
                    + $"{_counters.BufferBytes} bytes");
                return;
            }
        }
        bool due = _overrunLog.TryTake(Clock.MonotonicMicroseconds(), out ulong suppressed);
        if (!_limitTold)
        {
            _limitTold = true;
            string limit = _isCapped
                ? "since the kernel refuses (net.core.rmem_max)"
                : "since it will exceed NetlinkBufferSizeMaxGrowth "
                    + $"({_options.BufferBytesMax} bytes)";
            _log.Warning(
                $"netlink event socket buffer size cannot be doubled further {limit}, now "
                + $"{current} bytes; events are lost and the table is read again after overruns");
        }
        else if (due)
        {
            _log.Notice(
                $"event socket: overrun (ENOBUFS), buffer stays {current} bytes"
                + $" ({suppressed} more since the last line)");
        }
    }

    private void FailureSlow(Errno error)
    {
        _counters.CatchEventFailed++;
        if (_failureLog.TryTake(Clock.MonotonicMicroseconds(), out ulong suppressed))
        {
            _log.Warning(
                $"event socket: receive failed, {error.Describe()} ({suppressed} more before)");
        }
    }

    private Errno SetUp()
    {
        SetInitialBuffer();
        if (_options.Reliable)
        {
            Errno error = SetReliable(true);
            if (error != Errno.None) { return error; }
            _log.Notice("reliable ctnetlink event delivery is ENABLED.");
        }
        ReadOnlySpan<int> groups = _options.Expectations
            ? [GroupNew, GroupUpdate, GroupDestroy, GroupExpectNew, GroupExpectDestroy]
            : [GroupNew, GroupUpdate, GroupDestroy];
        foreach (int group in groups)
        {
            Errno error = NetlinkSocket.Join(_fd, group);
            if (error != Errno.None) { return error; }
        }
        return Errno.None;
    }

    private Errno SetReliable(bool on)
    {
        Errno error = Libc.SetOption(_fd, SocketOption.NetlinkBroadcastError, on ? 1 : 0);
        return error == Errno.None
            ? Libc.SetOption(_fd, SocketOption.NetlinkNoOverrunError, on ? 1 : 0) : error;
    }

    private void SetInitialBuffer()
    {
        int wanted = _options.BufferBytes;
        if (wanted > 0 && wanted <= _options.BufferBytesMax) { SetBuffer(wanted); }
        else
        {
            _ = Libc.GetOption(_fd, SocketOption.ReceiveBuffer, out _counters.BufferBytes);
            _log.Notice(
                "NetlinkBufferSize is either not set or is greater than "
                + "NetlinkBufferSizeMaxGrowth. Using current system buffer size");
        }
        _log.Notice(
            $"netlink event socket buffer size has been set to {_counters.BufferBytes} bytes");
    }

    /// <summary>The kernel doubles what it is given, so it is given half.</summary>
    private void SetBuffer(int bytes)
    {
        Errno error = Libc.SetBuffer(
            _fd, SocketOption.ReceiveBufferForce, SocketOption.ReceiveBuffer, bytes / 2,
            out bool forced);
        if (error != Errno.None || !forced)
        {
            _log.Notice(
                "event socket: SO_RCVBUFFORCE refused, net.core.rmem_max limits the buffer");
        }
        _ = Libc.GetOption(_fd, SocketOption.ReceiveBuffer, out _counters.BufferBytes);
    }

    /// <summary>The ninth number of SO_MEMINFO (SK_MEMINFO_DROPS).</summary>
    private uint ReadDrops()
    {
        const int Numbers = 9;
        Span<byte> info = stackalloc byte[Numbers * sizeof(uint)];
        info.Clear();
        _ = Libc.GetOption(_fd, SocketOption.MemoryInfo, info);
        return BitConverter.ToUInt32(info[((Numbers - 1) * sizeof(uint))..]);
    }

    /// <summary>
    /// Without this the kernel keeps no event state for flows that were created while nobody
    /// listened, and they would end without a word.
    /// </summary>
    private static void RequestEventsAlways(Log log)
    {
        Errno error = Libc.Open(EventsSetting, Libc.OpenWriteOnly, 0, out int fd);
        if (error == Errno.None)
        {
            error = Libc.Write(fd, "1\n"u8, out _);
            Libc.Close(fd);
        }
        // A service unit that hides the file has set it before.
        if (error is not (Errno.None or Errno.Enoent))
        {
            log.Notice($"{EventsSetting}: cannot be set to 1, {error.Describe()}");
        }
    }
}
