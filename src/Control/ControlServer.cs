using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>Limits of a <see cref="ControlServer"/>; tests make them small.</summary>
internal sealed record ControlLimits
{
    /// <summary>
    /// Clients at a time, readers included. The others wait in the backlog: a client costs a
    /// descriptor and, if it dumps, a thread of 256 KiB.
    /// </summary>
    internal int ClientsMax { get; init; } = 32;

    /// <summary>
    /// Of these, not root's: whatever they do, there is room for who may change something.
    /// </summary>
    internal int OthersMax { get; init; } = 8;

    /// <summary>
    /// A request is four bytes; a client that cannot send them by then is broken.
    /// </summary>
    internal int RequestMilliseconds { get; init; } = 5_000;

    /// <summary>
    /// Longest time without taking a byte of the answer: somebody may read in a pager.
    /// </summary>
    internal int StallMilliseconds { get; init; } = 600_000;

    /// <summary>
    /// The same from the moment on when another client has to wait for want of room.
    /// </summary>
    internal int CrowdedMilliseconds { get; init; } = 5_000;
}

/// <summary>What went wrong with clients, for <c>-s runtime</c>.</summary>
internal sealed class ControlCounters
{
    internal ulong LocalReadFailed;         // requests that ended early, or came too late
    internal ulong LocalUnknownRequest;     // numbers that mean nothing
    internal ulong Refused;                 // not for this user, or too many of them
    internal ulong AcceptFailed;            // mostly: out of descriptors
    internal ulong ReaderFailed;            // threads that could not be started
}

/// <summary>
/// The daemon's UNIX socket. Belongs to the loop's thread; no client can make it wait.
/// </summary>
/// <remarks>
/// The caller asks for <see cref="NextDeadlineMicroseconds"/> before it sleeps and calls
/// <see cref="OnDeadline"/> when that has come.
/// </remarks>
internal sealed class ControlServer : IReadyHandler, IDisposable
{
    private const int AcceptsPerTurn = 8;
    private const int TextBytesKept = 65_536;
    private const long MicrosecondsPerMillisecond = 1_000;

    // While nothing can be accepted, how often to see whether that has changed.
    private const long PauseMicroseconds = 50_000;

    private readonly EventLoop _loop;
    private readonly ControlLimits _limits;
    private readonly string _path;
    private readonly int _listener;
    private readonly FileIdentity _identity;
    private readonly List<ControlSession> _sessions = [];
    private readonly List<DumpReader> _readers = [];
    private readonly Stack<TextBuffer> _texts = [];
    private long _pausedUntil = long.MaxValue;
    private bool _disposed;

    private ControlServer(
        EventLoop loop, ICommandHandler handler, ControlAccess access, ControlLimits limits,
        string path, int listener)
    {
        _loop = loop;
        Handler = handler;
        Access = access;
        _limits = limits;
        _path = path;
        _listener = listener;

        // Without identity the file is not removed at the end, which the next start can bear.
        _ = Libc.Identify(path, out _identity);
    }

    internal ControlCounters Counters { get; } = new();

    internal ICommandHandler Handler { get; }

    /// <summary>Who may ask for what.</summary>
    internal ControlAccess Access { get; }

    /// <summary>Clients whose request is being read, done or answered here.</summary>
    internal int SessionCount => _sessions.Count;

    /// <summary>When <see cref="OnDeadline"/> is due; long.MaxValue if nothing is.</summary>
    internal long NextDeadlineMicroseconds
    {
        get
        {
            long next = _pausedUntil;
            foreach (ControlSession session in _sessions)
            {
                next = Math.Min(next, session.DeadlineMicroseconds);
            }
            return next;
        }
    }

    /// <summary>Starts to listen.</summary>
    /// <returns>Null, or why it cannot; the text names no path.</returns>
    internal static string? TryOpen(
        EventLoop loop, ICommandHandler handler, string path, ControlAccess access,
        ControlLimits limits, out ControlServer? server)
    {
        server = null;
        string? reason = ControlSocket.TryListen(path, access.Group, out int listener);
        if (reason is not null) { return reason; }
        var opened = new ControlServer(loop, handler, access, limits, path, listener);
        Errno error = loop.Add(listener, EventMask.In, opened);
        if (error != Errno.None)
        {
            opened.Dispose();
            return error.Describe();
        }
        server = opened;
        return null;
    }

