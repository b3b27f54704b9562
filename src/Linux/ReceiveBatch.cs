namespace Conntrackd.Linux;

/// <summary>Slots into which one call receives many datagrams (recvmmsg).</summary>
/// <remarks>
/// All memory is native and lives as long as the batch. What <see cref="Datagram"/> and
/// <see cref="Source"/> return is valid until the next <see cref="Receive"/>.
/// </remarks>
internal sealed unsafe class ReceiveBatch : IDisposable
{
    private const int TruncatedFlag = 0x20; // MSG_TRUNC
    private const int SourceBytesMax = SocketAddress.Ipv6Size + 4;

    private readonly NativeBuffer _data;
    private readonly NativeBuffer _headers;
    private readonly BatchedMessage* _messages;
    private readonly int _slotBytes;

    internal ReceiveBatch(int slots, int slotBytes)
    {
        SlotCount = slots;
        _slotBytes = slotBytes;
        _data = new NativeBuffer(slots * slotBytes);
        _headers = new NativeBuffer(
            slots * (sizeof(BatchedMessage) + sizeof(MemoryPiece) + SourceBytesMax));
        _messages = (BatchedMessage*)_headers.Start;
        MemoryPiece* pieces = (MemoryPiece*)(_messages + slots);
        byte* sources = (byte*)(pieces + slots);
        for (int i = 0; i < slots; i++)
        {
            pieces[i] = new MemoryPiece
            {
                Start = _data.Start + ((nint)i * slotBytes),
                Bytes = (nuint)slotBytes,
            };
            _messages[i].Pieces = pieces + i;
            _messages[i].PieceCount = 1;
            _messages[i].Name = sources + ((nint)i * SourceBytesMax);
        }
    }

    internal int SlotCount { get; }

    /// <summary>
    /// Takes what is waiting, at most <paramref name="countMax"/> datagrams; never waits. Eagain if
    /// there is nothing.
    /// </summary>
    internal Errno Receive(int fd, int countMax, out int count)
    {
        int slots = Math.Min(countMax, SlotCount);
        for (int i = 0; i < slots; i++)
        {
            // The kernel writes both; a stale length would cut the next address short.
            _messages[i].NameBytes = SourceBytesMax;
            _messages[i].Flags = 0;
        }
        return Libc.ReceiveBatch(fd, _messages, slots, out count);
    }

    /// <summary>The bytes of a datagram; cut to the slot if <see cref="IsTruncated"/>.</summary>
    internal ReadOnlySpan<byte> Datagram(int index)
    {
        ref BatchedMessage message = ref At(index);
        return new(message.Pieces->Start, (int)Math.Min(message.Bytes, (uint)_slotBytes));
    }

    /// <summary>The sender's socket address.</summary>
    internal ReadOnlySpan<byte> Source(int index)
    {
        ref BatchedMessage message = ref At(index);
        return new(message.Name, (int)Math.Min(message.NameBytes, SourceBytesMax));
    }

    /// <summary>True if the datagram was longer than a slot and its end is lost.</summary>
    internal bool IsTruncated(int index) => (At(index).Flags & TruncatedFlag) != 0;

    public void Dispose()
    {
        _data.Dispose();
        _headers.Dispose();
    }

    private ref BatchedMessage At(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)SlotCount);
        return ref _messages[index];
    }
}
