using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>Joins the pieces of a byte stream and gives the messages that are whole.</summary>
/// <remarks>
/// One reader a connection: what is left of a message when its connection ends dies with it.
/// <code>
/// buffer:  | given | whole messages | tail | room |
///                   start            cut    end
/// </code>The length in the header is the only delimiter, and there is no mark to find the next
/// message by. So a length that no message has ends the stream: <see cref="IsBroken"/>, and the
/// caller closes the connection. A message of another version is a message here; it is skipped by
/// <see cref="SyncMessageReader"/>, which reads what this one gives and never meets the end of the
/// buffer inside a message. Source: shared spec wire, sections 1.3 and 10, steps 1 to 5 for TCP.
/// </remarks>
internal sealed class SyncStreamReader
{
    /// <summary>
    /// Longest message taken: what a datagram can have here, and 50 times what any node sends.
    /// </summary>
    internal const int MessageMax = 16 * 1024;

    private const int BufferBytes = 4 * MessageMax;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;

    /// <summary>True once a length was read that no message has.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>Bytes of a message that is not yet whole.</summary>
    internal int TailLength => _end - _start;

    /// <summary>
    /// Where the next bytes go; never empty. What <see cref="TakeWhole"/> gave is gone after this.
    /// </summary>
    internal Span<byte> Room()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, TailLength).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        return _buffer.AsSpan(_end);
    }

    /// <summary>So many bytes of the room were filled.</summary>
    internal void Commit(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(BufferBytes - _end));
        _end += bytes;
    }

    /// <summary>All messages that are whole, back to back; empty if there is none.</summary>
    internal ReadOnlySpan<byte> TakeWhole()
    {
        int cut = _start;
        while (!IsBroken && TryMeasure(_buffer.AsSpan(cut, _end - cut), out int length))
        {
            if (length > _end - cut) { break; }
            cut += length;
        }
        ReadOnlySpan<byte> whole = _buffer.AsSpan(_start, cut - _start);
        _start = cut;
        return whole;
    }

    /// <summary>Forgets everything: another connection begins.</summary>
    internal void Clear()
    {
        _start = 0;
        _end = 0;
        IsBroken = false;
    }

    // False while the header is not there, and when its length is impossible.
    private bool TryMeasure(ReadOnlySpan<byte> rest, out int length)
    {
        length = 0;
        if (!SyncHeader.TryRead(rest, out SyncHeader header, out _)) { return false; }
        length = header.Length;
        int lengthMin = header.HasRange ? ControlMessage.RangeSize : SyncHeader.Size;
        IsBroken = length < lengthMin || length > MessageMax;
        return !IsBroken;
    }

    /// <summary>
    /// Where, in messages built by this program back to back, the first one ends that does not end
    /// before <paramref name="position"/>; the end of <paramref name="messages"/> at most.
    /// </summary>
    internal static int BoundaryFrom(ReadOnlySpan<byte> messages, int position)
    {
        int at = 0;
        while (at < position && messages.Length - at >= SyncHeader.Size)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(
                messages[(at + SyncHeader.LengthAt)..]);
            if (length < SyncHeader.Size) { return messages.Length; }
            at += length;
        }
        return Math.Min(at, messages.Length);
    }
}
