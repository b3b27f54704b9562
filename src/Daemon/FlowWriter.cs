using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>
/// Puts peers' flows into the kernel, a batch at a time, and knows the remedy for each refusal.
/// </summary>
/// <remarks>
/// Used for commits and for direct injection; each has a writer of its own, because the kernel
/// tells from the socket who caused an event. Remedies, tried in this order, once each (sync.md 11,
/// 13):
/// <code>
/// create   EEXIST              delete what holds either tuple, create
///          EOPNOTSUPP, helper  create without helper (not loaded here)
///          ENOENT, master      injection: wait for it, try again once
///                              then, and in a commit: create without master (not here)
/// update   ENOENT              create
///          EBUSY, master       update as if it had none (created without it)
///          EBUSY, status       update without status (the entry has more)
///          ENOSPC, labels      update without labels (no rule here uses them)
///          anything else       delete, create
/// destroy  ENOENT              is what was wanted
/// </code>
/// A request is not repaired if a later one of the same batch is about the same flow: that one
/// wins.
/// </remarks>
internal sealed class FlowWriter : IFlowInjector, ITableResultSink, IDisposable
{
    private const uint FallbackTimeoutSeconds = 60;
    private const int RoundsMax = 4;
    private const int ToldAhead = 8;            // as far as FlowRing
    private const int LogIntervalSeconds = 10;
    private const long RetryInterval = SyncEngine.Second / 2;

    /// <summary>Most related flows that wait for their masters.</summary>
    internal const int WaitingMax = 1024;

    /// <summary>One flow of the batch, kept until the kernel has taken it.</summary>
    private struct Request
    {
        internal Flow Flow;
        internal SyncType Kind;
        internal uint TimeoutSeconds;
        internal bool Replace;
        internal bool MakesRoom;
        internal bool Waits;
        internal bool HasWaited;
        internal bool KeepsLiving;
        internal Errno Error;
    }

    /// <summary>Requests that go to the kernel in one batch: where, and how many.</summary>
    private readonly record struct Part(int Start, int Count)
    {
        internal int End => Start + Count;
    }

    // The part being added to, and behind it, in a ring, those in flight.
    private Request[] _requests = new Request[RequestBatch.RequestsMax];
    private readonly Queue<Part> _inFlight = new();
    private readonly string _name;
    private readonly Log _log;
    private TableWriter _writer = null!;
    private TableWriter _mender = null!;
    private LogThrottle _throttle = new(LogIntervalSeconds);
    private readonly List<Request> _waiting = [];
    private readonly bool _waits;
    private WriterSettings _settings;
    private uint _timeoutSeconds;
    private int _start;
    private int _count;
    private long _retryAt = long.MaxValue;

    private FlowWriter(string name, bool waits, in WriterSettings settings, Log log)
    {
        _name = name;
        _waits = waits;
        _log = log;
        Change(in settings);
    }

    /// <summary>Related flows that wait for their masters.</summary>
    internal int WaitingCount => _waiting.Count;

    /// <summary>Of those that waited, how many did so in vain.</summary>
    internal ulong MastersMissing { get; private set; }

    /// <summary>How many could not wait because too many did.</summary>
    internal ulong WaitingDropped { get; private set; }

    /// <summary>When <see cref="Retry"/> wants to be called.</summary>
    internal long NextDeadline => _waiting.Count == 0 ? long.MaxValue : _retryAt;

    internal ulong Created { get; private set; }

    internal ulong CreateFailed { get; private set; }

    /// <summary>Of those created, how many took the place of other flows.</summary>
    internal ulong Replaced { get; private set; }

    internal ulong Updated { get; private set; }

    internal ulong UpdateFailed { get; private set; }

    internal ulong Destroyed { get; private set; }

    internal ulong DestroyFailed { get; private set; }

    /// <summary>
    /// Events of plain requests carry it. Nobody need hear of them: <see cref="Committed"/> tells.
    /// </summary>
    internal uint PortId => _writer.PortId;

    /// <summary>
    /// Events of remedies carry it. They may remove more than the one flow, so they are heard.
    /// </summary>
    internal uint MenderPortId => _mender.PortId;

    /// <summary>Is told of each flow that a plain request has created.</summary>
    internal ICommittedSink? Committed { get; set; }

