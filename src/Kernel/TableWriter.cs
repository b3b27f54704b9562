using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Netlink;

namespace Conntrackd.Kernel;

/// <summary>Changes the kernel's table, many requests at a time.</summary>
/// <remarks>
/// Add… returns false if the batch is full: <see cref="Flush"/> and add again. The kernel executes
/// a batch in order before the send returns; an error in one request does not stop the others. Only
/// the last message is acknowledged, so that a batch without errors costs two calls. Source: shared
/// spec ctnetlink, sections 5 and 6.4.
/// <code>
/// Add… -> filling        Flush: swap, send, read answers -> results to the sink
///         flushing  &lt;-          (requests added by the sink go to the filling one)
///
/// Add… -> filling        Begin: to the thread of WriteBehind, which sends and reads answers
///                        End:   wait for the oldest one -> results to the sink
/// </code></remarks>
internal sealed class TableWriter : IDisposable
{
    /// <summary>
    /// Every message may be refused, and each answer is charged 832 bytes: 384 take 320 kB. The
    /// kernel doubles what it is asked.
    /// </summary>
    private const int ReceiveBufferBytes = 512 * 1024;

    private const int AnswerSlots = 64, AnswerSlotBytes = 256;

    /// <summary>
    /// The answers are there when send returns; waiting once covers what is not known.
    /// </summary>
    private const int AnswerTimeoutMilliseconds = 200;

    private readonly int _fd;
    private readonly ITableResultSink _sink;
    private readonly KernelCounters _counters;
    private readonly ReceiveBatch _answers = new(AnswerSlots, AnswerSlotBytes);
    private readonly RequestBatch?[] _spare = new RequestBatch?[WriteBehind.BatchesMax + 1];
    private RequestBatch _filling = new();
    private int _spares;
    private WriteBehind? _behind;
    private uint _sequence = 1;
    private bool _inFlush;

    private TableWriter(int fd, uint portId, ITableResultSink sink, KernelCounters counters)
    {
        _fd = fd;
        PortId = portId;
        _sink = sink;
        _counters = counters;
        _spare[0] = new RequestBatch();
        _spares = 1;
        _filling.Start(_sequence);
    }

    /// <summary>
    /// Events caused by this writer carry it; give it to EventSource.AddRequester.
    /// </summary>
    internal uint PortId { get; }

    /// <summary>Requests added and not yet flushed.</summary>
    internal int Pending => _filling.Requests;

    internal static Errno TryOpen(
        ITableResultSink sink, KernelCounters counters, out TableWriter? writer)
    {
        writer = null;
        Errno error = NetlinkSocket.Open(NetlinkSocket.Netfilter, out int fd, out uint portId);
        if (error != Errno.None) { return error; }
        error = Libc.SetOption(fd, SocketOption.NetlinkCapAck, 1);
        if (error == Errno.None)
        {
            error = Libc.SetBuffer(
                fd, SocketOption.ReceiveBufferForce, SocketOption.ReceiveBuffer,
                ReceiveBufferBytes, out _);
        }
        if (error != Errno.None)
        {
            Libc.Close(fd);
            return error;
        }
        writer = new TableWriter(fd, portId, sink, counters);
        return Errno.None;
    }

