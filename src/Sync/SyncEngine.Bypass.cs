using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

// Without an internal cache (DisableInternalCache, NOTRACK only): events are encoded as they come
// and leave at the end of the turn; a bulk is a read of the kernel's table, each flow as new.
//
//   no bulk --request--> wanted --TryBeginKernelBulk--> running --EndKernelBulk--> no bulk
//                          ^                               |
//                          +------- another request -------+  (the table is read once more)
internal sealed partial class SyncEngine
{
    // Records of a bulk are read while no more than this waits to be sent.
    private const int KernelBulkBytesMax = 32 * 1024;

    // A part of a dump is up to 200 flows, hence some ten datagrams.
    private const long KernelPartInterval = 10 * BulkInterval;

    private readonly MessageBuffer _passing = new();
    private bool _kernelBulkWanted;
    private bool _kernelBulkRunning;

    /// <summary>Flow messages that wait to be sent past the cache; for reports.</summary>
    internal int PassingCount => _passing.Count;

    /// <summary>Bytes of those; for reports.</summary>
    internal int PassingBytes => _passing.Length;

    /// <summary>
    /// True, once per request, if the kernel's table is to be read for the peers and no such read
    /// is under way.
    /// </summary>
    internal bool TryBeginKernelBulk()
    {
        if (!_kernelBulkWanted || _kernelBulkRunning) { return false; }
        _kernelBulkWanted = false;
        return _kernelBulkRunning = true;
    }

    /// <summary>
    /// True if the next part of that table may be read: no faster than peers take it.
    /// </summary>
    internal bool TryTakePart(long now)
    {
        if (!_kernelBulkRunning || _paceAt > now) { return false; }
        if (_passing.Length > KernelBulkBytesMax) { return false; }
        Pace(now, KernelPartInterval);
        return true;
    }

    /// <summary>One flow of that table.</summary>
    internal void OnKernelBulkRecord(in Flow flow) => Pass(SyncType.FlowNew, in flow);

    /// <summary>The table was read, as far as possible.</summary>
    internal void EndKernelBulk()
    {
        _kernelBulkRunning = false;
        Counters.BulksSent++;
    }

    private void PassEvent(FlowEventKind kind, in Flow flow)
    {
        switch (kind)
        {
            case FlowEventKind.New:
                Counters.PassedNew++;
                Pass(SyncType.FlowNew, in flow);
                break;
            case FlowEventKind.Update:
                Counters.PassedUpdate++;
                Pass(SyncType.FlowUpdate, in flow);
                break;
            default:
                Counters.PassedDestroy++;
                Pass(SyncType.FlowDestroy, in flow);
                break;
        }
    }

    private void Pass(SyncType type, in Flow flow)
    {
        if (!_passing.TryAdd(in flow, type, _messageOptions)) { Counters.PassedDropped++; }
    }

    private void TakePassing(Span<byte> target, ref int length)
    {
        int bytes;
        while ((bytes = _passing.Take(target[length..], _ring.Next)) != 0)
        {
            _ring.Skip();
            length += bytes;
        }
    }
}