    /// <param name="name">Stands in log lines: what is being done.</param>
    /// <param name="waits">Keep related flows whose master is missing for a while.</param>
    /// <param name="settings">How flows are written.</param>
    /// <param name="counters">Of the kernel room.</param>
    /// <param name="log">Where refusals are told, a line per interval.</param>
    /// <param name="writer">The result.</param>
    internal static Errno TryOpen(
        string name, bool waits, in WriterSettings settings, KernelCounters counters, Log log,
        out FlowWriter? writer)
    {
        writer = null;
        var opened = new FlowWriter(name, waits, in settings, log);
        Errno error = TableWriter.TryOpen(opened, counters, out TableWriter? plain);
        if (error != Errno.None) { return error; }
        error = TableWriter.TryOpen(opened, counters, out TableWriter? mender);
        if (error != Errno.None)
        {
            plain!.Dispose();
            return error;
        }
        opened._writer = plain!;
        opened._mender = mender!;
        writer = opened;
        return Errno.None;
    }

    /// <summary>Takes over settings; 0 seconds are 60.</summary>
    internal void Change(in WriterSettings settings)
    {
        _settings = settings;
        _timeoutSeconds =
            settings.TimeoutSeconds == 0 ? FallbackTimeoutSeconds : settings.TimeoutSeconds;
    }

    /// <inheritdoc/>
    public void Inject(SyncType type, ref Flow flow)
    {
        Forget(in flow);
        Add(type, in flow,
            flow.Has(FlowAttributes.Timeout) && flow.TimeoutSeconds != 0
                ? flow.TimeoutSeconds : _timeoutSeconds);
    }

    /// <summary>
    /// Adds one request; a full batch is flushed first. With 0 seconds an entry that is there keeps
    /// its timeout, a new one gets that of the settings.
    /// </summary>
    internal void Add(SyncType kind, in Flow flow, uint timeoutSeconds)
    {
        if (_count == RequestBatch.RequestsMax) { Flush(); }
        ref Request request = ref _requests[_start + _count++];
        request = new Request { Kind = kind, TimeoutSeconds = timeoutSeconds };
        request.Flow = flow;
        request.Flow.Present &= ~_settings.Withheld;
        if ((_settings.Withheld & FlowAttributes.Timeout) != 0) { request.TimeoutSeconds = 0; }
    }

    /// <summary>Adds those again that wait for their masters, when it is time.</summary>
    internal void Retry(long now)
    {
        if (_waiting.Count == 0) { return; }
        if (_retryAt == long.MaxValue) { _retryAt = now + RetryInterval; }
        if (now < _retryAt) { return; }
        _retryAt = long.MaxValue;
        Request[] again = [.. _waiting];
        _waiting.Clear();
        foreach (Request request in again)
        {
            if (_count == RequestBatch.RequestsMax) { Flush(); }
            _requests[_start + _count++] = request;
        }
    }

    /// <summary>Adds a flow to be created if nothing holds its tuples.</summary>
    internal void AddIfAbsent(in Flow flow, uint timeoutSeconds)
    {
        Add(SyncType.FlowNew, in flow, timeoutSeconds);
        _requests[_start + _count - 1].KeepsLiving = true;
    }

    /// <summary>
    /// Adds a flow to be created as it was at the peer, for which what holds either of its tuples
    /// makes room.
    /// </summary>
    /// <remarks>
    /// For translated flows of protocols that let a packet in the middle make an entry (UDP). A
    /// reply that came before the commit has made one whose original tuple is this flow's reply.
    /// The kernel then does not refuse the flow: it gives it another port, for good.
    /// </remarks>
    internal void AddMakingRoom(in Flow flow, uint timeoutSeconds)
    {
        Add(SyncType.FlowNew, in flow, timeoutSeconds);
        ref Request request = ref _requests[_start + _count - 1];
        request.Replace = true;
        request.MakesRoom = true;
    }

    /// <summary>
    /// From now on <see cref="FlushBehind"/> does not wait for the kernel, if the system has room
    /// for a thread. For those who read the table afterwards: what packets do to a flow meanwhile
    /// may be heard before the flow is told as committed.
    /// </summary>
    internal void BeginBehind()
    {
        Flush();
        if (!_writer.TryStartBehind()) { return; }
        _requests = new Request[(WriteBehind.BatchesMax + 1) * RequestBatch.RequestsMax];
    }

    /// <summary>Waits for what is in flight; the opposite of <see cref="BeginBehind"/>.</summary>
    internal void EndBehind()
    {
        Flush();
        _writer.StopBehind();
        _requests = new Request[RequestBatch.RequestsMax];
        _start = 0;
    }

