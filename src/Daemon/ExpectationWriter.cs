using System.Collections.Generic;
using System.Text;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>Puts peers' expectations into the kernel, a batch at a time.</summary>
/// <remarks>
/// Flushed behind the <see cref="FlowWriter"/> of the same purpose, so that masters are there. One
/// that is there already keeps what the kernel's own helper gave it and gets the timeout. An
/// injected one whose master is missing waits a little for it: the message of the master may have
/// been lost and be on its way again.
/// </remarks>
internal sealed class ExpectationWriter : IExpectationInjector, ITableResultSink, IDisposable
{
    private const uint FallbackTimeoutSeconds = 60;
    private const int LogIntervalSeconds = 10;

    /// <summary>Most expectations that wait for their masters.</summary>
    internal const int WaitingMax = 256;

    private const int TriesMax = 3;
    private const long RetryInterval = SyncEngine.Second / 2;

    /// <summary>One expectation of the batch, or one that waits for its master.</summary>
    private struct Request
    {
        internal Expectation Expectation;
        internal uint TimeoutSeconds;
        internal int Tries;
        internal bool Destroy;
        internal Errno Error;
    }

    private readonly Request[] _requests = new Request[RequestBatch.RequestsMax];
    private readonly List<Request> _waiting = [];
    private readonly uint _timeoutSeconds;
    private readonly string _name;
    private readonly bool _waits;
    private readonly Log _log;
    private TableWriter _writer = null!;
    private LogThrottle _throttle = new(LogIntervalSeconds);
    private int _count;
    private long _retryAt;

    private ExpectationWriter(string name, bool waits, uint timeoutSeconds, Log log)
    {
        _name = name;
        _waits = waits;
        _timeoutSeconds = timeoutSeconds;
        _log = log;
    }

    internal ulong Created { get; private set; }

    internal ulong CreateFailed { get; private set; }

    internal ulong Destroyed { get; private set; }

    internal ulong DestroyFailed { get; private set; }

    /// <summary>Expectations that wait for their masters.</summary>
    internal int WaitingCount => _waiting.Count;

    /// <summary>How many could not wait because too many did.</summary>
    internal ulong WaitingDropped { get; private set; }

    /// <summary>Events caused by this writer carry it.</summary>
    internal uint PortId => _writer.PortId;

    /// <param name="name">Stands in log lines: what is being done.</param>
    /// <param name="waits">Keep those whose master is missing for a while.</param>
    /// <param name="timeoutSeconds">Of expectations that come without one; 0 = 60.</param>
    /// <param name="counters">Of the kernel room.</param>
    /// <param name="log">Where refusals are told, a line per interval.</param>
    /// <param name="writer">The result.</param>
    internal static Errno TryOpen(
        string name, bool waits, uint timeoutSeconds, KernelCounters counters, Log log,
        out ExpectationWriter? writer)
    {
        var opened = new ExpectationWriter(name, waits,
            timeoutSeconds == 0 ? FallbackTimeoutSeconds : timeoutSeconds, log);
        Errno error = TableWriter.TryOpen(opened, counters, out TableWriter? table);
        writer = null;
        if (error != Errno.None) { return error; }
        opened._writer = table!;
        writer = opened;
        return Errno.None;
    }

    /// <inheritdoc/>
    public void Inject(SyncType type, ref Expectation expectation)
    {
        var key = new ExpectationKey(in expectation);
        _waiting.RemoveAll(one => new ExpectationKey(in one.Expectation) == key);
        bool hasTimeout = expectation.Has(ExpectationAttributes.Timeout)
            && expectation.TimeoutSeconds != 0;
        Add(new Request
        {
            Expectation = expectation,
            Destroy = type == SyncType.ExpectDestroy,
            TimeoutSeconds = hasTimeout ? expectation.TimeoutSeconds : _timeoutSeconds,
        });
    }

    /// <summary>Adds one that is to be created; a full batch is flushed first.</summary>
    internal void Add(in Expectation expectation, uint timeoutSeconds) => Add(new Request
    {
        Expectation = expectation,
        TimeoutSeconds = timeoutSeconds,
    });

    /// <summary>Sends what was added.</summary>
    internal void Flush()
    {
        if (_count == 0) { return; }
        for (int i = 0; i < _count; i++) { Send(i); }
        _writer.Flush();
        for (int i = 0; i < _count; i++) { Settle(ref _requests[i]); }
        _count = 0;
    }

    /// <summary>Tries those again that wait for their masters, when it is time.</summary>
    internal void Retry(long now)
    {
        if (_waiting.Count == 0 || now < _retryAt) { return; }
        _retryAt = now + RetryInterval;
        Request[] again = [.. _waiting];
        _waiting.Clear();
        foreach (Request request in again) { Add(request); }
    }

    internal InjectReport Report() =>
        new(Created, CreateFailed, Updated: 0, UpdateFailed: 0, Destroyed, DestroyFailed);

    /// <inheritdoc/>
    public void OnTableResult(int token, Errno error) => _requests[token].Error = error;

    public void Dispose() => _writer.Dispose();

    private void Add(in Request request)
    {
        if (_count == _requests.Length) { Flush(); }
        _requests[_count] = request;
        _requests[_count++].Error = Errno.None;
    }

    private void Send(int index)
    {
        ref Request request = ref _requests[index];
        // The second try after a flush always fits: a batch holds one request of any size.
        for (int tries = 0; tries < 2; tries++)
        {
            bool added = request.Destroy
                ? _writer.AddExpectationDelete(index, in request.Expectation)
                : _writer.AddExpectation(index, in request.Expectation, request.TimeoutSeconds);
            if (added) { return; }
            _writer.Flush();
        }
        request.Error = Errno.Einval;
    }

    private void Settle(ref Request request)
    {
        if (request.Destroy)
        {
            bool gone = request.Error is Errno.None or Errno.Enoent;
            if (gone) { Destroyed++; }
            else { DestroyFailed++; }
            if (!gone) { Tell(in request); }
            return;
        }
        if (request.Error == Errno.None)
        {
            Created++;
            return;
        }
        bool wait = _waits && request.Error == Errno.Enoent && ++request.Tries < TriesMax;
        if (wait && _waiting.Count < WaitingMax)
        {
            _waiting.Add(request);
            return;
        }
        if (wait) { WaitingDropped++; }
        CreateFailed++;
        Tell(in request);
    }

    private void Tell(in Request request)
    {
        if (!_throttle.TryTake(Clock.MonotonicMicroseconds(), out ulong suppressed)) { return; }
        var text = new TextBuffer(512);
        ExpectationText.Append(text, in request.Expectation);
        string more = suppressed == 0 ? "" : $" ({suppressed} more were refused)";
        _log.Error($"{_name}: the kernel refused an expectation: " +
            $"{request.Error.Describe()}{more}: {Encoding.ASCII.GetString(text.Written)}");
    }
}
