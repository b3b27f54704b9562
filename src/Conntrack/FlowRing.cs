namespace Conntrackd.Conntrack;

/// <summary>Flows that were decoded and are worked on a few later, first in, first out.</summary>
/// <remarks>
/// Between the two its place in a table comes into the processor's cache (FlowTable.Expect). With
/// some tens of events after each millisecond of sleep nearly every look into a table misses the
/// caches, and several misses at once take no longer than one.
/// </remarks>
internal sealed class FlowRing
{
    private const int Capacity = 8;             // a power of two; as many loads as a core has open

    private readonly Entry[] _entries = new Entry[Capacity];
    private uint _head;
    private uint _tail;

    /// <summary>A flow, and what its owner must know of it later.</summary>
    internal struct Entry
    {
        internal Flow Flow;
        internal ulong Tag;
    }

    internal bool IsEmpty => _head == _tail;

    /// <summary>True if one must be popped before <see cref="Next"/> is used.</summary>
    internal bool IsFull => _tail - _head == Capacity;

    /// <summary>Where the next flow is decoded to; it is in the ring after a push.</summary>
    internal ref Entry Next => ref _entries[_tail % Capacity];

    internal void Push() => _tail++;

    /// <summary>The oldest; valid until <see cref="Next"/> is used.</summary>
    internal ref Entry Pop() => ref _entries[_head++ % Capacity];
}
