namespace Conntrackd.Linux;

/// <summary>
/// Datagrams to one address, written in place and sent by one call (sendmmsg). First in, first out.
/// </summary>
/// <remarks><code>
/// slots:  | sent | sent | staged | staged | open | free | free |
///                         first            first + count
/// </code>Space is reused once everything staged has left.</remarks>
internal sealed unsafe class SendBatch : IDisposable
{
    private readonly NativeBuffer _data;
    private readonly NativeBuffer _headers;
    private readonly BatchedMessage* _messages;
    private readonly int _slots;
    private readonly int _slotBytes;
    private int _first;

    internal SendBatch(int slots, int slotBytes, ReadOnlySpan<byte> target)
    {
        _slots = slots;
        _slotBytes = slotBytes;
        _data = new NativeBuffer(slots * slotBytes);
        _headers = new NativeBuffer(
            (slots * (sizeof(BatchedMessage) + sizeof(MemoryPiece))) + target.Length);
        _messages = (BatchedMessage*)_headers.Start;
        MemoryPiece* pieces = (MemoryPiece*)(_messages + slots);
        byte* name = (byte*)(pieces + slots);
        target.CopyTo(new Span<byte>(name, target.Length));
        for (int i = 0; i < slots; i++)
        {
            pieces[i].Start = _data.Start + ((nint)i * slotBytes);
            _messages[i].Pieces = pieces + i;
            _messages[i].PieceCount = 1;
            _messages[i].Name = name;
            _messages[i].NameBytes = (uint)target.Length;
        }
    }

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
        _messages[slot].Pieces->Bytes = (nuint)bytes;
        Count++;
    }

    /// <summary>
    /// One call for all that is staged. Tells how many datagrams and bytes left; those are gone
    /// from the batch. An error concerns the first one still staged.
    /// </summary>
    internal Errno Send(int fd, out int sent, out long bytes)
    {
        bytes = 0;
        Errno error = Libc.SendBatch(fd, _messages + _first, Count, out sent);
        sent = Math.Max(sent, 0);
        for (int i = 0; i < sent; i++) { bytes += (long)_messages[_first + i].Pieces->Bytes; }
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
            MemoryPiece* piece = _messages[_first].Pieces;
            return new(piece->Start, (int)piece->Bytes);
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
}
