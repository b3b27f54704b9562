using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

/// <summary>
/// Datagrams to one address, written in place and sent by one call (sendmmsg). First in, first out.
/// </summary>
/// <remarks><code>
/// slots:     | sent | sent | staged | staged | staged | open | free |
///                            first                      first + count
/// messages:                  [ 1st ]  [ 2nd, with UDP_SEGMENT ]
/// </code>Space is reused once everything staged has left. Datagrams of one length that follow each
/// other, and a shorter one behind them, go through the network's layers as one, which the kernel
/// cuts at the end (UDP_SEGMENT, udp(7)): there, and in the receiver of a virtual link, that is a
/// quarter to a half of what a datagram costs.</remarks>
internal sealed unsafe class SendBatch : IDisposable
{
    /// <summary>
    /// Segments of one message: UDP_MAX_SEGMENTS of the kernel, 64 before 6.9; and less than IPv4
    /// can say.
    /// </summary>
    private const int SegmentsMax = 64, SegmentedBytesMax = 65_000;

    private readonly NativeBuffer _data;
    private readonly NativeBuffer _headers;
    private readonly BatchedMessage* _messages;
    private readonly MemoryPiece* _pieces;
    private readonly SegmentControl* _controls;
    private readonly int _slots;
    private readonly int _slotBytes;
    private int _first;

    internal SendBatch(int slots, int slotBytes, ReadOnlySpan<byte> target)
    {
        _slots = slots;
        _slotBytes = slotBytes;
        _data = new NativeBuffer(slots * slotBytes);
        int slotHeaders = sizeof(BatchedMessage) + sizeof(MemoryPiece) + sizeof(SegmentControl);
        _headers = new NativeBuffer((slots * slotHeaders) + target.Length);
        _messages = (BatchedMessage*)_headers.Start;
        _pieces = (MemoryPiece*)(_messages + slots);
        _controls = (SegmentControl*)(_pieces + slots);
        byte* name = (byte*)(_controls + slots);
        target.CopyTo(new Span<byte>(name, target.Length));
        for (int i = 0; i < slots; i++)
        {
            _pieces[i].Start = _data.Start + ((nint)i * slotBytes);
            _messages[i].Name = name;
            _messages[i].NameBytes = (uint)target.Length;
            _controls[i] = SegmentControl.Empty;
        }
    }

    /// <summary>
    /// Equal datagrams go together. Off until switched on: the kernel must know of it, and the
    /// checksum must not be off. It goes off by itself where a device refuses it.
    /// </summary>
    internal bool JoinsEqual { get; set; }

    /// <summary>Datagrams waiting to be sent.</summary>
    internal int Count { get; private set; }

    /// <summary>Room for the next datagram; empty if every slot is taken. Not yet staged.</summary>
    internal Span<byte> Reserve()
    {
        if (Count == 0) { _first = 0; }
        int slot = _first + Count;
        return slot == _slots ? [] : new(_data.Start + ((nint)slot * _slotBytes), _slotBytes);
    }

    /// <summary>Stages the first bytes of what <see cref="Reserve"/> gave.</summary>
    internal void Commit(int bytes)
    {
        int slot = _first + Count;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)_slotBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, _slots);
        _pieces[slot].Bytes = (nuint)bytes;
        Count++;
    }

    /// <summary>
    /// One call for all that is staged. Tells how many datagrams and bytes left; those are gone
    /// from the batch. An error concerns the first one still staged.
    /// </summary>
    internal Errno Send(int fd, out int sent, out long bytes)
    {
        Errno error = Libc.SendBatch(fd, _messages, Stage(), out int taken);
        if (error is Errno.Einval or Errno.Eio or Errno.Emsgsize && _messages->PieceCount > 1)
        {
            // Refused as one: by a device that makes no checksums, a route whose MTU is less.
            JoinsEqual = false;
            error = Libc.SendBatch(fd, _messages, Stage(), out taken);
        }
        sent = 0;
        bytes = 0;
        for (int i = 0; i < taken; i++) { sent += (int)_messages[i].PieceCount; }
        for (int i = 0; i < sent; i++) { bytes += (long)_pieces[_first + i].Bytes; }
        _first += sent;
        Count -= sent;
        return error;
    }

    /// <summary>The first staged datagram; there must be one.</summary>
    internal ReadOnlySpan<byte> First
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfZero(Count);
            return new(_pieces[_first].Start, (int)_pieces[_first].Bytes);
        }
    }

    /// <summary>Forgets the first staged datagram.</summary>
    internal void DropFirst()
    {
        if (Count == 0) { return; }
        _first++;
        Count--;
    }

    public void Dispose()
    {
        _data.Dispose();
        _headers.Dispose();
    }

    // Makes messages of all that is staged; returns how many.
    private int Stage()
    {
        int messages = 0;
        int end = _first + Count;
        for (int slot = _first; slot < end; messages++)
        {
            int segments = JoinsEqual ? Run(slot, end) : 1;
            ref BatchedMessage message = ref _messages[messages];
            message.Pieces = _pieces + slot;
            message.PieceCount = (nuint)segments;
            bool joined = segments > 1;
            message.Control = joined ? (byte*)(_controls + messages) : null;
            message.ControlBytes = joined ? (nuint)sizeof(SegmentControl) : 0;
            _controls[messages].SegmentBytes = (ushort)_pieces[slot].Bytes;
            slot += segments;
        }
        return messages;
    }

    // How many datagrams from a slot on are as long as the first, and one that is shorter.
    private int Run(int slot, int end)
    {
        nuint length = _pieces[slot].Bytes;
        nuint total = length;
        int at = slot + 1;
        for (; at < end && at - slot < SegmentsMax; at++)
        {
            nuint next = _pieces[at].Bytes;
            total += next;
            if (next > length || next == 0 || total > SegmentedBytesMax) { break; }
            if (next < length) { return at + 1 - slot; }
        }
        return at - slot;
    }

    /// <summary>Control data of one message: its segments are so long.</summary>
    /// <remarks><code>
    /// 0 length of header and value, u64   8 level, int   12 type, int   16 bytes, u16   24
    /// </code>struct cmsghdr of bits/socket.h on 64-bit machines; SOL_UDP and UDP_SEGMENT of
    /// linux/udp.h.</remarks>
    [StructLayout(LayoutKind.Sequential, Size = 24)]
    private struct SegmentControl
    {
        private nuint _length;
        private int _level;
        private int _type;
        internal ushort SegmentBytes;

        internal static SegmentControl Empty => new()
        {
            _length = 18,
            _level = SocketOption.UdpSegment.Level,
            _type = SocketOption.UdpSegment.Name,
        };
    }
}
