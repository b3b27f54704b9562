using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Netlink;

namespace Conntrackd.Kernel;

/// <summary>Reads the kernel's table: whole dumps part by part, or one flow.</summary>
/// <remarks>
/// <see cref="StartDump"/>, then <see cref="Read"/> whenever the descriptor is readable until the
/// sink is told the end. The kernel builds the next part when the last one was read, so a slow
/// reader loses nothing. Source: shared spec ctnetlink, section 8.
/// </remarks>
internal sealed class TableReader : IDisposable
{
    /// <summary>The kernel fills 32 KiB at most; a larger buffer costs nothing.</summary>
    private const int BufferBytes = 64 * 1024;

    private const int RequestBytesMax = 256;

    /// <summary>
    /// The kernel answers at once; this only keeps a broken one from stopping us.
    /// </summary>
    private const int AnswerTimeoutMilliseconds = 5000;

    private readonly int _fd;
    private readonly IKernelSink _sink;
    private readonly IExpectationSink? _expectationSink;
    private readonly KernelCounters _counters;
    private readonly NativeBuffer _buffer = new(BufferBytes);
    private readonly byte[] _request = new byte[RequestBytesMax];

    private readonly FlowRing _ahead = new();
    private Expectation _expectation;
    private uint _sequence;
    private bool _interrupted;                  // the kernel says that the table changed meanwhile
    private Errno _failure;                     // why the running dump is incomplete

    private TableReader(
        int fd, IKernelSink sink, IExpectationSink? expectationSink, KernelCounters counters)
    {
        _fd = fd;
        _sink = sink;
        _expectationSink = expectationSink;
        _counters = counters;
    }

    internal int FileDescriptor => _fd;

    /// <summary>True from the start of a dump to its end.</summary>
    internal bool IsRunning { get; private set; }

    /// <summary>How the last dump or get ended.</summary>
    internal Errno LastError { get; private set; }

    internal static Errno TryOpen(
        IKernelSink sink, KernelCounters counters, out TableReader? reader,
        IExpectationSink? expectationSink = null)
    {
        Errno error = NetlinkSocket.Open(NetlinkSocket.Netfilter, out int fd, out _);
        reader = error == Errno.None
            ? new TableReader(fd, sink, expectationSink, counters)
            : null;
        return error;
    }

    /// <summary>
    /// Asks for all flows of a family, Unknown for both. Ebusy while a dump is running. The end is
    /// told to the sink only if this returned None.
    /// </summary>
    internal Errno StartDump(AddressFamily family = AddressFamily.Unknown)
    {
        if (IsRunning) { return Errno.Ebusy; }
        MessageWriter writer = new(_request);
        FlowEncoder.EncodeDump(ref writer, ++_sequence, family);
        return Start(writer.Written);
    }

    /// <summary>As <see cref="StartDump"/>, for expectations.</summary>
    internal Errno StartExpectationDump(AddressFamily family = AddressFamily.Unknown)
    {
        if (IsRunning) { return Errno.Ebusy; }
        MessageWriter writer = new(_request);
        FlowEncoder.EncodeExpectDump(ref writer, ++_sequence, family);
        return Start(writer.Written);
    }

    /// <summary>Hands over at most so many parts; true if more may be waiting.</summary>
    internal bool Read(int partsMax)
    {
        Span<byte> source = stackalloc byte[SocketAddress.NetlinkSize];
        for (int i = 0; i < partsMax && IsRunning; i++)
        {
            Errno error = Libc.ReceiveFrom(
                _fd, _buffer.Span, source, out int bytes, out int sourceBytes);
            if (error == Errno.Eagain) { return false; }
            if (error != Errno.None)
            {
                _failure = error; // parts are missing; read on, the kernel goes on to the end
                continue;
            }
            if (!NetlinkSocket.IsFromKernel(source[..sourceBytes]))
            {
                _counters.DatagramsForeign++;
                continue;
            }
            if (bytes > BufferBytes) { _failure = Errno.Emsgsize; }
            TakePart(_buffer.Span[..Math.Min(bytes, BufferBytes)]);
        }
        return IsRunning;
    }

    /// <summary>Reads the running dump to its end, for start-up; returns how it ended.</summary>
    internal Errno RunToEnd()
    {
        const int PartsPerTurn = 64;
        while (IsRunning)
        {
            Errno error = Libc.WaitReadable(_fd, AnswerTimeoutMilliseconds);
            if (error == Errno.None) { Read(PartsPerTurn); }
            else { End(error); }
        }
        return LastError;
    }

