using System.Collections.Generic;
using Conntrackd.Config;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>
/// The dedicated links: all are listened on, one is sent on, or with RedundantLinks all.
/// </summary>
/// <remarks>
/// Which one that is, and when it changes: Links.Switch. Sealed and checked: Links.Framing. Who a
/// message is from, whichever link it came on: <see cref="LinkPeers"/>. A link whose interface or
/// address is missing, at start or later, is waited for.
/// <para>With RedundantLinks the current link sets the pace, and what leaves on it leaves on the
/// others as well as far as they take it: a copy that does not fit is left out and counted there.
/// What is received twice is dropped by <see cref="CopyFilter"/>.</para>
/// </remarks>
internal sealed partial class Links : ILinkSink, ICopySink, IDisposable
{
    private const int DatagramsPerTurn = 64;
    private const long Millisecond = 1000;
    private const long ReopenInterval = 500 * Millisecond;

    /// <summary>Largest datagram of IPv4.</summary>
    private const int ScratchBytes = 65507;

    // With nobody listening nothing else would hold back the walk through a whole table.
    private const int SendsPerTurn = 256;

    private readonly List<Link> _links = [];
    private readonly SyncEngine _engine;
    private readonly Log _log;
    private readonly long _started;
    private readonly bool _reliable;
    private readonly CopyFilter? _copies;
    private readonly byte[] _scratch = new byte[ScratchBytes];
    private EventLoop _loop = null!;
    private LinkPeers _peers = null!;
    private InterfaceMonitor? _monitor;
    private int _current;

    /// <param name="engine">Whose messages these are.</param>
    /// <param name="started">When the engine's clock was 0, monotonic microseconds.</param>
    /// <param name="reliable">The engine itself repairs what is lost.</param>
    /// <param name="speaks">Every node says something each second (not in ALARM).</param>
    /// <param name="redundant">All links carry all.</param>
    /// <param name="log">For links that come, go and change.</param>
    internal Links(
        SyncEngine engine, long started, bool reliable, bool speaks, bool redundant, Log log)
    {
        _speaks = speaks;
        _copies = redundant ? new CopyFilter(this) : null;
        _engine = engine;
        _started = started;
        _reliable = reliable;
        _log = log;
    }

    /// <summary>Links in the order of the configuration.</summary>
    internal IReadOnlyList<Link> All => _links;

    /// <summary>The link that is sent on.</summary>
    internal Link Current => _links[_current];

    /// <summary>Datagrams held until the other link brings an earlier one; for reports.</summary>
    internal int HeldCount => _copies?.HeldCount ?? 0;

    /// <summary>How many of those were given on without it; for reports.</summary>
    internal ulong HeldInVain => _copies?.HeldInVain ?? 0;

    /// <summary>Pieces that a link left unsent and the next one takes; for reports.</summary>
    internal int StrandedCount => _stranded.Count;

    /// <summary>Pieces of those that were dropped; for reports.</summary>
    internal ulong StrandedDropped { get; private set; }

    /// <summary>True if messages leave on this link.</summary>
    internal bool IsSentOn(Link link) =>
        link == Current || (_copies is not null && IsUsable(link));

    /// <summary>True if the link takes nothing now.</summary>
    internal bool IsStalled { get; private set; }

    /// <summary>
    /// Opens all links and watches their interfaces. Null, or which call failed and why.
    /// </summary>
    internal string? TryOpen(SyncOptions sync, EventLoop loop)
    {
        IReadOnlyList<LinkOptions> options = sync.Links;
        if (TryOpenFraming(sync) is string failed) { return failed; }
        _loop = loop;
        _peers = new LinkPeers(options, redundant: _copies is not null);
        Errno error = InterfaceMonitor.TryOpen(this, out _monitor);
        if (error != Errno.None) { return $"cannot watch interfaces: {error.Describe()}"; }
        foreach (LinkOptions link in options)
        {
            if (link.IsDefault) { _current = _links.Count; }
            _links.Add(new Link(this, _links.Count, link));
            _monitor!.Watch(link.InterfaceName);
        }
        foreach (Link link in _links)
        {
            error = link.TryOpen(_loop, _engine.Received, out string at);
            string refused = $"link on line {link.Options.Position.Line}: {at}: {error.Describe()}";
            if (IsWorthWaiting(error)) { _log.Warning($"{refused}, waiting for it"); }
            else if (error != Errno.None) { return refused; }
        }
        error = _loop.Add(_monitor!.FileDescriptor, EventMask.In, new MonitorReader(_monitor));
        if (error != Errno.None) { return $"event loop: {error.Describe()}"; }
        Reconsider();
        return null;
    }

    /// <summary>Sends what the engine has for the peers, as much as the link takes.</summary>
    internal void Send(long now)
    {
        SendBeacons(now);
        foreach (Link link in _links)
        {
            // A message that was begun on a stream is finished there.
            if (link.Index != _current && link.Channel is { StagedCount: > 0 } other)
            {
                other.Flush();
            }
        }
        if (IsHeld(now))
        {
            IsStalled = true;
            return;
        }
        if (Current.Channel is LinkChannel channel)
        {
            IsStalled = !SendStranded(channel) || !SendNew(channel, now);
            FlushCopies();
            return;
        }
        // No link at all: what ends meanwhile must not be kept for ever. The engine repairs.
        IsStalled = false;
        _stranded.Clear();
        int budget = SendsPerTurn;
        while (budget-- > 0 && _engine.TryTakeDatagram(_scratch, now, out _))
        {
            Current.Counters.ErrorsSent++;
        }
    }

