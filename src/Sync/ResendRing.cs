using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>What stands in a message that waits for acknowledgement.</summary>
internal enum SentKind : byte
{
    /// <summary>Acknowledged, superseded, or nothing that needs repair.</summary>
    None = 0,

    /// <summary>A flow; the item is its handle.</summary>
    Flow,

    /// <summary>An expectation; the item is its handle.</summary>
    Expectation,

    /// <summary>A control message with a range; flags say which, the item for which peer.</summary>
    Control,

    /// <summary>End of a bulk; the item is its number.</summary>
    BulkEnd,
}

/// <summary>
/// Messages that were sent and are not acknowledged by all peers, found by sequence number.
/// </summary>
/// <remarks>
/// A ring in which place = sequence modulo capacity. <see cref="Oldest"/> is the first sequence
/// that is still waited for; behind it, acknowledged ones are holes. The span from oldest to next
/// never exceeds <see cref="SpanMax"/>. Handles, not bytes: a repair sends the latest state with a
/// new sequence, as in the original (sync.md 7.4).
/// </remarks>
internal sealed class ResendRing
{
    /// <summary>One message that was sent.</summary>
    internal struct Entry
    {
        internal uint Item;
        internal uint From;
        internal uint To;
        internal SentKind Kind;
        internal byte Flags;        // SyncFlags of a control message
        internal byte Peers;        // bit n: peer n has not acknowledged

        internal readonly bool IsAnswerTo(int peer) =>
            Kind == SentKind.Control && Item == (uint)peer && !IsResync;

        internal readonly bool IsNack =>
            Kind == SentKind.Control && (Flags & (byte)SyncFlags.Nack) != 0;

        internal readonly bool IsResync =>
            Kind == SentKind.Control && (Flags & (byte)SyncFlags.Resync) != 0;
    }

    private Entry[] _entries = new Entry[1024];

    internal ResendRing(int sizeMax, uint firstSequence)
    {
        SizeMax = sizeMax;
        Oldest = Next = firstSequence;
    }

    /// <summary>Bound on messages that wait (ResendQueueSize).</summary>
    internal int SizeMax { get; }

    /// <summary>Bound on the distance from the oldest message to the next one.</summary>
    internal uint SpanMax => (uint)SizeMax * 2;

    /// <summary>Messages that wait.</summary>
    internal int Count { get; private set; }

    /// <summary>First sequence that may wait.</summary>
    internal uint Oldest { get; private set; }

    /// <summary>Sequence of the next message.</summary>
    internal uint Next { get; private set; }

    /// <summary>True if one more message may wait without pushing out another.</summary>
    internal bool HasRoom => Count < SizeMax && Next - Oldest < SpanMax;

    /// <summary>True if <paramref name="sequence"/> was sent and may still wait.</summary>
    internal bool Covers(uint sequence) => sequence - Oldest < Next - Oldest;

    /// <summary>The entry of a sequence that <see cref="Covers"/> says may wait.</summary>
    internal ref Entry At(uint sequence) => ref _entries[sequence & (_entries.Length - 1)];

    /// <summary>
    /// Takes the next sequence number for a message that nobody need acknowledge.
    /// </summary>
    internal uint Skip()
    {
        ref Entry entry = ref Advance();
        entry = default;
        if (Count == 0) { Oldest = Next; }
        return Next - 1;
    }

    /// <summary>
    /// Takes the next sequence number for a message that waits; needs room in the span.
    /// </summary>
    internal uint Add(in Entry sent)
    {
        ref Entry entry = ref Advance();
        entry = sent;
        Count++;
        return Next - 1;
    }

    /// <summary>
    /// Ends the wait for a sequence and moves <see cref="Oldest"/> past the holes.
    /// </summary>
    internal void Release(uint sequence)
    {
        ref Entry entry = ref At(sequence);
        if (entry.Kind == SentKind.None) { return; }
        entry.Kind = SentKind.None;
        Count--;
        if (Count == 0) { Oldest = Next; }
        while (Oldest != Next && At(Oldest).Kind == SentKind.None) { Oldest++; }
    }

    /// <summary>Goes on with a later number; only while nothing waits.</summary>
    internal void Jump(uint next) => Oldest = Next = next;

    private ref Entry Advance()
    {
        if (Next - Oldest >= (uint)_entries.Length) { Grow(); }
        return ref _entries[Next++ & (_entries.Length - 1)];
    }

    private void Grow()
    {
        Entry[] larger = new Entry[_entries.Length * 2];
        for (uint at = Oldest; at != Next; at++)
        {
            larger[at & (larger.Length - 1)] = _entries[at & (_entries.Length - 1)];
        }
        _entries = larger;
    }
}
