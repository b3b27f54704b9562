using System.Globalization;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

/// <summary>One commit from its request to its log lines, a batch a turn.</summary>
internal sealed class CommitJob
{
    private const int SlotsPerTurn = 8192;

    private readonly Commit _commit;
    private readonly FlowWriter _writer;
    private readonly Log _log;
    private readonly ControlSession _session;
    private readonly long _startedMicroseconds = Clock.MonotonicMicroseconds();
    private readonly ulong _createdBefore;
    private readonly ulong _failedBefore;
    private Flow _flow;

    internal CommitJob(Commit commit, FlowWriter writer, ControlSession session, Log log)
    {
        _commit = commit;
        _writer = writer;
        _session = session;
        _log = log;
        _createdBefore = writer.Created;
        _failedBefore = writer.CreateFailed;
    }

    /// <summary>
    /// Commits the next batch. False when all is done and the client has been told.
    /// </summary>
    internal bool Turn(uint nowSeconds)
    {
        int budget = SlotsPerTurn;
        int room = RequestBatch.RequestsMax;
        while (room-- > 0 && _commit.TryTake(
            ref _flow, nowSeconds, ref budget, out uint timeoutSeconds))
        {
            _writer.Add(SyncType.FlowNew, in _flow, timeoutSeconds);
        }
        _writer.Flush();
        if (!_commit.IsDone) { return true; }
        Finish();
        return false;
    }

    private void Finish()
    {
        ulong failed = _writer.CreateFailed - _failedBefore;
        double seconds = (Clock.MonotonicMicroseconds() - _startedMicroseconds) / 1e6;
        _log.Notice($"Committed {_writer.Created - _createdBefore} new entries");
        if (failed != 0) { _log.Notice($"{failed} entries can't be committed"); }
        _log.Notice("commit has taken " +
            seconds.ToString("F6", CultureInfo.InvariantCulture) + " seconds");
        if (failed != 0) { _session.Fail($"{failed} entries can't be committed, see the log"); }
        _session.Complete();
    }
}
