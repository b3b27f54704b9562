namespace Conntrackd.Sync;

/// <summary>Ranges of a peer's sequence numbers that did not arrive, in their order.</summary>
/// <remarks>
/// Bounded: beyond <see cref="CountMax"/> the two with the least between them become one. That asks
/// for what is there already, which costs a repetition and loses nothing.
/// </remarks>
internal sealed class MissingRanges
{
#if DEBUG
    internal const int CountMax = 8;
#else
    internal const int CountMax = 64;
#endif

    private readonly (uint From, uint To)[] _ranges = new (uint, uint)[CountMax + 1];

    /// <summary>Ranges held.</summary>
    internal int Count { get; private set; }

    /// <summary>One range, inclusive.</summary>
    internal (uint From, uint To) this[int index] => _ranges[index];

    /// <summary>Forgets all.</summary>
    internal void Clear() => Count = 0;

    /// <summary>Adds an inclusive range; what it touches becomes one with it.</summary>
    internal void Add(uint from, uint to)
    {
        int at = 0;
        while (at < Count && (int)(from - _ranges[at].To - 1) > 0) { at++; }
        int end = at;
        while (end < Count && (int)(_ranges[end].From - 1 - to) <= 0)
        {
            if ((int)(_ranges[end].From - from) < 0) { from = _ranges[end].From; }
            if ((int)(_ranges[end].To - to) > 0) { to = _ranges[end].To; }
            end++;
        }
        Array.Copy(_ranges, end, _ranges, at + 1, Count - end);
        _ranges[at] = (from, to);
        Count += at + 1 - end;
        if (Count > CountMax) { JoinClosest(); }
    }

    /// <summary>Forgets what is not after <paramref name="sequence"/>.</summary>
    internal void ForgetThrough(uint sequence)
    {
        int gone = 0;
        while (gone < Count && (int)(_ranges[gone].To - sequence) <= 0) { gone++; }
        Remove(gone);
        bool halved = Count != 0 && (int)(_ranges[0].From - sequence) <= 0;
        if (halved) { _ranges[0].From = sequence + 1; }
    }

    /// <summary>Forgets the first ranges.</summary>
    internal void Remove(int count)
    {
        Count -= count;
        Array.Copy(_ranges, count, _ranges, 0, Count);
    }

    private void JoinClosest()
    {
        int closest = 1;
        for (int i = 2; i < Count; i++)
        {
            uint between = _ranges[i].From - _ranges[i - 1].To;
            if (between < _ranges[closest].From - _ranges[closest - 1].To) { closest = i; }
        }
        _ranges[closest - 1].To = _ranges[closest].To;
        Array.Copy(_ranges, closest + 1, _ranges, closest, Count - closest - 1);
        Count--;
    }
}
