using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// Statistics mode: a mirror of the kernel's table that reports each flow when it ends. Knows no
/// peers; pure, as <see cref="SyncEngine"/> is.
/// </summary>
/// <remarks>
/// A flow is reported once, and only if it was in the cache: what ended before the start or did
/// not fit is not. Ends whose events were lost are found by the next dump.
/// </remarks>
internal sealed class StatsEngine(FlowTable cache, IEndedFlowSink sink) : IKernelMirror
{
    private const int SlotsPerStep = 2048;

    private Flow _ended;
    private byte _generation;
    private bool _dumping;
    private bool _sweeping;
    private bool _sweepReports;
    private uint _sweepAt;

    /// <inheritdoc/>
    public bool IsReconciling => _dumping || _sweeping;

    /// <inheritdoc/>
    public void Expect(in Flow flow) => cache.Expect(in flow);

    /// <inheritdoc/>
    public void OnEvent(FlowEventKind kind, ref Flow flow, bool announce, long now)
    {
        uint handle = cache.Find(in flow);
        if (kind == FlowEventKind.Destroy)
        {
            if (handle == 0)
            {
                cache.Counters.DestroyNotFound++;
                return;
            }
            End(handle);
            sink.OnEnded(in flow);
            return;
        }
        Keep(handle, ref flow, now);
    }

    /// <inheritdoc/>
    public void BeginDump(bool announce, bool announceSweep)
    {
        _generation = (byte)((_generation + 1) & SlotHead.GenerationMax);
        _sweepReports = announceSweep;
        _dumping = true;
        _sweeping = false;
    }

    /// <inheritdoc/>
    public void OnDumpRecord(ref Flow flow, long now) => Keep(cache.Find(in flow), ref flow, now);

    /// <inheritdoc/>
    public void OnDumpEnd(bool complete)
    {
        _dumping = false;
        _sweeping = complete;
        _sweepAt = 0;
    }

    /// <inheritdoc/>
    public bool Step()
    {
        int budget = SlotsPerStep;
        while (_sweeping && budget > 0)
        {
            uint next = cache.Next(_sweepAt, ref budget);
            _sweepAt = next;
            if (next == 0) { _sweeping = false; }
            else if (cache.IsInUse(next) && !IsSeen(next)) { Report(next, _sweepReports); }
        }
        return _sweeping;
    }

    /// <summary>Empties the cache; nothing is reported, for nothing has ended.</summary>
    internal void FlushCache()
    {
        for (uint handle = cache.Advance(0); handle != 0; handle = cache.Advance(handle))
        {
            if (cache.IsInUse(handle)) { End(handle); }
        }
    }

    private void Keep(uint handle, ref Flow flow, long now)
    {
        uint seconds = (uint)(now / SyncEngine.Second);
        if (handle != 0 && IsAnother(handle, in flow))
        {
            // The same tuple, another entry of the kernel: the event of the first one's end was
            // lost.
            Report(handle, tell: true);
            handle = 0;
        }
        if (handle != 0) { cache.Merge(handle, in flow); }
        else if ((handle = cache.Add(in flow, seconds)) == 0) { return; }
        cache.Head(handle).Generation = _generation;
    }

    private bool IsAnother(uint handle, in Flow flow)
    {
        ref SlotHead head = ref cache.Head(handle);
        return flow.Has(FlowAttributes.Id) && (head.Present & FlowAttributes.Id) != 0
            && head.IdOrTouched != flow.Id;
    }

    private bool IsSeen(uint handle) => cache.Head(handle).Generation == _generation;

    private void Report(uint handle, bool tell)
    {
        if (tell) { cache.Load(handle, ref _ended); }
        End(handle);
        if (tell) { sink.OnEnded(in _ended); }
    }

    private void End(uint handle)
    {
        cache.Kill(handle);
        cache.Remove(handle);
    }
}
