using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Netlink;

namespace Conntrackd.Kernel;

/// <summary>From the bytes of a part of a dump to the calls of the sink; no socket.</summary>
internal sealed class DumpIntake(
    IKernelSink sink, IExpectationSink? expectationSink, KernelCounters counters)
{
    private readonly FlowRing _ahead = new();
    private Expectation _expectation;

    /// <summary>
    /// The kernel said that the table changed meanwhile; cleared by who starts a dump.
    /// </summary>
    internal bool IsInterrupted { get; set; }

    /// <summary>
    /// Hands over the records of one part. True if the dump is over, with how it ended; messages
    /// that answer another request are passed over.
    /// </summary>
    internal bool TakePart(ReadOnlySpan<byte> part, uint sequence, out Errno end)
    {
        bool ended = false;
        end = Errno.None;
        MessageReader messages = new(part);
        while (!ended && messages.TryNext(out NetlinkMessage message))
        {
            if (message.Sequence != sequence) { continue; } // of a dump given up earlier
            IsInterrupted |= (message.Flags & NetlinkFlags.DumpInterrupted) != 0;
            switch (message.Type)
            {
                // A number: 0, or the negative errno that ended the dump early.
                case NetlinkMessage.TypeDone:
                    ended = true;
                    end = ReadDone(message.Payload);
                    break;

                // The request was refused; nothing else follows.
                case NetlinkMessage.TypeError:
                    ended = true;
                    end = ErrorMessage.TryRead(message, out int code, out _)
                        ? (Errno)code
                        : Errno.Eproto;
                    break;

                default:
                    TakeRecord(message);
                    break;
            }
        }
        HandOver();
        if (messages.Malformed) { counters.DumpMalformed++; }
        return ended;
    }

    /// <summary>
    /// Hands over the answer to a get. True if it is complete, with its result.
    /// </summary>
    internal bool TakeAnswer(ReadOnlySpan<byte> datagram, uint sequence, out Errno result)
    {
        result = Errno.None;
        MessageReader messages = new(datagram);
        while (messages.TryNext(out NetlinkMessage message))
        {
            if (message.Sequence != sequence) { continue; }
            if (ErrorMessage.TryRead(message, out int code, out _))
            {
                result = (Errno)code;
                return true;
            }
            TakeRecord(message);
            HandOver();
        }
        return false;
    }

    /// <summary>True if <see cref="TakePart"/> will find the end in this part.</summary>
    internal static bool HasEnd(ReadOnlySpan<byte> part, uint sequence)
    {
        MessageReader messages = new(part);
        while (messages.TryNext(out NetlinkMessage message))
        {
            bool ends = message.Type is NetlinkMessage.TypeDone or NetlinkMessage.TypeError;
            if (ends && message.Sequence == sequence) { return true; }
        }
        return false;
    }

    private void HandOver()
    {
        while (!_ahead.IsEmpty) { sink.OnDumpRecord(ref _ahead.Pop().Flow); }
    }

    private void TakeRecord(in NetlinkMessage message)
    {
        DecodeError error = DecodeError.None;
        switch (message.Type)
        {
            // Every record of a dump, and the answer to a get, has the type of a new entry.
            case CtMessage.New:
                if (_ahead.IsFull) { sink.OnDumpRecord(ref _ahead.Pop().Flow); }
                ref Flow flow = ref _ahead.Next.Flow;
                error = FlowDecoder.Decode(message.Payload, ref flow);
                if (error != DecodeError.None) { break; }
                sink.Expect(in flow);
                _ahead.Push();
                break;

            case CtMessage.ExpectNew when expectationSink != null:
                error = ExpectationDecoder.Decode(message.Payload, ref _expectation);
                if (error == DecodeError.None)
                {
                    expectationSink.OnExpectationRecord(ref _expectation);
                }
                break;

            default:
                counters.DumpUnknownType++;
                break;
        }
        if (error != DecodeError.None) { counters.DumpMalformed++; }
    }

    private static Errno ReadDone(ReadOnlySpan<byte> payload)
    {
        int code = payload.Length < sizeof(int) ? 0 : BitConverter.ToInt32(payload);
        return code < 0 ? (Errno)(-code) : Errno.None;
    }
}