    /// <summary>
    /// As <see cref="Flush"/>, but after <see cref="BeginBehind"/> it leaves the batch in flight
    /// and repairs an earlier one, unless order matters: a master goes before its related flows.
    /// </summary>
    internal void FlushBehind()
    {
        var part = new Part(_start, _count);
        if (!_writer.IsBehind || MustWait(part))
        {
            Flush();
            return;
        }
        SendAll(part);
        if (_inFlight.Count == WriteBehind.BatchesMax) { SettleOldest(); }
        _writer.Begin();
        _inFlight.Enqueue(part);
        _start = (_start + RequestBatch.RequestsMax) % _requests.Length;
        _count = 0;
    }

    /// <summary>Sends what was added and repairs what was refused, now or before.</summary>
    internal void Flush()
    {
        while (_inFlight.Count != 0) { SettleOldest(); }
        if (_count == 0) { return; }
        var part = new Part(_start, _count);
        SendAll(part);
        _writer.Flush();
        _mender.Flush();
        Settle(part);
        _count = 0;
    }

    /// <inheritdoc/>
    public void OnTableResult(int token, Errno error) => _requests[token].Error = error;

    public void Dispose()
    {
        _writer.Dispose();
        _mender.Dispose();
    }

    private bool MustWait(Part part)
    {
        if (part.Count == 0) { return true; }
        foreach (ref Request request in _requests.AsSpan(part.Start, part.Count))
        {
            if (request.MakesRoom || request.Flow.Has(FlowAttributes.Master)) { return true; }
        }
        return false;
    }

    private void SendAll(Part part)
    {
        // What makes room is to be heard of.
        for (int i = part.Start; i < part.End; i++)
        {
            Send(_requests[i].MakesRoom ? _mender : _writer, i);
        }
    }

    private void SettleOldest()
    {
        _writer.End();
        Settle(_inFlight.Dequeue());
    }

    // Tells of what the kernel has taken, repairs and counts.
    private void Settle(Part part)
    {
        TellCommitted(part);
        for (int round = 0; round < RoundsMax; round++)
        {
            bool again = false;
            for (int i = part.Start; i < part.End; i++)
            {
                if (_requests[i].Error == Errno.None) { continue; }
                if (TryHold(ref _requests[i], part, i)) { continue; }
                if (!Mend(ref _requests[i], part, i)) { continue; }
                _requests[i].Error = Errno.None;
                Send(_mender, i);
                again = true;
            }
            if (!again) { break; }
            _mender.Flush();
        }
        for (int i = part.Start; i < part.End; i++)
        {
            if (!_requests[i].Waits) { CountResult(in _requests[i]); }
        }
    }

    private void TellCommitted(Part part)
    {
        if (Committed is not ICommittedSink sink) { return; }
        sink.BeforeCommitted();
        for (int i = part.Start; i < part.End; i++)
        {
            int ahead = i + ToldAhead;
            if (ahead < part.End) { sink.ExpectCommitted(in _requests[ahead].Flow); }
            ref Request request = ref _requests[i];
            if (request.Error != Errno.None || request.Kind != SyncType.FlowNew) { continue; }
            if (request.MakesRoom) { continue; }
            sink.OnCommitted(ref request.Flow, request.TimeoutSeconds);
        }
    }

    private void Send(TableWriter writer, int index)
    {
        ref Request request = ref _requests[index];
        bool updates = request is { Kind: SyncType.FlowUpdate, Replace: false };
        uint timeout = updates || request.TimeoutSeconds != 0
            ? request.TimeoutSeconds : _timeoutSeconds;
        var options = new CreateOptions(timeout, _settings.WindowTracking);
        // The second try after a flush always fits: a batch holds one request of any size.
        for (int tries = 0; tries < 2; tries++)
        {
            bool added = (request.Kind, request.Replace) switch
            {
                (SyncType.FlowDestroy, _) => writer.AddDelete(index, in request.Flow),
                (_, true) => writer.AddReplace(index, in request.Flow, in options),
                (SyncType.FlowNew, _) => writer.AddCreate(index, in request.Flow, in options),
                _ => writer.AddUpdate(index, in request.Flow, in options),
            };
            if (added) { return; }
            if (writer == _writer)
            {
                while (_inFlight.Count != 0) { SettleOldest(); }
            }
            writer.Flush();
        }
        request.Error = Errno.Einval;
    }