    /// <summary>Takes the clients that wait, a few a turn.</summary>
    public void OnReady(int fd, EventMask mask)
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            ForgetEndedReaders();
            if (_sessions.Count + _readers.Count >= _limits.ClientsMax)
            {
                HurryIfAnyWaits();
                Pause();
                return;
            }
            Errno error = Libc.Accept(_listener, out int connection);
            if (error == Errno.Eagain) { return; }
            if (error != Errno.None)
            {
                // Either this client gave up, or there is no descriptor: then trying on would spin.
                Counters.AcceptFailed++;
                Pause();
                return;
            }
            Open(connection);
        }
    }

    /// <summary>Closes the clients that are late; accepts again after a pause.</summary>
    internal void OnDeadline(long nowMicroseconds)
    {
        for (int i = _sessions.Count - 1; i >= 0; i--)
        {
            if (_sessions[i].IsLate(nowMicroseconds)) { _sessions[i].OnDeadline(); }
        }
        ForgetEndedReaders();
        if (nowMicroseconds < _pausedUntil) { return; }
        bool full = _sessions.Count + _readers.Count >= _limits.ClientsMax;
        if (full) { HurryIfAnyWaits(); }
        if (full || _loop.Watch(_listener, EventMask.In) != Errno.None)
        {
            _pausedUntil = nowMicroseconds + PauseMicroseconds;
            return;
        }
        _pausedUntil = long.MaxValue;
    }

    /// <summary>Appends a line for every dump that is being written.</summary>
    internal void AppendReaders(TextBuffer text)
    {
        ForgetEndedReaders();
        foreach (DumpReader reader in _readers)
        {
            if (reader.Id != 0) { Reports.AppendReader(text, reader.Id, ReaderKind.Any); }
        }
    }

    /// <summary>
    /// Closes every client, stops the readers, and removes the socket file if it is still ours.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) { return; }
        _disposed = true;
        foreach (ControlSession session in _sessions.ToArray()) { session.Close(); }
        foreach (DumpReader reader in _readers) { reader.Stop(); }
        _readers.Clear();
        _loop.Remove(_listener);
        bool ours = Libc.Identify(_path, out FileIdentity there) == Errno.None
            && there == _identity;
        if (ours) { _ = Libc.Unlink(_path); }
        Libc.Close(_listener);
    }

    /// <summary>Session's call: it has ended.</summary>
    internal void OnClosed(ControlSession session)
    {
        _sessions.Remove(session);
        if (session.Text.Length > TextBytesKept || _texts.Count >= _limits.ClientsMax) { return; }
        session.Text.Clear();
        _texts.Push(session.Text);
    }

    /// <summary>Session's call: when a client that takes nothing from now on is given up.</summary>
    internal long StallDeadline() => Clock.MonotonicMicroseconds()
        + (_limits.StallMilliseconds * MicrosecondsPerMillisecond);

    /// <summary>Session's call: what its connection is watched for.</summary>
    internal Errno Watch(ControlSession session, EventMask mask) => _loop.Watch(session.Fd, mask);

    /// <summary>Session's call: its connection will be closed or handed over.</summary>
    internal void Unwatch(ControlSession session) => _loop.Remove(session.Fd);

    /// <summary>Session's call: gives connection and source to a reader.</summary>
    internal bool TryStartReader(int fd, bool isOwner, bool framed, IDumpSource source)
    {
        var reader = DumpReader.TryStart(fd, isOwner, framed, source, _limits.StallMilliseconds);
        if (reader is null)
        {
            Counters.ReaderFailed++;
            return false;
        }
        _readers.Add(reader);
        return true;
    }

    private void Open(int connection)
    {
        bool isOwner = ControlAccess.IsOwner(connection);
        if (!isOwner && OthersCount >= _limits.OthersMax)
        {
            Counters.Refused++;
            Libc.Close(connection);
            return;
        }
        long deadline = Clock.MonotonicMicroseconds()
            + (_limits.RequestMilliseconds * MicrosecondsPerMillisecond);
        TextBuffer text = _texts.TryPop(out TextBuffer? kept) ? kept : new TextBuffer();
        var session = new ControlSession(this, connection, isOwner, text, deadline);
        _sessions.Add(session);
        if (_loop.Add(connection, EventMask.In, session) == Errno.None) { return; }
        Counters.AcceptFailed++;
        session.Close();
    }

    private int OthersCount
    {
        get
        {
            int count = 0;
            foreach (ControlSession session in _sessions) { if (!session.IsOwner) { count++; } }
            foreach (DumpReader reader in _readers) { if (!reader.IsOwner) { count++; } }
            return count;
        }
    }

    private void Pause()
    {
        _pausedUntil = Clock.MonotonicMicroseconds() + PauseMicroseconds;

        // Should this fail, the listener stays watched and is paused again in the next turn.
        _ = _loop.Watch(_listener, EventMask.None);
    }

    /// <summary>There is no room: whoever takes nothing is given up soon for who waits.</summary>
    private void HurryIfAnyWaits()
    {
        if (Libc.WaitReadable(_listener, timeoutMilliseconds: 0) != Errno.None) { return; }
        long deadline = Clock.MonotonicMicroseconds()
            + (_limits.CrowdedMilliseconds * MicrosecondsPerMillisecond);
        foreach (ControlSession session in _sessions) { session.Hurry(deadline); }
        foreach (DumpReader reader in _readers) { reader.Hurry(_limits.CrowdedMilliseconds); }
    }

    private void ForgetEndedReaders()
    {
        for (int i = _readers.Count - 1; i >= 0; i--)
        {
            if (_readers[i].HasEnded) { _readers.RemoveAt(i); }
        }
    }
}
