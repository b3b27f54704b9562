using System.Buffers.Binary;
using System.IO.Hashing;
using System.Threading;
using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

/// <summary>
/// Flows by identity (protocol, original tuple, zone) in compact slots. One thread writes; any
/// thread may read through <see cref="TrySnapshot"/>.
/// </summary>
/// <remarks>
/// This room holds tables of flows and knows nothing of sockets, messages or modes. Read
/// <see cref="SlotHead"/> for the form of a flow, <see cref="SlotPool"/> for where slots live,
/// <see cref="FlowIndex"/> for how they are found.
/// <para>A handle names a slot: the slot number, plus the high bit for IPv6; 0 is "none". It is
/// valid until <see cref="Remove"/>.</para>
/// <para>Two kinds of tables share the code: flows that came from the kernel keep the reply tuple,
/// flows that came from a peer keep its description of NAT in the same place. Which it is follows
/// from <see cref="FlowAttributes.Reply"/>.</para>
/// </remarks>
internal sealed partial class FlowTable : IDisposable
{
    private const uint Ipv6Bit = 1u << 31;
    private const int Ipv4Stride = SlotHead.Size + 24;
    private const int Ipv6Stride = SlotHead.Size + 72;
    private const int SideStride = 128;
    private const int SequenceAt = 28;
    private const int ExpectedCount = 4;

    // Places for dead flows beyond the bound: a part of it, and some for small tables.
    private const uint DeadShare = 4, DeadMin = 64;

    private readonly SlotPool _ipv4;
    private readonly SlotPool _ipv6;
    private readonly SlotPool _sides;
    private readonly StartTimes _ipv4Starts = new();
    private readonly StartTimes _ipv6Starts = new();
    private readonly FlowIndex _index = new();
    private readonly long _seed;
    private uint _flowsMax;
    private readonly ulong[] _expected = new ulong[ExpectedCount];
    private uint _count;
    private uint _expectedCount;

    /// <param name="flowsMax">Hard bound (HashLimit) of living flows: <see cref="Add"/> refuses
    /// beyond it. Dead ones that wait for an acknowledgement may take a quarter more.</param>
    /// <param name="seed">Secret of the hash, so that nobody can aim flows at one place.</param>
    internal FlowTable(uint flowsMax, long seed)
    {
        _flowsMax = flowsMax;
        _seed = seed;
        uint slotsMax = SlotsMax(flowsMax);
        _ipv4 = new SlotPool(Ipv4Stride, SequenceAt, slotsMax);
        _ipv6 = new SlotPool(Ipv6Stride, SequenceAt, slotsMax);
        _sides = new SlotPool(SideStride, 0, slotsMax);
    }

    /// <summary>
    /// Changes the hard bound. Below what the table holds it only refuses more: nothing is thrown
    /// out.
    /// </summary>
    internal void SetLimit(uint flowsMax)
    {
        _flowsMax = flowsMax;
        uint slotsMax = SlotsMax(flowsMax);
        _ipv4.Widen(slotsMax);
        _ipv6.Widen(slotsMax);
        _sides.Widen(slotsMax);
    }

    /// <summary>The hard bound of living flows.</summary>
    internal uint FlowsMax => _flowsMax;

    /// <summary>
    /// After a refusal the system is not asked for memory for a while; from now on it is.
    /// </summary>
    internal void AskForMemoryAgain()
    {
        _ipv4.AskForMemoryAgain();
        _ipv6.AskForMemoryAgain();
        _sides.AskForMemoryAgain();
        _index.AskForMemoryAgain();
    }

    /// <summary>What happened here; the caller counts what only it can know.</summary>
    internal CacheCounters Counters { get; } = new();

    /// <summary>Slots in use, dead flows included.</summary>
    internal uint Count => _count;

    /// <summary>True if no more flows may live here.</summary>
    internal bool IsFull => Counters.Active >= _flowsMax;

    /// <summary>True if a sixteenth of the bound is free.</summary>
    internal bool HasRoom => Counters.Active < _flowsMax - (_flowsMax / 16);

    /// <summary>Slots that <see cref="Advance"/> walks over, in use or not.</summary>
    internal uint Slots => _ipv4.Used + _ipv6.Used;

    /// <summary>
    /// The head of a slot; the caller may change queue state, sequence and life only.
    /// </summary>
    internal ref SlotHead Head(uint handle) => ref Pool(handle).As<SlotHead>(handle & ~Ipv6Bit);