    /// <summary>Connects, reopens, changes the link: whatever is due.</summary>
    internal void OnDeadline(long now)
    {
        foreach (Link link in _links)
        {
            link.Channel?.OnDeadline();
            if (link.Channel is null && now >= link.ReopenAt) { Reopen(link, now); }
        }
        PreferConnected(now);
        LeaveSilence(now);
        _copies?.OnDeadline(now);
    }

    /// <summary>When there is something to do, after now.</summary>
    internal long NextDeadline(long now)
    {
        long next = long.MaxValue;
        foreach (Link link in _links)
        {
            if (link.Channel is null)
            {
                next = Math.Min(next, link.ReopenAt);
                continue;
            }
            long due = link.Channel.NextDeadline;
            if (due != long.MaxValue) { next = Math.Min(next, due - _started); }
        }
        if (_copies is not null) { next = Math.Min(next, _copies.NextDeadline); }
        if (MayLeaveSilence) { next = Math.Min(next, _heardAt + SilenceMax); }
        // A full buffer of datagrams empties within a millisecond or so.
        bool polls = IsStalled && !IsHeld(now)
            && Current.Channel is { WakesWhenWritable: false };
        next = Math.Min(next, NextOfFraming(now));
        return Math.Max(polls ? Math.Min(next, now + Millisecond) : next, now);
    }

    /// <summary>State of a link's interface as last heard.</summary>
    internal NetworkInterface StateOf(Link link) =>
        _monitor!.StateOf(link.Options.InterfaceName);

    public void Dispose()
    {
        foreach (Link link in _links) { link.Channel?.Dispose(); }
        _monitor?.Dispose();
        _cipher?.Dispose();
    }

    private bool SendNew(LinkChannel channel, long now)
    {
        int budget = SendsPerTurn;
        _engine.FillsUp = channel.LikesEqual;
        while (budget > 0)
        {
            Span<byte> room = channel.Reserve();
            if (room.IsEmpty)
            {
                if (!channel.Flush()) { return false; }
                continue;
            }
            room = room[..PayloadMax(channel)];
            Span<byte> messages = _framing is null ? room : room[
                _framing.HeadBytes..(room.Length - _framing.OverheadBytes + _framing.HeadBytes)];
            if (!_engine.TryTakeDatagram(messages, now, out int length)) { break; }
            int bytes = _framing?.Wrap(room, length) ?? length;
            Copy(room[..bytes]);
            channel.Commit(bytes);
            budget--;
        }
        return channel.Flush();
    }

    /// <inheritdoc/>
    public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> messages, long now) =>
        _engine.OnDatagram(in from, messages, now);

    private void OnMessages(Link link, in PeerAddress from, ReadOnlySpan<byte> messages)
    {
        long now = Now();
        // A sealed frame says itself who sent it.
        PeerAddress name =
            _sealed is null ? _peers.NameOf(link.Index, in from, messages) : from;
        if (_copies is not null)
        {
            Hear(now);
            link.Counters.Duplicates += (ulong)_copies.Take(in name, messages, now);
            return;
        }
        if (_links.Count > 1 && IsMessage(messages))
        {
            Hear(now);
            if (link.Index != _current) { Follow(link, now); }
        }
        _engine.OnDatagram(in name, messages, now);
    }

    // What leaves on a stream need not fit a datagram, unless it leaves on both.
    private int PayloadMax(LinkChannel current)
    {
        int bytes = PayloadMaxOf(current);
        if (_copies is null) { return bytes; }
        foreach (Link link in _links)
        {
            if (IsUsable(link)) { bytes = Math.Min(bytes, PayloadMaxOf(link.Channel!)); }
        }
        return bytes;
    }

    private void Copy(ReadOnlySpan<byte> datagram)
    {
        if (_copies is null) { return; }
        foreach (Link link in _links)
        {
            if (link.Index == _current || !IsUsable(link)) { continue; }
            LinkChannel channel = link.Channel!;
            Span<byte> room = channel.Reserve();
            if (room.IsEmpty && channel.Flush()) { room = channel.Reserve(); }
            if (room.Length < datagram.Length)
            {
                link.Counters.ErrorsSent++;
                continue;
            }
            datagram.CopyTo(room);
            channel.Commit(datagram.Length);
        }
    }

    private void FlushCopies()
    {
        if (_copies is null) { return; }
        foreach (Link link in _links)
        {
            if (link.Index != _current && link.Channel is { StagedCount: > 0 } channel)
            {
                channel.Flush();
            }
        }
    }

    private long Now() => Clock.MonotonicMicroseconds() - _started;

    // Interfaces and addresses come and go; anything else is an error of the configuration.
    private static bool IsWorthWaiting(Errno error) =>
        error is Errno.Enodev or Errno.Enxio or Errno.Eaddrnotavail or Errno.Enetdown
            or Errno.Enetunreach;

    /// <summary>Reads changes of interfaces.</summary>
    private sealed class MonitorReader(InterfaceMonitor monitor) : IReadyHandler
    {
        public void OnReady(int fd, EventMask mask) => monitor.Read(DatagramsPerTurn);
    }
}
