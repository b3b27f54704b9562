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
    private readonly DumpIntake _intake;
    private readonly KernelCounters _counters;
    private readonly NativeBuffer _buffer = new(BufferBytes);
    private readonly byte[] _request = new byte[RequestBytesMax];

    private uint _sequence;
    private Errno _failure;                     // why the running dump is incomplete

    private TableReader(
        int fd, IKernelSink sink, IExpectationSink? expectationSink, KernelCounters counters)
    {
        _fd = fd;
        _sink = sink;
        _intake = new DumpIntake(sink, expectationSink, counters);
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
            ReadOnlySpan<byte> part = _buffer.Span[..Math.Min(bytes, BufferBytes)];
            if (_intake.TakePart(part, _sequence, out error)) { End(error); }
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
                bool more = LastError == Errno.None && !TakeAnswer(_buffer.Span[..bytes]);
                if (more) { continue; }
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
        _intake.IsInterrupted = false;
        _failure = Errno.None;
        return error;
    }

    private bool TakeAnswer(ReadOnlySpan<byte> datagram)
    {
        bool ended = _intake.TakeAnswer(datagram, _sequence, out Errno result);
        if (ended) { LastError = result; }
        return ended;
    }

    private void End(Errno error)
    {
        if (error == Errno.None) { error = _failure; }
        if (error == Errno.None && _intake.IsInterrupted) { error = Errno.Eintr; }
        if (error != Errno.None) { _counters.DumpsFailed++; }
        LastError = error;
        IsRunning = false;
        _sink.OnDumpEnd(error);
    }
}
