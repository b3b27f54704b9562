using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>One received message; the body is valid as long as the receive buffer is.</summary>
internal readonly ref struct SyncMessage
{
    internal SyncMessage(SyncHeader header, uint from, uint to, ReadOnlySpan<byte> body)
    {
        Header = header;
        From = from;
        To = to;
        Body = body;
    }

    internal SyncHeader Header { get; }

    /// <summary>First sequence number of the range; 0 if <c>Header.HasRange</c> is false.</summary>
    internal uint From { get; }

    /// <summary>Last sequence number of the range, inclusive.</summary>
    internal uint To { get; }

    /// <summary>What follows the header, or the header and the range.</summary>
    internal ReadOnlySpan<byte> Body { get; }
}

/// <summary>Splits a datagram into messages and counts what cannot be one.</summary>
/// <remarks>
/// <code>
/// 8 bytes left?               no: truncated, the rest is dropped
/// length > 0 and not past the end?  no: bad size, the rest is dropped
/// range, 16 bytes left?       no: truncated, the rest is dropped
/// length covers the header?   no: bad size, the rest is dropped
/// version 1?                  no: bad version, go on behind this message
/// </code>Messages need not be aligned. The class of a message (<see cref="SyncHeader.Class"/>) and
/// its payload are checked by who handles it. Source: shared spec wire, section 10, steps 1 to 6.
/// </remarks>
internal ref struct SyncMessageReader
{
    private readonly ReceiveCounters _counters;
    private ReadOnlySpan<byte> _rest;

    internal SyncMessageReader(ReadOnlySpan<byte> datagram, ReceiveCounters counters)
    {
        _rest = datagram;
        _counters = counters;
    }

    /// <summary>The next good message; false at the end.</summary>
    internal bool TryNext(out SyncMessage message)
    {
        while (!_rest.IsEmpty)
        {
            ReadOnlySpan<byte> rest = _rest;
            if (!SyncHeader.TryRead(rest, out SyncHeader header, out int version))
            {
                _counters.Truncated++;
                break;
            }
            int length = header.Length;
            if (length == 0 || length > rest.Length)
            {
                _counters.BadSize++;
                break;
            }
            bool hasRange = header.HasRange;
            if (hasRange && rest.Length < ControlMessage.RangeSize)
            {
                _counters.Truncated++;
                break;
            }
            if (length < (hasRange ? ControlMessage.RangeSize : SyncHeader.Size))
            {
                _counters.BadSize++;
                break;
            }
            _rest = rest[length..];
            if (version != SyncHeader.Version)
            {
                _counters.BadVersion++;
                continue;
            }
            message = Split(header, hasRange, rest[..length]);
            return true;
        }
        _rest = default;
        message = default;
        return false;
    }

    private static SyncMessage Split(
        SyncHeader header, bool hasRange, ReadOnlySpan<byte> message)
    {
        if (!hasRange) { return new SyncMessage(header, 0, 0, message[SyncHeader.Size..]); }
        return new SyncMessage(
            header,
            BinaryPrimitives.ReadUInt32BigEndian(message[ControlMessage.FromAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(message[ControlMessage.ToAt..]),
            message[ControlMessage.RangeSize..]);
    }
}