    /// <summary>The handle of the flow with the identity of <paramref name="key"/>, or 0.</summary>
    internal uint Find(in Flow key)
    {
        FlowIndex.Cursor cursor = _index.Find(Hash(in key));
        while (true)
        {
            uint handle = cursor.Next();
            if (handle == 0 || IsSame(handle, in key)) { return handle; }
        }
    }

    /// <summary>
    /// A hint that <see cref="Find"/> will be asked for this flow a few calls later: brings its
    /// place in the index into the processor's cache, and the slot of the flow that was expected
    /// four calls before. Changes nothing that can be seen.
    /// </summary>
    internal void Expect(in Flow key)
    {
        ulong hash = Hash(in key);
        _index.Prefetch(hash);
        ref ulong expected = ref _expected[_expectedCount++ % ExpectedCount];
        uint handle = _index.Find(expected).Next();
        if (handle != 0) { Pool(handle).Prefetch(handle & ~Ipv6Bit); }
        expected = hash;
    }

    /// <summary>
    /// Stores a flow that <see cref="Find"/> did not find. Returns 0, and counts it, if the table
    /// is full or the system gives no memory.
    /// </summary>
    internal uint Add(in Flow flow, uint nowSeconds)
    {
        if (IsFull || _count >= SlotsMax(_flowsMax))
        {
            Counters.CreateFailedSpace++;
            return 0;
        }
        bool ipv6 = flow.Family == AddressFamily.Ipv6;
        SlotPool pool = ipv6 ? _ipv6 : _ipv4;
        uint slot = pool.Take();
        uint handle = ipv6 ? slot | Ipv6Bit : slot;
        if (slot == 0 || !_index.TryAdd(Hash(in flow), handle))
        {
            if (slot != 0) { pool.Return(slot); }
            Counters.CreateFailedMemory++;
            return 0;
        }
        ref SlotHead head = ref Head(handle);
        BeginWrite(ref head);
        StoreFresh(handle, ref head, in flow, nowSeconds);
        EndWrite(ref head);
        _count++;
        Counters.Objects = _count;
        Counters.Active++;
        Counters.Created++;
        return handle;
    }

    /// <summary>
    /// Puts a new flow of the same identity into a slot, as if the old had been removed.
    /// </summary>
    internal void Replace(uint handle, in Flow flow, uint nowSeconds)
    {
        ref SlotHead head = ref Head(handle);
        if ((head.Life & SlotLife.Dead) != 0) { Counters.Active++; }
        else { Counters.Destroyed++; }
        BeginWrite(ref head);
        FreeSide(ref head);
        StoreFresh(handle, ref head, in flow, nowSeconds);
        EndWrite(ref head);
        Counters.Created++;
    }

    /// <summary>
    /// Copies what <paramref name="flow"/> knows over what the slot knows; tuples stay.
    /// </summary>
    internal void Merge(uint handle, in Flow flow)
    {
        ref SlotHead head = ref Head(handle);
        BeginWrite(ref head);
        StoreAttributes(handle, ref head, in flow);
        head.Life |= SlotLife.Updated;
        EndWrite(ref head);
        Counters.Updated++;
    }

    /// <summary>Marks a flow as destroyed: it stays, invisible to dumps, until removed.</summary>
    internal void Kill(uint handle)
    {
        ref SlotHead head = ref Head(handle);
        BeginWrite(ref head);
        head.Life |= SlotLife.Dead;
        EndWrite(ref head);
        Counters.Active--;
        Counters.Destroyed++;
    }

    /// <summary>Frees a slot.</summary>
    internal void Remove(uint handle)
    {
        ref SlotHead head = ref Head(handle);
        _index.Remove(HashOf(handle), handle);
        if ((head.Life & SlotLife.Dead) == 0) { Counters.Active--; }
        BeginWrite(ref head);
        FreeSide(ref head);
        head.Present = FlowAttributes.None;
        head.Life = SlotLife.None;
        EndWrite(ref head);
        Pool(handle).Return(handle & ~Ipv6Bit);
        _count--;
        Counters.Objects = _count;
    }

    /// <summary>
    /// The next slot in use after <paramref name="handle"/> (0 to start), or 0 at the end. Looks at
    /// <paramref name="budget"/> slots at most; with the budget spent it returns a slot not in use,
    /// which <see cref="IsInUse"/> tells.
    /// </summary>
    internal uint Next(uint handle, ref int budget)
    {
        while (true)
        {
            handle = Advance(handle);
            if (handle == 0 || --budget <= 0 || IsInUse(handle)) { return handle; }
        }
    }