    /// <summary>
    /// Asks for one flow by a tuple of either direction and hands it over as a dump record. Enoent
    /// if there is none, Ebusy while a dump is running. Waits for the answer.
    /// </summary>
    internal Errno Get(
        AddressFamily family, byte protocol, in FlowTuple tuple, ushort zone, bool hasZone)
    {
        if (IsRunning) { return Errno.Ebusy; }
        MessageWriter writer = new(_request);
        FlowEncoder.EncodeGet(
            ref writer, family, protocol, tuple, zone, hasZone, ++_sequence, NetlinkFlags.Ack);
        LastError = NetlinkSocket.Send(_fd, writer.Written);
        bool answered = LastError != Errno.None;
        while (!answered)
        {
            LastError = Libc.WaitReadable(_fd, AnswerTimeoutMilliseconds);
            if (LastError == Errno.None)
            {
                LastError = Libc.Receive(_fd, _buffer.Span, out int bytes);
                if (LastError == Errno.None && !TryFindEnd(_buffer.Span[..bytes])) { continue; }
            }
            answered = true;
        }
        return LastError;
    }

    public void Dispose()
    {
        Libc.Close(_fd);
        _buffer.Dispose();
    }

    private Errno Start(ReadOnlySpan<byte> request)
    {
        Errno error = NetlinkSocket.Send(_fd, request);
        IsRunning = error == Errno.None;
        _interrupted = false;
        _failure = Errno.None;
        return error;
    }

    private void TakePart(ReadOnlySpan<byte> part)
    {
        MessageReader messages = new(part);
        while (IsRunning && messages.TryNext(out NetlinkMessage message))
        {
            if (message.Sequence != _sequence) { continue; } // of a dump given up earlier
            _interrupted |= (message.Flags & NetlinkFlags.DumpInterrupted) != 0;
            switch (message.Type)
            {
                // A number: 0, or the negative errno that ended the dump early.
                case NetlinkMessage.TypeDone:
                    End(ReadDone(message.Payload));
                    break;

                // The request was refused; nothing else follows.
                case NetlinkMessage.TypeError:
                    End(ErrorMessage.TryRead(message, out int code, out _)
                        ? (Errno)code
                        : Errno.Eproto);
                    break;

                default:
                    TakeRecord(message);
                    break;
            }
        }
        HandOver();
        if (messages.Malformed) { _counters.DumpMalformed++; }
    }

    private void HandOver()
    {
        while (!_ahead.IsEmpty) { _sink.OnDumpRecord(ref _ahead.Pop().Flow); }
    }

    private void TakeRecord(in NetlinkMessage message)
    {
        DecodeError error = DecodeError.None;
        switch (message.Type)
        {
            // Every record of a dump, and the answer to a get, has the type of a new entry.
            case CtMessage.New:
                if (_ahead.IsFull) { _sink.OnDumpRecord(ref _ahead.Pop().Flow); }
                ref Flow flow = ref _ahead.Next.Flow;
                error = FlowDecoder.Decode(message.Payload, ref flow);
                if (error != DecodeError.None) { break; }
                _sink.Expect(in flow);
                _ahead.Push();
                break;

            case CtMessage.ExpectNew when _expectationSink != null:
                error = ExpectationDecoder.Decode(message.Payload, ref _expectation);
                if (error == DecodeError.None)
                {
                    _expectationSink.OnExpectationRecord(ref _expectation);
                }
                break;

            default:
                _counters.DumpUnknownType++;
                break;
        }
        if (error != DecodeError.None) { _counters.DumpMalformed++; }
    }

    /// <summary>True if the answer to a get is complete; its result is in LastError.</summary>
    private bool TryFindEnd(ReadOnlySpan<byte> datagram)
    {
        MessageReader messages = new(datagram);
        while (messages.TryNext(out NetlinkMessage message))
        {
            if (message.Sequence != _sequence) { continue; }
            if (ErrorMessage.TryRead(message, out int code, out _))
            {
                LastError = (Errno)code;
                return true;
            }
            TakeRecord(message);
            HandOver();
        }
        return false;
    }

    private static Errno ReadDone(ReadOnlySpan<byte> payload)
    {
        int code = payload.Length < sizeof(int) ? 0 : BitConverter.ToInt32(payload);
        return code < 0 ? (Errno)(-code) : Errno.None;
    }

    private void End(Errno error)
    {
        if (error == Errno.None) { error = _failure; }
        if (error == Errno.None && _interrupted) { error = Errno.Eintr; }
        if (error != Errno.None) { _counters.DumpsFailed++; }
        LastError = error;
        IsRunning = false;
        HandOver();
        _sink.OnDumpEnd(error);
    }
}
