using Conntrackd.Conntrack;
using Conntrackd.Netlink;

namespace Conntrackd.Kernel;

/// <summary>From the bytes of an event datagram to the calls of the sink; no socket.</summary>
/// <remarks>
/// Law of the place: reading allocates nothing. Flows wait in a short ring between decoding and
/// handing over, so that the sink can fetch what it will look at; <see cref="HandOver"/> empties
/// it.
/// </remarks>
internal sealed class EventIntake(
    IKernelSink sink, IExpectationSink? expectationSink, KernelCounters counters)
{
    private const int OriginShift = 8;
    private const int RequestersMax = 8;

    private readonly (uint PortId, EventOrigin Origin)[] _requesters =
        new (uint, EventOrigin)[RequestersMax];

    private readonly FlowRing _ahead = new();
    private int _requesterCount;
    private Expectation _expectation;

    /// <summary>Events caused through the socket with this port id are ours.</summary>
    internal void AddRequester(uint portId, EventOrigin origin)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(_requesterCount, RequestersMax);
        _requesters[_requesterCount++] = (portId, origin);
    }

    /// <summary>One datagram; its flows may still wait for <see cref="HandOver"/>.</summary>
    internal void Take(ReadOnlySpan<byte> datagram)
    {
        MessageReader messages = new(datagram);
        while (messages.TryNext(out NetlinkMessage message)) { Take(message); }
        if (messages.Malformed) { counters.EventsMalformed++; }
    }

    /// <summary>Gives the sink all that was taken.</summary>
    internal void HandOver()
    {
        while (!_ahead.IsEmpty) { HandOverOldest(); }
    }

    private void Take(in NetlinkMessage message)
    {
        switch (message.Type)
        {
            // An entry appeared (CREATE and EXCL are set), or some of its properties changed.
            case CtMessage.New:
                TakeFlow(message, KindOf(message));
                break;

            // An entry has left the table: expired, deleted or flushed.
            case CtMessage.Delete:
                TakeFlow(message, FlowEventKind.Destroy);
                break;

            // A helper or a request announced a flow to come.
            case CtMessage.ExpectNew when expectationSink != null:
                TakeExpectation(message, KindOf(message));
                break;

            // The flow came, its master ended, the time was over, or a request asked for it.
            case CtMessage.ExpectDelete when expectationSink != null:
                TakeExpectation(message, FlowEventKind.Destroy);
                break;

            default:
                counters.EventsUnknownType++;
                break;
        }
    }

    private static FlowEventKind KindOf(in NetlinkMessage message) =>
        (message.Flags & NetlinkFlags.Create) != 0 ? FlowEventKind.New : FlowEventKind.Update;

    private void TakeFlow(in NetlinkMessage message, FlowEventKind kind)
    {
        counters.EventsReceived++;
        if (_ahead.IsFull) { HandOverOldest(); }
        ref FlowRing.Entry entry = ref _ahead.Next;
        if (FlowDecoder.Decode(message.Payload, ref entry.Flow) != DecodeError.None)
        {
            counters.EventsMalformed++;
            return;
        }
        entry.Tag = (byte)kind | ((ulong)OriginOf(message.PortId) << OriginShift);
        sink.Expect(in entry.Flow);
        _ahead.Push();
    }

    private void HandOverOldest()
    {
        ref FlowRing.Entry entry = ref _ahead.Pop();
        sink.OnEvent(
            (FlowEventKind)(byte)entry.Tag, ref entry.Flow,
            (EventOrigin)(entry.Tag >> OriginShift));
    }

    private void TakeExpectation(in NetlinkMessage message, FlowEventKind kind)
    {
        counters.EventsReceived++;
        HandOver();
        if (ExpectationDecoder.Decode(message.Payload, ref _expectation) != DecodeError.None)
        {
            counters.EventsMalformed++;
            return;
        }
        expectationSink!.OnExpectation(kind, ref _expectation, OriginOf(message.PortId));
    }

    private EventOrigin OriginOf(uint portId)
    {
        if (portId == 0) { return EventOrigin.Other; } // packets and timers: the usual case
        for (int i = 0; i < _requesterCount; i++)
        {
            if (_requesters[i].PortId == portId) { return _requesters[i].Origin; }
        }
        return EventOrigin.Other;
    }
}
