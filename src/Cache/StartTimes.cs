using System.Threading;

namespace Conntrackd.Cache;

/// <summary>
/// When flows began, seconds since 1970, by slot number. Only kernels that stamp flows say it
/// (net.netfilter.nf_conntrack_timestamp), and only in dumps: so it is no part of the slot, and
/// without stamps takes no memory.
/// </summary>
/// <remarks>
/// Chunks of 16,384 numbers come as they are needed and stay. One thread writes; readers may look
/// at any time, and trust a value only if the slot's version stood still.
/// </remarks>
internal sealed class StartTimes
{
    private const int ChunkBits = 14;
    private const uint ChunkMask = (1u << ChunkBits) - 1;

    private uint[]?[] _chunks = [];

    internal void Set(uint slot, uint seconds)
    {
        uint at = slot >> ChunkBits;
        if (at >= (uint)_chunks.Length)
        {
            var chunks = new uint[]?[at + 1];
            _chunks.CopyTo(chunks, 0);
            Volatile.Write(ref _chunks, chunks);
        }
        uint[]? chunk = _chunks[at];
        if (chunk is null)
        {
            chunk = new uint[ChunkMask + 1];
            Volatile.Write(ref _chunks[at], chunk);
        }
        chunk[slot & ChunkMask] = seconds;
    }

    /// <summary>What was set last; 0 if nothing was.</summary>
    internal uint Get(uint slot)
    {
        uint[]?[] chunks = Volatile.Read(ref _chunks);
        uint at = slot >> ChunkBits;
        uint[]? chunk = at < (uint)chunks.Length ? Volatile.Read(ref chunks[at]) : null;
        return chunk is null ? 0 : chunk[slot & ChunkMask];
    }
}
