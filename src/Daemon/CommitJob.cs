using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>
/// One commit from its request to its log lines, a batch a turn: flows, then expectations, whose
/// masters are there then; or one of them.
/// </summary>
internal sealed class CommitJob
{
    private const int SlotsPerTurn = 8192;

    private readonly Commit? _flows;
    private readonly ExpectationCommit? _expectations;
    private readonly FlowWriter _flowWriter;
    private readonly ExpectationWriter? _expectationWriter;
    private readonly Log _log;
    private readonly CommitOrder _order;
    private readonly List<ControlSession> _waiting = [];
    private long _startedMicroseconds = Clock.MonotonicMicroseconds();
    private ulong _createdBefore;
    private ulong _failedBefore;
    private ulong _failed;
    private bool _onExpectations;
    private Flow _flow;
    private Expectation _expectation;

    internal CommitJob(
        Commit? flows, ExpectationCommit? expectations, FlowWriter flowWriter,
        ExpectationWriter? expectationWriter, in CommitOrder order, Log log)
    {
        _flows = flows;
        _expectations = expectations;
        _flowWriter = flowWriter;
        _expectationWriter = expectationWriter;
        _order = order;
        if (order.Session is ControlSession session) { _waiting.Add(session); }
        _log = log;
        _createdBefore = flowWriter.Created;
        _failedBefore = flowWriter.CreateFailed;
        if (flows is null) { BeginExpectations(); }
    }

    /// <summary>What it was asked to do.</summary>
    internal CommitOrder Order => _order;

    /// <summary>One more client waits for the end.</summary>
    internal void Join(ControlSession session) => _waiting.Add(session);

    /// <summary>
    /// Commits the next batch. False when all is done and the clients have been told.
    /// </summary>
    internal bool Turn(uint nowSeconds)
    {
        bool more = _onExpectations ? TurnExpectations(nowSeconds) : TurnFlows(nowSeconds);
        if (more) { return true; }
        foreach (ControlSession session in _waiting)
        {
            if (_failed != 0)
            {
                session.Fail($"{_failed} entries can't be committed, see the log");
            }
            session.Complete();
        }
        return false;
    }

    private bool TurnFlows(uint nowSeconds)
    {
        int budget = SlotsPerTurn;
        int room = RequestBatch.RequestsMax;
        while (room-- > 0 && _flows!.TryTake(
            ref _flow, nowSeconds, ref budget, out uint timeoutSeconds))
        {
            if (_order.KeepsLiving) { _flowWriter.AddIfAbsent(in _flow, timeoutSeconds); }
            else if (IsShiftable(in _flow)) { _flowWriter.AddMakingRoom(in _flow, timeoutSeconds); }
            else { _flowWriter.Add(SyncType.FlowNew, in _flow, timeoutSeconds); }
        }
        if (!_flows!.IsDone)
        {
            _flowWriter.FlushBehind();
            return true;
        }
        _flowWriter.Flush();
        Tell(_flowWriter.Created, _flowWriter.CreateFailed, "entries");
        if (_expectations is null) { return false; }
        BeginExpectations();
        return true;
    }

    // TCP segments without an entry make none (nf_conntrack_tcp_loose 0).
    private static bool IsShiftable(in Flow flow)
    {
        const FlowAttributes Translations =
            FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat | FlowAttributes.Dpat;
        return flow.Protocol != L4Protocol.Tcp && (flow.Present & Translations) != 0;
    }

    private void BeginExpectations()
    {
        _onExpectations = true;
        _startedMicroseconds = Clock.MonotonicMicroseconds();
        _createdBefore = _expectationWriter?.Created ?? 0;
        _failedBefore = _expectationWriter?.CreateFailed ?? 0;
    }

    private bool TurnExpectations(uint nowSeconds)
    {
        if (_expectations is null) { return false; }
        int room = RequestBatch.RequestsMax;
        while (room-- > 0 && _expectations.TryTake(
            ref _expectation, nowSeconds, out uint timeoutSeconds))
        {
            _expectationWriter!.Add(in _expectation, timeoutSeconds);
        }
        _expectationWriter!.Flush();
        if (!_expectations.IsDone) { return true; }
        Tell(_expectationWriter.Created, _expectationWriter.CreateFailed, "expectations");
        return false;
    }

    private void Tell(ulong created, ulong createFailed, string what)
    {
        ulong failed = createFailed - _failedBefore;
        long took = Clock.MonotonicMicroseconds() - _startedMicroseconds;
        _log.Notice($"Committed {created - _createdBefore} new {what}");
        if (failed != 0) { _log.Notice($"{failed} {what} can't be committed"); }
        _log.Notice($"commit has taken {took / 1_000_000}.{took % 1_000_000:D6} seconds");
        _failed += failed;
    }
}
