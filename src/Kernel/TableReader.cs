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
    private const int RequestBytesMax = 256;

    // Some 3,000 flows: such a table is read sooner than a thread is started.
    private const int PartsAlone = 16;

    private readonly int _fd;
    private readonly IKernelSink _sink;
    private readonly DumpIntake _intake;
    private readonly KernelCounters _counters;
    private readonly NativeBuffer _buffer = new(DumpPart.BytesMax);
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
        for (int i = 0; i < partsMax && IsRunning; i++)
        {
            DumpPart part = DumpPart.Receive(_fd, _buffer.Span);
            if (part.Error == Errno.Eagain) { return false; }
            Take(in part, _buffer.Span[..part.Bytes]);
        }
        return IsRunning;
    }

    /// <summary>
    /// Reads the running dump to its end, for start-up; returns how it ended. A large table is
    /// received on a second thread meanwhile, if there is room for one.
    /// </summary>
    internal Errno RunToEnd()
    {
        Read(PartsAlone);
        if (!IsRunning) { return LastError; }
        using DumpAhead? ahead = DumpAhead.TryStart(_fd, _sequence);
        while (IsRunning)
        {
            if (ahead is not null)
            {
                DumpPart part = ahead.Next(out ReadOnlySpan<byte> bytes);
                if (part.Error == Errno.Etimedout) { End(part.Error); }
                else { Take(in part, bytes); }
                ahead.Release();
                continue;
            }
            Errno error = Libc.WaitReadable(_fd, DumpPart.TimeoutMilliseconds);
            if (error == Errno.None) { Read(PartsAlone); }
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
            LastError = Libc.WaitReadable(_fd, DumpPart.TimeoutMilliseconds);
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

    private void Take(in DumpPart part, ReadOnlySpan<byte> bytes)
    {
        if (part.IsForeign) { _counters.DatagramsForeign++; }
        if (part.Error != Errno.None) { _failure = part.Error; }
        if (bytes.IsEmpty) { return; }
        if (_intake.TakePart(bytes, _sequence, out Errno error)) { End(error); }
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
