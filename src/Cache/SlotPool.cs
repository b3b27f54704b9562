using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;

namespace Conntrackd.Cache;

/// <summary>
/// Fixed-size slots in native memory, named by number, never moved and never given back: a reader
/// on another thread may look at any slot below <see cref="Used"/> at any time.
/// </summary>
/// <remarks>
/// Chunks of 16,384 slots are added as needed, so growth copies nothing. Numbers start at 1; 0
/// means "none". Memory is aligned to 64 bytes and is touched first when a slot is handed out.
/// </remarks>
internal sealed unsafe class SlotPool : IDisposable
{
#if DEBUG
    private const int ChunkBits = 6;
#else
    private const int ChunkBits = 14;
#endif
    private const uint ChunkMask = (1u << ChunkBits) - 1;
    private const int AlignmentBytes = 64;
    private const int PauseAfterRefusal = 1000;

    private readonly int _strideBytes;
    private readonly int _linkAt;
    private nint[] _chunks;
    private uint _slotsMax;
    private uint _used;
    private uint _firstFree;
    private int _pause;                         // refusals until the system is asked again

    /// <param name="strideBytes">Size of a slot.</param>
    /// <param name="linkAt">Offset of four bytes in a free slot that may hold the free
    /// list.</param>
    /// <param name="slotsMax">Hard bound; <see cref="Take"/> gives 0 beyond it.</param>
    internal SlotPool(int strideBytes, int linkAt, uint slotsMax)
    {
        _strideBytes = strideBytes;
        _linkAt = linkAt;
        _slotsMax = slotsMax;
        _chunks = new nint[(slotsMax >> ChunkBits) + 1];
    }

    /// <summary>
    /// Raises the hard bound; a lower one changes nothing. Readers may go on with the old list of
    /// chunks: what they may look at stands in both.
    /// </summary>
    internal void Widen(uint slotsMax)
    {
        if (slotsMax <= _slotsMax) { return; }
        nint[] chunks = new nint[(slotsMax >> ChunkBits) + 1];
        _chunks.CopyTo(chunks, 0);
        Volatile.Write(ref _chunks, chunks);
        _slotsMax = slotsMax;
    }

    /// <summary>Highest number ever handed out; read by other threads.</summary>
    internal uint Used => Volatile.Read(ref _used);

    /// <summary>
    /// A slot, zeroed the first time, else as it was returned; 0 if the pool is full, or if the
    /// system gives no memory for another chunk.
    /// </summary>
    internal uint Take()
    {
        uint slot = _firstFree;
        if (slot != 0)
        {
            _firstFree = Unsafe.AddByteOffset(ref As<uint>(slot), _linkAt);
            return slot;
        }
        if (_used >= _slotsMax) { return 0; }
        uint index = _used;
        if ((index & ChunkMask) == 0 && !TryAddChunk(index >> ChunkBits)) { return 0; }
        slot = index + 1;
        NativeMemory.Clear(At(slot), (nuint)_strideBytes);
        Volatile.Write(ref _used, slot);
        return slot;
    }

    private bool TryAddChunk(uint number)
    {
        if (_pause > 0)
        {
            _pause--;
            return false;
        }
        try
        {
            _chunks[number] = (nint)NativeMemory.AlignedAlloc(
                (nuint)_strideBytes << ChunkBits, AlignmentBytes);
        }
        catch (OutOfMemoryException)
        {
            // No other way to learn it; the caller keeps what fits and counts.
            _pause = PauseAfterRefusal;
            return false;
        }
        // A reader may learn the number from another slot before it sees Used.
        Volatile.WriteBarrier();
        return true;
    }

    /// <summary>Asks the system at the next <see cref="Take"/> that needs memory.</summary>
    internal void AskForMemoryAgain() => _pause = 0;

    /// <summary>
    /// Takes a slot back; its content stays readable until it is handed out again.
    /// </summary>
    internal void Return(uint slot)
    {
        Unsafe.AddByteOffset(ref As<uint>(slot), _linkAt) = _firstFree;
        _firstFree = slot;
    }

    /// <summary>Gives the memory back; nobody may look at a slot any more.</summary>
    public void Dispose()
    {
        foreach (nint chunk in _chunks) { NativeMemory.AlignedFree((void*)chunk); }
        Array.Clear(_chunks);
        _used = _firstFree = 0;
    }

    /// <summary>The slot seen as a <typeparamref name="T"/> at its begin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T As<T>(uint slot)
        where T : unmanaged => ref *(T*)At(slot);

    /// <summary>
    /// The slot seen as a <typeparamref name="T"/> that begins at <paramref name="offset"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T As<T>(uint slot, int offset)
        where T : unmanaged => ref *(T*)(At(slot) + offset);

    /// <summary>Brings a slot into the processor's cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch(uint slot)
    {
        if (!Sse.IsSupported) { return; }
        byte* start = At(slot);
        Sse.Prefetch0(start);
        Sse.Prefetch0(start + _strideBytes - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* At(uint slot)
    {
        uint index = slot - 1;
        byte* chunk = (byte*)_chunks[index >> ChunkBits];
        return chunk + ((nuint)(index & ChunkMask) * (uint)_strideBytes);
    }
}
