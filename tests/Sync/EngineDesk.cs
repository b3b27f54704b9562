using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Sync;

/// <summary>One engine under test and a pen for writing what its peer would send.</summary>
internal sealed class EngineDesk : IDisposable
{
    internal static readonly PeerAddress Peer =
        new(AddressFamily.Ipv4, new Address(0, 0xC0A8_0002), 40000);

    private readonly byte[] _buffer = new byte[1471];

    internal EngineDesk(SyncMode mode = SyncMode.Ftfw, int ackWindow = 10, int resendQueue = 1000)
        : this(new SyncSettings(mode, resendQueue, ackWindow, true, false, FirstSequence))
    {
    }

    internal EngineDesk(SyncSettings settings)
    {
        Internal = new FlowTable(10_000, 1);
        External = new FlowTable(10_000, 2);
        Engine = new SyncEngine(settings, Internal, External, null, Now);
    }

    /// <summary>An engine that says its incarnation and reads the bodies of ALIVE.</summary>
    internal static EngineDesk OfOwnKind() =>
        new(new SyncSettings(SyncMode.Ftfw, 1000, 10, true, false, FirstSequence)
        {
            Incarnation = 7,
        });

    internal const uint FirstSequence = 5000;

    internal long Now { get; set; } = SyncEngine.Second;

    internal SyncEngine Engine { get; }

    internal FlowTable Internal { get; }

    internal FlowTable External { get; }

    /// <summary>Everything the engine wants to send now, a header per message.</summary>
    internal List<Sent> Take()
    {
        var all = new List<Sent>();
        while (Engine.TryTakeDatagram(_buffer, Now, out int length))
        {
            var reader = new SyncMessageReader(_buffer.AsSpan(0, length), new ReceiveCounters());
            while (reader.TryNext(out SyncMessage message))
            {
                all.Add(new Sent(
                    message.Header.Type, message.Header.Flags, message.Header.Sequence,
                    message.From, message.To));
            }
        }
        return all;
    }

    /// <summary>
    /// Lets time pass as the loop would, deadline by deadline, and takes what is sent.
    /// </summary>
    internal List<Sent> Pass(long microseconds)
    {
        var all = new List<Sent>();
        long until = Now + microseconds;
        while (Now < until)
        {
            Now = Math.Min(until, Engine.NextDeadline(Now));
            Engine.OnDeadline(Now);
            while (Engine.Step()) { }
            all.AddRange(Take());
        }
        return all;
    }

    internal void Hear(SyncFlags flags, uint sequence, uint from = 0, uint to = 0)
    {
        Span<byte> message = stackalloc byte[16];
        SyncFlags ranges = SyncFlags.Ack | SyncFlags.Nack | SyncFlags.Resync;
        int length = (flags & ranges) != 0
            ? ControlMessage.WriteRange(message, flags, sequence, from, to)
            : ControlMessage.WriteAlive(message, flags, sequence, default);
        Engine.OnDatagram(in Peer, message[..length], Now);
    }

    /// <summary>An ALIVE with a body.</summary>
    internal void HearBody(ReadOnlySpan<byte> body)
    {
        Span<byte> message = stackalloc byte[SyncHeader.Size + 256];
        int length = ControlMessage.WriteAlive(message, SyncFlags.Alive, PeerNext++, body);
        Engine.OnDatagram(in Peer, message[..length], Now);
    }

    internal void HearFlow(SyncType type, uint sequence, in Flow flow, SyncFlags flags = 0)
    {
        Span<byte> message = stackalloc byte[FlowMessage.SizeMax];
        int length = FlowMessage.Encode(
            message, in flow, type, flags, sequence, new FlowMessageOptions(true, false));
        Engine.OnDatagram(in Peer, message[..length], Now);
    }

    /// <summary>The handshake with a peer whose next sequence is 101.</summary>
    internal void Greet()
    {
        Take();
        Hear(SyncFlags.Alive | SyncFlags.Hello | SyncFlags.HelloBack, 99);
        Now += SyncEngine.Second / 5;
        Take();
        Hear(SyncFlags.Alive, 100);
        Now += SyncEngine.Second / 5;
        Take();
        Acknowledge();
        Take();
    }

    /// <summary>The peer acknowledges all that was sent; its own sequence goes on.</summary>
    internal void Acknowledge() =>
        Hear(SyncFlags.Ack, PeerNext++, FirstSequence, Engine.Ring.Next - 1);

    internal uint PeerNext { get; set; } = 101;

    public void Dispose()
    {
        Internal.Dispose();
        External.Dispose();
    }

    internal readonly record struct Sent(
        SyncType Type, SyncFlags Flags, uint Sequence, uint From, uint To);
}
