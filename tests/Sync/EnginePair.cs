using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Sync;

/// <summary>Two engines of our own kind on a link that the test may cut.</summary>
internal sealed class EnginePair : IDisposable
{
    private readonly byte[] _buffer = new byte[1471];
    private readonly Side[] _sides;

    private readonly int _ackWindow;

    internal EnginePair(uint externalMax = 10_000, int ackWindow = 10)
    {
        _ackWindow = ackWindow;
        _sides = [new Side(0, Now, 10_000, ackWindow), new Side(1, Now, externalMax, ackWindow)];
    }

    internal Side this[int number] => _sides[number];

    internal long Now { get; private set; } = SyncEngine.Second;

    /// <summary>Told of each datagram; true loses it.</summary>
    internal Func<int, byte[], bool> Loses { get; set; } = static (_, _) => false;

    /// <summary>Datagrams that left a side, lost ones too.</summary>
    internal int Datagrams { get; set; }

    /// <summary>Types and flags of all messages that left a side.</summary>
    internal List<(int From, SyncHeader Header)> Seen { get; } = [];

    /// <summary>A side starts anew, with the same port and a number that is lower.</summary>
    internal void Restart(int number)
    {
        Side old = _sides[number];
        _sides[number] = new Side(number, Now, 10_000, _ackWindow, old.Starts + 1);
        old.Dispose();
    }

    internal void Pass(long microseconds)
    {
        long until = Now + microseconds;
        while (Now < until)
        {
            foreach (Side side in _sides)
            {
                side.Engine.OnDeadline(Now);
                while (side.Engine.Step()) { }
                Send(side);
            }
            long next = Math.Min(
                _sides[0].Engine.NextDeadline(Now), _sides[1].Engine.NextDeadline(Now));
            bool wants = _sides[0].Engine.WantsTurn || _sides[1].Engine.WantsTurn;
            Now = wants ? Now + 20 : Math.Min(until, Math.Min(next, Now + 1000));
        }
    }

    public void Dispose()
    {
        foreach (Side side in _sides) { side.Dispose(); }
    }

    private void Send(Side side)
    {
        while (side.Engine.TryTakeDatagram(_buffer, Now, out int length))
        {
            Datagrams++;
            byte[] bytes = _buffer.AsSpan(0, length).ToArray();
            var reader = new SyncMessageReader(bytes, new ReceiveCounters());
            while (reader.TryNext(out SyncMessage message))
            {
                Seen.Add((side.Number, message.Header));
            }
            if (Loses(side.Number, bytes)) { continue; }
            _sides[1 - side.Number].Engine.OnDatagram(side.Address, bytes, Now);
        }
    }

    /// <summary>One node.</summary>
    internal sealed class Side : IDisposable
    {
        internal Side(int number, long now, uint externalMax, int ackWindow, uint starts = 0)
        {
            Number = number;
            Starts = starts;
            External = new FlowTable(externalMax, 2);
            Engine = new SyncEngine(
                new SyncSettings(
                    SyncMode.Ftfw, 10_000, ackWindow, true, false, 5000 - (100 * starts))
                {
                    Incarnation = 1 + (ulong)number + (10 * starts),
                },
                Internal, External, null, now);
        }

        internal int Number { get; }

        internal uint Starts { get; }

        internal PeerAddress Address =>
            new(AddressFamily.Ipv4, new Address(0, 0xC0A8_0001 + (uint)Number), 40000);

        internal FlowTable Internal { get; } = new(10_000, 1);

        internal FlowTable External { get; }

        internal SyncEngine Engine { get; }

        /// <summary>What this side knows of the other.</summary>
        internal Peer Other => Engine.Peers[0]!;

        public void Dispose()
        {
            Internal.Dispose();
            External.Dispose();
        }
    }
}