    // Keeps a related flow whose master is not there: its message may have been lost and be on its
    // way again, or come later in a bulk.
    private bool TryHold(ref Request request, Part part, int index)
    {
        bool lacksMaster = request.Kind == SyncType.FlowNew && request.Error == Errno.Enoent
            && request.Flow.Has(FlowAttributes.Master);
        if (!_waits || !lacksMaster || request.HasWaited || HasLater(part, index)) { return false; }
        if (_waiting.Count == WaitingMax)
        {
            WaitingDropped++;
            return false;
        }
        request.Waits = true;
        request.Error = Errno.None;
        _waiting.Add(request with { Waits = false, HasWaited = true, Replace = false });
        return true;
    }

    // What is said of a flow now goes before what waited.
    private void Forget(in Flow flow)
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            Request waiting = _waiting[i];
            if (IsSame(in waiting.Flow, in flow)) { _waiting.RemoveAt(i); }
        }
    }

    // Changes a refused request into what may be accepted. False if there is nothing to try.
    private bool Mend(ref Request request, Part part, int index)
    {
        if (request.Kind == SyncType.FlowDestroy || HasLater(part, index)) { return false; }
        bool create = request.Kind == SyncType.FlowNew || request.Replace;
        if (request.Error == Errno.Eopnotsupp && request.Flow.Has(FlowAttributes.Helper))
        {
            request.Flow.Present &= ~FlowAttributes.Helper;
            return true;
        }
        if (create && request.Error == Errno.Enoent && request.Flow.Has(FlowAttributes.Master))
        {
            if (request.HasWaited) { MastersMissing++; }
            request.Flow.Present &= ~(FlowAttributes.Master | FlowAttributes.MasterL4Keys);
            return true;
        }
        if (!create && request.Error == Errno.Enoent)
        {
            request.Kind = SyncType.FlowNew;
            return true;
        }
        if (!create && TryLessen(ref request)) { return true; }
        if (request.Replace || request.KeepsLiving) { return false; }
        if (create && request.Error != Errno.Eexist) { return false; }
        request.Replace = true;
        return true;
    }

    // Leaves out of an update what a living entry cannot take, rather than replace it.
    private static bool TryLessen(ref Request request)
    {
        FlowAttributes without = request.Error switch
        {
            Errno.Ebusy when request.Flow.IsRelated =>
                FlowAttributes.Master | FlowAttributes.MasterL4Keys,
            Errno.Ebusy => FlowAttributes.Status,
            Errno.Enospc => FlowAttributes.Labels,
            _ => FlowAttributes.None,
        };
        bool has = (request.Flow.Present & without) != 0;
        request.Flow.Present &= ~without;
        return has;
    }

    private bool HasLater(Part part, int index)
    {
        ref Flow flow = ref _requests[index].Flow;
        for (int i = index + 1; i < part.End; i++)
        {
            if (IsSame(in _requests[i].Flow, in flow)) { return true; }
        }
        return false;
    }

    private static bool IsSame(in Flow one, in Flow other) =>
        other.Protocol == one.Protocol && other.Family == one.Family &&
        other.KeyZone == one.KeyZone && other.Orig == one.Orig;

    private void CountResult(in Request request)
    {
        // What was to be kept is neither created nor a failure.
        if (request is { KeepsLiving: true, Error: Errno.Eexist }) { return; }
        bool done = request.Error == Errno.None ||
            (request.Kind == SyncType.FlowDestroy && request.Error == Errno.Enoent);
        if (done && request is { Kind: SyncType.FlowNew, Replace: true, MakesRoom: false })
        {
            Replaced++;
        }
        switch (request.Kind)
        {
            case SyncType.FlowNew when done: Created++; break;
            case SyncType.FlowNew: CreateFailed++; break;
            case SyncType.FlowDestroy when done: Destroyed++; break;
            case SyncType.FlowDestroy: DestroyFailed++; break;
            default:
                if (done) { Updated++; }
                else { UpdateFailed++; }
                break;
        }
        if (!done) { Tell(in request); }
    }

    private void Tell(in Request request)
    {
        if (!_throttle.TryTake(Clock.MonotonicMicroseconds(), out ulong suppressed)) { return; }
        var text = new TextBuffer(256);
        FlowText.Append(text, in request.Flow, FlowTextSource.Cache, Clock.WallSeconds());
        string more = suppressed == 0 ? "" : $" ({suppressed} more were refused)";
        _log.Error($"{_name}: the kernel refused a flow: {request.Error.Describe()}{more}: " +
            System.Text.Encoding.ASCII.GetString(text.Written));
    }
}
