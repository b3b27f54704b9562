using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

// Expectations of the own kernel, and the sequence numbers that helpers shift.
//
// Expectation events are listened to even without ExpectationSync: each tells that the helper of a
// flow has been at work, and only a question to the kernel shows what it did to the flow.
internal sealed partial class KernelSide : IExpectationSink
{
    private FlowLookup? _lookup;

    private bool ReplicatesExpectations =>
        _options.Sync is { ExpectationSync.IsOn: true };

    /// <inheritdoc/>
    public void OnExpectation(
        FlowEventKind kind, ref Expectation expectation, EventOrigin origin)
    {
        if (origin == EventOrigin.Inject) { return; }
        long now = Now();
        if (kind != FlowEventKind.Destroy && origin == EventOrigin.Other)
        {
            _lookup!.Want(expectation.Family, expectation.MasterProtocol, in expectation.Master,
                expectation.KeyZone, now);
        }
        if (!ReplicatesExpectations) { return; }
        bool accepted = Covers(in expectation) && AcceptsMaster(in expectation) &&
            _replica!.OnExpectation(kind, ref expectation, IsNews(kind, origin), now);
        if (!accepted) { Counters.EventsFiltered++; }
    }

    /// <inheritdoc/>
    public void OnExpectationRecord(ref Expectation expectation)
    {
        if (Covers(in expectation)) { _replica!.OnExpectationRecord(ref expectation, Now()); }
    }

    /// <summary>Deletes all expectations of the kernel.</summary>
    internal void FlushExpectations()
    {
        Counters.FlushKernel++;
        _log.Notice("flushing kernel expect table");
        if (!_flusher.AddExpectationFlush(0))
        {
            _flusher.Flush();
            _flusher.AddExpectationFlush(0);
        }
        _flusher.Flush();
    }

    private static bool IsOfExpectations(Purpose purpose) =>
        purpose is Purpose.ReconcileExpectations or Purpose.ResyncExpectations;

    private bool Covers(in Expectation expectation) =>
        _options.Sync!.ExpectationSync.Covers(
            expectation.Has(ExpectationAttributes.Helper) ? expectation.Helper.Text : default);

    // A master in the cache has passed the filter. Without a cache the filter is asked, which then
    // knows the original direction only.
    private bool AcceptsMaster(in Expectation expectation)
    {
        if (!IsBypassing) { return true; }
        Flow master = default;
        master.Family = expectation.Family;
        master.Protocol = expectation.MasterProtocol;
        master.Orig = expectation.Master;
        master.Present = FlowAttributes.Orig | FlowAttributes.Protocol | FlowAttributes.L4Keys;
        if (!master.Orig.TryInvert(master.Protocol, out master.Reply)) { return false; }
        master.Present |= FlowAttributes.Reply;
        return _filter.Accepts(in master);
    }

    // The bit says that there are offsets, the event does not say which.
    private void WantAdjustment(in Flow flow)
    {
        const FlowStatus Adjusted = FlowStatus.SeqAdjust;
        bool told = !flow.Has(FlowAttributes.Status) || (flow.Status & Adjusted) == 0 ||
            flow.Has(FlowAttributes.SequenceAdjust);
        if (told || _replica is null || !_replica.LacksAdjustment(in flow)) { return; }
        _lookup!.Want(flow.Family, flow.Protocol, in flow.Orig, flow.KeyZone, Now());
    }

    private void BeginExpectationDump(Purpose purpose)
    {
        bool lost = purpose == Purpose.ReconcileExpectations;
        Counters.ResyncKernel++;
        _log.Notice("resync with master expect table" + (lost ? " (events were lost)" : ""));
        _replica!.BeginExpectationDump(announce: lost, announceSweep: true);
    }

    // The first read, behind that of the flows; null, or what failed.
    private string? PopulateExpectations()
    {
        if (!ReplicatesExpectations) { return null; }
        for (int tries = 0; tries < 5; tries++)
        {
            _replica!.BeginExpectationDump(announce: false, announceSweep: false);
            Errno error = _reader.StartExpectationDump();
            if (error == Errno.None)
            {
                _running = Purpose.ResyncExpectations;
                error = _reader.RunToEnd();
            }
            if (error == Errno.None) { break; }
            if (error != Errno.Eintr)
            {
                return $"can't dump the kernel expect table: {error.Describe()}";
            }
        }
        _wanted[(int)Purpose.ResyncExpectations] = false;
        return null;
    }
}
