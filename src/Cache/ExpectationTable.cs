using System.Collections.Generic;
using System.Threading;
using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>
/// Expectations by identity. One thread writes; any thread may read through
/// <see cref="TrySnapshot"/>.
/// </summary>
/// <remarks>
/// There are few of them: the kernel allows some thousands (nf_conntrack_expect_max) and most live
/// for milliseconds. So the slots are plain managed memory, in pieces that never move, and a walk
/// over all of them is no long walk. A handle is a slot number from 1; 0 is "none".
/// </remarks>
internal sealed class ExpectationTable
{
    /// <summary>Bound, whatever HashLimit says: sixteen times what kernels allow.</summary>
    internal const uint CountMax = 1u << 16;

    private const int ChunkBits = 8;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly ExpectationSlot[][] _chunks;
    private readonly Dictionary<ExpectationKey, uint> _index = [];
    private readonly Stack<uint> _free = new();
    private readonly uint _countMax;
    private uint _used;

    /// <param name="countMax">Hard bound (HashLimit), 65536 at most.</param>
    internal ExpectationTable(uint countMax)
    {
        _countMax = Math.Min(countMax, CountMax);
        _chunks = new ExpectationSlot[(_countMax >> ChunkBits) + 1][];
    }

    /// <summary>What happened here.</summary>
    internal CacheCounters Counters { get; } = new();

    /// <summary>Slots in use, dead expectations included.</summary>
    internal uint Count => (uint)_index.Count;

    internal ref ExpectationSlot At(uint handle) =>
        ref _chunks[handle >> ChunkBits][handle & (ChunkSize - 1)];

    /// <summary>The handle of the expectation with this identity, or 0.</summary>
    internal uint Find(in Expectation expectation) =>
        _index.GetValueOrDefault(new ExpectationKey(in expectation));

    /// <summary>
    /// Stores what <see cref="Find"/> did not find. Returns 0 if the table is full.
    /// </summary>
    internal uint Add(in Expectation expectation, uint nowSeconds)
    {
        if (Count >= _countMax)
        {
            Counters.CreateFailedSpace++;
            return 0;
        }
        uint handle = TakeSlot();
        _index.Add(new ExpectationKey(in expectation), handle);
        Write(ref At(handle), in expectation, nowSeconds, nowSeconds, SlotLife.None);
        Counters.Objects = Count;
        Counters.Active++;
        Counters.Created++;
        return handle;
    }

    /// <summary>Puts a new one of the same identity into a slot, as if the old had gone.</summary>
    internal void Replace(uint handle, in Expectation expectation, uint nowSeconds)
    {
        ref ExpectationSlot slot = ref At(handle);
        if (slot.IsDead) { Counters.Active++; }
        Write(ref slot, in expectation, nowSeconds, nowSeconds, SlotLife.None);
        Counters.Created++;
    }

    /// <summary>Stores what is known now of a living one; its age stays.</summary>
    internal void Update(uint handle, in Expectation expectation, uint nowSeconds)
    {
        ref ExpectationSlot slot = ref At(handle);
        Write(ref slot, in expectation, slot.CreatedSeconds, nowSeconds,
            slot.Life | SlotLife.Updated);
        Counters.Updated++;
    }

    /// <summary>Marks one as gone: it stays, invisible to dumps, until removed.</summary>
    internal void Kill(uint handle)
    {
        At(handle).Life |= SlotLife.Dead;
        Counters.Active--;
        Counters.Destroyed++;
    }

    /// <summary>Frees a slot.</summary>
    internal void Remove(uint handle)
    {
        ref ExpectationSlot slot = ref At(handle);
        _index.Remove(new ExpectationKey(in slot.Value));
        if (!slot.IsDead) { Counters.Active--; }
        Volatile.Write(ref slot.Version, slot.Version + 1);
        Volatile.WriteBarrier();
        slot.IsInUse = false;
        slot.Life = SlotLife.None;
        Volatile.Write(ref slot.Version, slot.Version + 1);
        _free.Push(handle);
        Counters.Objects = Count;
    }

    /// <summary>The next slot in use, dead or alive; 0 at the end. Writer's thread only.</summary>
    internal uint Next(uint handle)
    {
        do { handle = Advance(handle); }
        while (handle != 0 && !At(handle).IsInUse);
        return handle;
    }

    /// <summary>The slot after a handle, in use or not; 0 at the end. On any thread.</summary>
    internal uint Advance(uint handle) =>
        handle < Volatile.Read(ref _used) ? handle + 1 : 0;

    /// <summary>
    /// Copies a slot on any thread. False if it holds nothing that lives, or did not stand still.
    /// </summary>
    internal bool TrySnapshot(uint handle, out ExpectationSlot copy)
    {
        ref ExpectationSlot live = ref At(handle);
        for (int tries = 0; tries < 8; tries++)
        {
            uint before = Volatile.Read(ref live.Version);
            copy = live;
            Volatile.ReadBarrier();
            if ((before & 1) != 0 || Volatile.Read(ref live.Version) != before) { continue; }
            return copy.IsInUse && !copy.IsDead;
        }
        copy = default;
        return false;
    }

    private uint TakeSlot()
    {
        if (_free.TryPop(out uint freed)) { return freed; }
        uint handle = _used + 1;
        _chunks[handle >> ChunkBits] ??= new ExpectationSlot[ChunkSize];
        Volatile.Write(ref _used, handle);
        return handle;
    }

    private static void Write(
        ref ExpectationSlot slot, in Expectation expectation, uint createdSeconds,
        uint touchedSeconds, SlotLife life)
    {
        Volatile.Write(ref slot.Version, slot.Version + 1);
        Volatile.WriteBarrier();
        slot.Value = expectation;
        slot.CreatedSeconds = createdSeconds;
        slot.TouchedSeconds = touchedSeconds;
        slot.Life = life;
        slot.IsInUse = true;
        Volatile.Write(ref slot.Version, slot.Version + 1);
    }
}
