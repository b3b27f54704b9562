using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Conntrackd.Cache;

/// <summary>
/// Hash index from a 64-bit hash to slot handles, open addressing, grown a piece at a time.
/// </summary>
/// <remarks>
/// The top bits of the hash choose one of 2,048 segments; each doubles on its own when it is more
/// than 7/10 full, so no turn of the loop rehashes more than a two-thousandth of the table. An
/// element is eight bytes: the low half of the hash (compared before a slot is touched, and enough
/// to rehash without touching one) and the handle; 0 is empty. Removal shifts back, there are no
/// tombstones.
/// </remarks>
internal sealed unsafe class FlowIndex : IDisposable
{
    private const int SegmentBits = 11;
    private const int FirstCapacity = 8;

    private const int PauseAfterRefusal = 1000;

    private readonly Segment[] _segments = new Segment[1 << SegmentBits];

    private int _pause;                 // refusals until the system is asked again

    /// <summary>One piece of the index, rehashed on its own.</summary>
    private struct Segment
    {
        internal ulong* Elements;
        internal uint Capacity;         // a power of two, or 0
        internal uint Count;
    }

    /// <summary>
    /// Starts a search; give the cursor to <see cref="Cursor.Next"/> until that returns 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Cursor Find(ulong hash)
    {
        ref Segment segment = ref _segments[hash >> (64 - SegmentBits)];
        return new Cursor(segment.Elements, segment.Capacity, (uint)hash);
    }

    /// <summary>Brings into the cache what <see cref="Find"/> will read first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch(ulong hash)
    {
        if (!Sse.IsSupported) { return; }
        ref Segment segment = ref _segments[hash >> (64 - SegmentBits)];
        // A hint may name any address, that of a segment without elements too.
        Sse.Prefetch0(segment.Elements + ((uint)hash & (segment.Capacity - 1)));
    }

    /// <summary>
    /// Adds a handle (not 0) under a hash; the caller has made sure that it is not there. False if
    /// the system gives no memory.
    /// </summary>
    internal bool TryAdd(ulong hash, uint handle)
    {
        ref Segment segment = ref _segments[hash >> (64 - SegmentBits)];
        // Without memory to grow, searches become slower first; one place must stay empty to end
        // them.
        bool isDue = segment.Count * 10 >= segment.Capacity * 7;
        if (isDue && !TryGrow(ref segment) && segment.Count + 1 >= segment.Capacity)
        {
            return false;
        }
        Insert(segment.Elements, segment.Capacity - 1, ((ulong)(uint)hash << 32) | handle);
        segment.Count++;
        return true;
    }

    /// <summary>Asks the system at the next <see cref="TryAdd"/> that needs memory.</summary>
    internal void AskForMemoryAgain() => _pause = 0;

    /// <summary>Removes a handle; nothing happens if it is not there.</summary>
    internal void Remove(ulong hash, uint handle)
    {
        ref Segment segment = ref _segments[hash >> (64 - SegmentBits)];
        if (segment.Capacity == 0) { return; }
        ulong* elements = segment.Elements;
        uint mask = segment.Capacity - 1;
        ulong wanted = ((ulong)(uint)hash << 32) | handle;
        uint at = (uint)hash & mask;
        while (elements[at] != wanted)
        {
            if (elements[at] == 0) { return; }
            at = (at + 1) & mask;
        }
        segment.Count--;
        // Close the gap: an element may move back to it unless that is before its home position.
        uint gap = at;
        for (uint next = (at + 1) & mask; elements[next] != 0; next = (next + 1) & mask)
        {
            uint home = (uint)(elements[next] >> 32) & mask;
            if (((next - home) & mask) >= ((next - gap) & mask))
            {
                elements[gap] = elements[next];
                gap = next;
            }
        }
        elements[gap] = 0;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        foreach (Segment segment in _segments) { NativeMemory.Free(segment.Elements); }
        Array.Clear(_segments);
    }

    private static void Insert(ulong* elements, uint mask, ulong element)
    {
        uint at = (uint)(element >> 32) & mask;
        while (elements[at] != 0) { at = (at + 1) & mask; }
        elements[at] = element;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryGrow(ref Segment segment)
    {
        if (_pause > 0)
        {
            _pause--;
            return false;
        }
        uint capacity = segment.Capacity == 0 ? FirstCapacity : segment.Capacity * 2;
        ulong* elements;
        try
        {
            elements = (ulong*)NativeMemory.AllocZeroed(capacity, sizeof(ulong));
        }
        catch (OutOfMemoryException)
        {
            _pause = PauseAfterRefusal;
            return false;       // no other way to learn it
        }
        for (uint i = 0; i < segment.Capacity; i++)
        {
            if (segment.Elements[i] != 0) { Insert(elements, capacity - 1, segment.Elements[i]); }
        }
        NativeMemory.Free(segment.Elements);
        segment.Elements = elements;
        segment.Capacity = capacity;
        return true;
    }

    /// <summary>One search through the elements with equal low hash halves.</summary>
    internal ref struct Cursor
    {
        private readonly ulong* _elements;
        private readonly uint _mask;
        private readonly uint _hash;
        private uint _at;

        internal Cursor(ulong* elements, uint capacity, uint hash)
        {
            _elements = elements;
            _mask = capacity - 1;
            _hash = hash;
            _at = hash & _mask;
        }

        /// <summary>
        /// The next handle whose hash agrees, 0 at the end. The key is still to be compared.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal uint Next()
        {
            if (_elements == null) { return 0; }
            while (true)
            {
                ulong element = _elements[_at];
                if (element == 0) { return 0; }
                _at = (_at + 1) & _mask;
                if ((uint)(element >> 32) == _hash) { return (uint)element; }
            }
        }
    }
}
