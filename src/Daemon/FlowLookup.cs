using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>
/// Asks the kernel for single flows of which events do not tell all: what a helper did to the
/// sequence numbers of a control connection is in no event (failover.md 3).
/// </summary>
/// <remarks>
/// The event of an expectation leaves before the helper has rewritten the packet and noted the
/// offsets, on another processor perhaps. So a flow is asked for twice, a little later and once
/// more, and what is then new is announced.
/// <code>
/// Want -> waits for its first time -> GET -> waits for its second time -> GET -> forgotten
/// </code></remarks>
internal sealed class FlowLookup : IKernelSink, IDisposable
{
    private const int WaitingMax = 1024;
    private const int PerTurn = 32;
    private const long FirstAfter = 2_000;      // microseconds
    private const long SecondAfter = 100_000;

    /// <summary>A flow that is to be asked for.</summary>
    private struct Wanted
    {
        internal FlowTuple Tuple;
        internal AddressFamily Family;
        internal byte Protocol;
        internal ushort Zone;
        internal bool IsSecond;
        internal long At;
    }

    private readonly SyncEngine _engine;
    private readonly Wanted[] _ring = new Wanted[WaitingMax];
    private TableReader _reader = null!;
    private uint _head;
    private uint _tail;

    private FlowLookup(SyncEngine engine) => _engine = engine;

    /// <summary>Flows not asked for because too many were waiting.</summary>
    internal ulong Dropped { get; private set; }

    /// <summary>When <see cref="Turn"/> has something to do.</summary>
    internal long NextDeadline => _head == _tail ? long.MaxValue : At(_head).At;

    internal static Errno TryOpen(
        SyncEngine engine, KernelCounters counters, out FlowLookup? lookup)
    {
        var opened = new FlowLookup(engine);
        Errno error = TableReader.TryOpen(opened, counters, out TableReader? reader);
        if (error == Errno.None) { opened._reader = reader!; }
        lookup = error == Errno.None ? opened : null;
        return error;
    }

    /// <summary>Wants the flow with this original tuple.</summary>
    internal void Want(
        AddressFamily family, byte protocol, in FlowTuple tuple, ushort zone, long now) =>
        Add(new Wanted
        {
            Tuple = tuple,
            Family = family,
            Protocol = protocol,
            Zone = zone,
            At = now + FirstAfter,
        });

    /// <summary>Asks for those whose time has come, some of them.</summary>
    internal void Turn(long now)
    {
        for (int left = PerTurn; left > 0 && NextDeadline <= now; left--)
        {
            Wanted wanted = At(_head++);
            Errno error = _reader.Get(
                wanted.Family, wanted.Protocol, in wanted.Tuple, wanted.Zone, wanted.Zone != 0);
            // Gone, or never there: its events tell the rest.
            if (error != Errno.None || wanted.IsSecond) { continue; }
            wanted.IsSecond = true;
            wanted.At = now + SecondAfter;
            Add(in wanted);
        }
    }

    /// <inheritdoc/>
    public void OnDumpRecord(ref Flow flow) => _engine.OnLookup(ref flow);

    /// <inheritdoc/>
    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin)
    {
    }

    /// <inheritdoc/>
    public void OnOverrun()
    {
    }

    /// <inheritdoc/>
    public void OnDumpEnd(Errno error)
    {
    }

    public void Dispose() => _reader.Dispose();

    private ref Wanted At(uint place) => ref _ring[place & (WaitingMax - 1)];

    private void Add(in Wanted wanted)
    {
        if (_tail - _head == WaitingMax)
        {
            Dropped++;
            return;
        }
        // Sorted by time: a first question goes before the second ones that are due later.
        uint place = _tail++;
        while (place != _head && At(place - 1).At > wanted.At)
        {
            At(place) = At(place - 1);
            place--;
        }
        At(place) = wanted;
    }
}
