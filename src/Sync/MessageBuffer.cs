using System.Buffers.Binary;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>Flow messages that are ready but for their number, first in, first out.</summary>
/// <remarks>
/// Without an internal cache there is nothing to encode from later, so what an event says is kept
/// as bytes until the end of the turn. Bounded: beyond <see cref="BytesMax"/>, which is a link that
/// has stood still for thousands of events, messages are refused. Grows to what was needed once.
/// </remarks>
internal sealed class MessageBuffer
{
#if DEBUG
    internal const int BytesMax = 64 * 1024;
#else
    internal const int BytesMax = 4 * 1024 * 1024;
#endif
    private byte[] _bytes = new byte[4 * FlowMessage.SizeMax];
    private int _start;
    private int _end;

    /// <summary>Bytes that wait.</summary>
    internal int Length => _end - _start;

    /// <summary>Messages that wait.</summary>
    internal int Count { get; private set; }

    /// <summary>Appends a message; false if the buffer is full.</summary>
    internal bool TryAdd(in Flow flow, SyncType type, FlowMessageOptions options)
    {
        if (_bytes.Length - _end < FlowMessage.SizeMax && !MakeRoom()) { return false; }
        int length = FlowMessage.Encode(
            _bytes.AsSpan(_end), in flow, type, SyncFlags.None, sequence: 0, options);
        _end += length;
        Count++;
        return true;
    }

    /// <summary>
    /// Moves the first message to the target and gives it its number. Returns its length, 0 if none
    /// waits or the target is too short.
    /// </summary>
    internal int Take(Span<byte> target, uint sequence)
    {
        if (Count == 0) { return 0; }
        ReadOnlySpan<byte> first = _bytes.AsSpan(_start);
        int length = BinaryPrimitives.ReadUInt16BigEndian(first[SyncHeader.LengthAt..]);
        if (length > target.Length) { return 0; }
        first[..length].CopyTo(target);
        BinaryPrimitives.WriteUInt32BigEndian(target[SyncHeader.SequenceAt..], sequence);
        _start += length;
        if (--Count == 0) { _start = _end = 0; }
        return length;
    }

    // Moves what waits to the front, or grows. False at the bound.
    private bool MakeRoom()
    {
        int length = Length;
        if (length + FlowMessage.SizeMax > BytesMax) { return false; }
        bool fits = length <= _bytes.Length / 2 || _bytes.Length == BytesMax;
        byte[] target = fits ? _bytes : new byte[Math.Min(BytesMax, 2 * _bytes.Length)];
        _bytes.AsSpan(_start, length).CopyTo(target);
        _bytes = target;
        _start = 0;
        _end = length;
        return _bytes.Length - _end >= FlowMessage.SizeMax;
    }
}