    /// <summary>Creates a flow; Eexist if one of its tuples is taken.</summary>
    internal bool AddCreate(int token, in Flow flow, in CreateOptions options)
    {
        if (_filling.IsFull(1)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = FlowEncoder.EncodeCreate(
            ref writer, flow, _sequence, NetlinkFlags.None, options);
        return fits && Keep(token, 1, writer.Length, writer.Length);
    }

    /// <summary>Changes a flow; Enoent if it is not there.</summary>
    internal bool AddUpdate(int token, in Flow flow, in CreateOptions options)
    {
        if (_filling.IsFull(1)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = FlowEncoder.EncodeUpdate(
            ref writer, flow, _sequence, NetlinkFlags.None, options);
        return fits && Keep(token, 1, writer.Length, writer.Length);
    }

    /// <summary>
    /// Deletes what has the flow's original tuple and what has its reply tuple, as far as there is
    /// something, and creates the flow.
    /// </summary>
    internal bool AddReplace(int token, in Flow flow, in CreateOptions options)
    {
        const int MessageCount = 3;
        if (_filling.IsFull(MessageCount)) { return false; }
        bool hasReply = flow.TryGetTranslatedReply(out FlowTuple reply);
        MessageWriter writer = new(_filling.Room);
        uint sequence = _sequence;
        bool fits = FlowEncoder.EncodeDelete(ref writer, flow, sequence++, NetlinkFlags.None);
        if (fits && hasReply)
        {
            fits = FlowEncoder.EncodeDeleteByTuple(
                ref writer, flow.Family, flow.Protocol, reply, flow.KeyZone, flow.KeyZone != 0,
                sequence++, NetlinkFlags.None);
        }
        int before = writer.Length;
        fits = fits && FlowEncoder.EncodeCreate(
            ref writer, flow, sequence++, NetlinkFlags.None, options);
        return fits && Keep(
            token, (int)(sequence - _sequence), writer.Length, writer.Length - before,
            Errno.Enoent);
    }

    /// <summary>Deletes a flow by its original tuple and zone; Enoent if it is not there.</summary>
    internal bool AddDelete(int token, in Flow flow)
    {
        if (_filling.IsFull(1)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = FlowEncoder.EncodeDelete(ref writer, flow, _sequence, NetlinkFlags.None);
        return fits && Keep(token, 1, writer.Length, writer.Length);
    }

    /// <summary>
    /// Creates an expectation, or keeps the one that is there, and sets its timeout (a create alone
    /// takes that of the helper). Enoent without its master, Eopnotsupp if that has no helper.
    /// </summary>
    internal bool AddExpectation(int token, in Expectation expectation, uint timeoutSeconds)
    {
        const int MessageCount = 2;
        if (_filling.IsFull(MessageCount)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = ExpectationEncoder.EncodeCreate(
            ref writer, expectation, _sequence, NetlinkFlags.None, timeoutSeconds);
        int before = writer.Length;
        fits = fits && ExpectationEncoder.EncodeUpdate(
            ref writer, expectation, _sequence + 1, NetlinkFlags.None, timeoutSeconds);
        return fits && Keep(
            token, MessageCount, writer.Length, writer.Length - before, Errno.Eexist);
    }

    /// <summary>Deletes an expectation by its tuple and zone; Enoent if it is not there.</summary>
    internal bool AddExpectationDelete(int token, in Expectation expectation)
    {
        if (_filling.IsFull(1)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = ExpectationEncoder.EncodeDelete(
            ref writer, expectation, _sequence, NetlinkFlags.None);
        return fits && Keep(token, 1, writer.Length, writer.Length);
    }

    /// <summary>Deletes all expectations.</summary>
    internal bool AddExpectationFlush(int token)
    {
        if (_filling.IsFull(1)) { return false; }
        MessageWriter writer = new(_filling.Room);
        bool fits = FlowEncoder.EncodeFlushExpect(ref writer, _sequence, NetlinkFlags.None);
        return fits && Keep(token, 1, writer.Length, writer.Length);
    }

    /// <summary>
    /// Sends what was added, reads every answer and reports every request. Does nothing within a
    /// report. Nothing is in flight.
    /// </summary>
    internal void Flush()
    {
        if (_inFlush || _filling.Requests == 0) { return; }
        RequestBatch batch = TakeFilled();
        Execute(batch);
        Report(batch);
    }

    /// <summary>True between <see cref="TryStartBehind"/> and <see cref="StopBehind"/>.</summary>
    internal bool IsBehind => _behind is not null;

    /// <summary>Batches between <see cref="Begin"/> and <see cref="End"/>.</summary>
    internal int InFlight => _behind?.InFlight ?? 0;

    /// <summary>
    /// Starts the thread for <see cref="Begin"/>. False if the system has no room for one.
    /// </summary>
    internal bool TryStartBehind()
    {
        _behind ??= WriteBehind.TryStart(Execute);
        return _behind is not null;
    }

    /// <summary>
    /// Has what was added executed on the thread; less than <see cref="WriteBehind.BatchesMax"/>
    /// batches are in flight.
    /// </summary>
    internal void Begin() => _behind!.Give(TakeFilled());

    /// <summary>Waits for the oldest batch in flight and reports its requests.</summary>
    internal void End() => Report(_behind!.Await());

    /// <summary>Ends the thread; nothing is in flight.</summary>
    internal void StopBehind()
    {
        _behind?.Dispose();
        _behind = null;
        while (_spares > 1) { _spare[--_spares]!.Dispose(); }
    }

    public void Dispose()
    {
        while (InFlight != 0) { _spare[_spares++] = _behind!.Await(); }
        StopBehind();
        Libc.Close(_fd);
        _answers.Dispose();
        _filling.Dispose();
        _spare[0]!.Dispose();
    }

    private RequestBatch TakeFilled()
    {
        RequestBatch batch = _filling;
        _filling = _spares == 0 ? new RequestBatch() : _spare[--_spares]!;
        _filling.Start(_sequence);
        batch.RequestAcknowledgement();
        return batch;
    }

    private void Report(RequestBatch batch)
    {
        _counters.AnswersLost += batch.AnswersLost;
        _counters.AnswersUnknown += batch.AnswersUnknown;
        _inFlush = true;
        batch.Report(_sink);
        _inFlush = false;
        _spare[_spares++] = batch;
    }

    // On the thread of WriteBehind, if there is one: touches the batch, the socket, the answers.
    private void Execute(RequestBatch batch)
    {
        Errno error = NetlinkSocket.Send(_fd, batch.Written);
        if (error == Errno.None) { ReadAnswers(batch); }
        else { batch.Fail(error); }
    }

    private bool Keep(
        int token, int messages, int bytes, int lastBytes, Errno tolerated = Errno.None)
    {
        _filling.Keep(token, messages, bytes, lastBytes, tolerated);
        _sequence += (uint)messages;
        return true;
    }

    private void ReadAnswers(RequestBatch batch)
    {
        bool lost = false;
        bool waited = false;
        while (true)
        {
            Errno error = _answers.Receive(_fd, AnswerSlots, out int count);
            if (error == Errno.None)
            {
                if (!TakeAnswers(batch, count)) { continue; }
                if (lost) { FailUnanswered(batch, Errno.Enobufs); }
                return;
            }
            if (error == Errno.Enobufs)
            {
                lost = true; // some answers did not fit; those that did are still to be read
                continue;
            }
            if (error == Errno.Eagain && !lost && !waited)
            {
                waited = true;
                if (Libc.WaitReadable(_fd, AnswerTimeoutMilliseconds) == Errno.None) { continue; }
            }
            if (error == Errno.Eagain) { error = lost ? Errno.Enobufs : Errno.Etimedout; }
            FailUnanswered(batch, error);
            return;
        }
    }

    private static void FailUnanswered(RequestBatch batch, Errno error)
    {
        batch.AnswersLost++;
        batch.Fail(error);
    }

    /// <summary>True if the answer to the last message is among them.</summary>
    private bool TakeAnswers(RequestBatch batch, int count)
    {
        bool finished = false;
        for (int i = 0; i < count; i++)
        {
            MessageReader messages = new(_answers.Datagram(i));
            while (messages.TryNext(out NetlinkMessage message))
            {
                if (!ErrorMessage.TryRead(message, out int code, out uint sequence)
                    || !NetlinkSocket.IsFromKernel(_answers.Source(i)))
                {
                    batch.AnswersUnknown++;
                    continue;
                }
                finished |= batch.TryFinish(sequence, (Errno)code, out bool known);
                if (!known) { batch.AnswersUnknown++; }
            }
        }
        return finished;
    }
}
