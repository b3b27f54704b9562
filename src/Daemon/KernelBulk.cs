using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>
/// Reads the kernel's table for a bulk where there is no internal cache to take it from.
/// </summary>
/// <remarks>
/// The kernel writes the next part of a dump when the last one is read, so the reader sets the
/// pace: a part whenever the engine has room for one. That is why its socket is not in the loop.
/// </remarks>
internal sealed class KernelBulk : IKernelSink, IDisposable
{
    private readonly SyncEngine _engine;
    private readonly Log _log;
    private TableReader _reader = null!;

    private KernelBulk(SyncEngine engine, FlowFilter filter, Log log)
    {
        _engine = engine;
        Filter = filter;
        _log = log;
    }

    /// <summary>What passes; a reload changes it.</summary>
    internal FlowFilter Filter { get; set; }

    internal static Errno TryOpen(
        SyncEngine engine, FlowFilter filter, Log log, out KernelBulk? bulk)
    {
        var opened = new KernelBulk(engine, filter, log);
        Errno error = TableReader.TryOpen(opened, new KernelCounters(), out TableReader? reader);
        opened._reader = reader!;
        bulk = error == Errno.None ? opened : null;
        return error;
    }

    /// <summary>Begins a bulk that is wanted, or goes on with one as far as it may.</summary>
    internal void Turn(long now)
    {
        if (_engine.TryBeginKernelBulk())
        {
            Errno error = _reader.StartDump();
            if (error != Errno.None) { OnDumpEnd(error); }
        }
        while (_engine.TryTakePart(now)) { _reader.Read(partsMax: 1); }
    }

    /// <inheritdoc/>
    public void OnDumpRecord(ref Flow flow)
    {
        if (Filter.Accepts(in flow)) { _engine.OnKernelBulkRecord(in flow); }
    }

    /// <inheritdoc/>
    public void OnDumpEnd(Errno error)
    {
        _engine.EndKernelBulk();
        // Eintr: the table changed meanwhile. What changed is told by events.
        if (error is Errno.None or Errno.Eintr) { return; }
        _log.Error($"bulk update: cannot read the kernel conntrack table: {error.Describe()}");
    }

    /// <summary>No events come on this socket.</summary>
    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin)
    {
    }

    /// <summary>Nor are any lost.</summary>
    public void OnOverrun()
    {
    }

    public void Dispose() => _reader.Dispose();
}