    /// <summary>True if the slot holds a flow, dead or alive.</summary>
    internal bool IsInUse(uint handle) => Head(handle).Present != FlowAttributes.None;

    /// <summary>
    /// The slot after <paramref name="handle"/> in walking order, in use or not; 0 at the end. Safe
    /// on any thread.
    /// </summary>
    internal uint Advance(uint handle)
    {
        uint slot = (handle & ~Ipv6Bit) + 1;
        if ((handle & Ipv6Bit) == 0)
        {
            if (slot <= _ipv4.Used) { return slot; }
            slot = 1;
        }
        return slot <= _ipv6.Used ? slot | Ipv6Bit : 0;
    }

    /// <summary>
    /// Gives the memory back: for tests, a daemon's tables live as long as it does.
    /// </summary>
    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6.Dispose();
        _sides.Dispose();
        _index.Dispose();
    }

    private static uint SlotsMax(uint flowsMax) =>
        flowsMax == 0 ? 0 : flowsMax + Math.Max(flowsMax / DeadShare, DeadMin);

    private SlotPool Pool(uint handle) => (handle & Ipv6Bit) == 0 ? _ipv4 : _ipv6;

    private static void BeginWrite(ref SlotHead head)
    {
        Volatile.Write(ref head.Version, head.Version + 1);
        Volatile.WriteBarrier();
    }

    private static void EndWrite(ref SlotHead head) =>
        Volatile.Write(ref head.Version, head.Version + 1);

    private bool IsSame(uint handle, in Flow key)
    {
        ref SlotHead head = ref Head(handle);
        if (head.Protocol != key.Protocol || head.Zone != key.KeyZone) { return false; }
        if ((handle & Ipv6Bit) == 0)
        {
            if (key.Family == AddressFamily.Ipv6) { return false; }
            ref SlotAddressesIpv4 a = ref Ipv4Addresses(handle);
            return a.OrigSource == (uint)key.Orig.Source.Low &&
                a.OrigTarget == (uint)key.Orig.Target.Low &&
                a.OrigL4Source == key.Orig.L4Source && a.OrigL4Target == key.Orig.L4Target;
        }
        if (key.Family != AddressFamily.Ipv6) { return false; }
        ref SlotAddressesIpv6 b = ref Ipv6Addresses(handle);
        return b.OrigSource == key.Orig.Source && b.OrigTarget == key.Orig.Target &&
            b.OrigL4Source == key.Orig.L4Source && b.OrigL4Target == key.Orig.L4Target;
    }

    private ulong Hash(in Flow flow) =>
        Hash(flow.Family == AddressFamily.Ipv6, flow.Protocol, flow.KeyZone, in flow.Orig);

    private ulong HashOf(uint handle)
    {
        ref SlotHead head = ref Head(handle);
        FlowTuple orig;
        if ((handle & Ipv6Bit) == 0)
        {
            ref SlotAddressesIpv4 a = ref Ipv4Addresses(handle);
            orig.Source = new Address(0, a.OrigSource);
            orig.Target = new Address(0, a.OrigTarget);
            (orig.L4Source, orig.L4Target) = (a.OrigL4Source, a.OrigL4Target);
            return Hash(ipv6: false, head.Protocol, head.Zone, in orig);
        }
        ref SlotAddressesIpv6 b = ref Ipv6Addresses(handle);
        (orig.Source, orig.Target) = (b.OrigSource, b.OrigTarget);
        (orig.L4Source, orig.L4Target) = (b.OrigL4Source, b.OrigL4Target);
        return Hash(ipv6: true, head.Protocol, head.Zone, in orig);
    }

    private ulong Hash(bool ipv6, byte protocol, ushort zone, in FlowTuple orig)
    {
        Span<byte> key = stackalloc byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(key, orig.L4Source | ((uint)orig.L4Target << 16));
        BinaryPrimitives.WriteUInt32LittleEndian(key[4..], protocol | ((uint)zone << 16));
        if (!ipv6)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(key[8..],
                orig.Source.Low << 32 | (uint)orig.Target.Low);
            return XxHash3.HashToUInt64(key[..16], _seed);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(key[8..], orig.Source.High);
        BinaryPrimitives.WriteUInt64LittleEndian(key[16..], orig.Source.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(key[24..], orig.Target.High);
        BinaryPrimitives.WriteUInt64LittleEndian(key[32..], orig.Target.Low);
        return XxHash3.HashToUInt64(key, _seed);
    }
}
