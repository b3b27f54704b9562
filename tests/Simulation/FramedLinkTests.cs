using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Tests.Sync;
using Conntrackd.Tests.Wire;
using Conntrackd.Transport;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// Two engines on a link with frames, and somebody in the middle who loses, repeats, holds back
/// and turns bits, sends recordings of former runs, and forges; all from one seed.
/// </summary>
/// <remarks>
/// What must hold: no frame gives messages that its sender did not put into a frame; sealed, no
/// frame gives them twice; in the end the peer's cache is equal.
/// </remarks>
public sealed class FramedLinkTests
{
    private const int Seeds = 150, Keys = 200, RecordedMax = 2_000;
    private const long Millisecond = 1000, Second = 1000 * Millisecond;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_but_the_peers_messages_reaches_a_cache_and_all_of_them_do(bool isSealed)
    {
        string? one = Environment.GetEnvironmentVariable("CONNTRACKD_SEED");
        int first = one is null ? 1 : int.Parse(one);
        for (int seed = first; seed < first + (one is null ? Seeds : 1); seed++)
        {
            using var link = new Link(seed, isSealed);
            link.Run();
        }
    }

    /// <summary>Two nodes; flows are made on the first, the second one may start anew.</summary>
    private sealed class Link : IDisposable
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly bool _isSealed;
        private readonly EngineDesk[] _desks = new EngineDesk[2];
        private readonly IFraming[] _framings = new IFraming[2];
        private readonly LinkCipher?[] _ciphers = new LinkCipher?[2];
        private readonly ushort[] _ports = new ushort[2];
        private readonly PriorityQueue<(int To, ushort Port, byte[] Bytes), long> _wire = new();
        private readonly List<byte[]> _recorded = [];
        private readonly HashSet<string> _sent = [];
        private readonly HashSet<string> _read = [];
        private readonly byte[] _room = new byte[1471];
        private readonly uint?[] _marks = new uint?[Keys];
        private long _now = Second;
        private bool _isHostile = true;
        private int _refused;           // frames, whoever started anew meanwhile

        internal Link(int seed, bool isSealed)
        {
            _seed = seed;
            _random = new Random(seed);
            _isSealed = isSealed;
            Assert.True(Sodium.TryStart());
            Start(0);
            Start(1);
        }

        internal void Run()
        {
            long busyUntil = _now + (6 * Second);
            while (_now < busyUntil)
            {
                ChangeSome();
                if (_random.Next(400) == 0) { Start(1); }
                Turn();
            }
            _isHostile = false;
            for (long until = _now + (45 * Second); _now < until;) { Turn(); }
            uint alive = (uint)_marks.Count(mark => mark is not null);
            Assert.True(alive == _desks[1].External.Count, Say(
                $"{alive} flows, {_desks[1].External.Count} at the peer"));
            Flow loaded = default;
            for (int key = 0; key < Keys; key++)
            {
                if (_marks[key] is not uint mark) { continue; }
                uint handle = _desks[1].External.Find(FlowTableTests.MakeFlow(key, mark));
                Assert.True(handle != 0, Say($"flow {key} is missing"));
                _desks[1].External.Load(handle, ref loaded);
                Assert.True(mark == loaded.Mark, Say($"flow {key} differs"));
            }
            Assert.True(_refused > 0, Say("nobody was hostile"));
        }

        public void Dispose()
        {
            for (int node = 0; node < 2; node++)
            {
                _desks[node].Dispose();
                _ciphers[node]?.Dispose();
            }
        }

        private string Say(string what) => $"CONNTRACKD_SEED={_seed}: {what}";

        private void Start(int node)
        {
            _desks[node]?.Dispose();
            _ciphers[node]?.Dispose();
            var settings = new SyncSettings(
                SyncMode.Ftfw, 1000, 20, true, false, EngineDesk.FirstSequence)
            {
                Incarnation = (ulong)_random.NextInt64() | 1,
            };
            _desks[node] = new EngineDesk(settings) { Now = _now };
            _ports[node] = (ushort)_random.Next(1024, 65536);
            if (!_isSealed)
            {
                _framings[node] = new ChecksumFraming();
                return;
            }
            byte[] draw = new byte[10];
            _random.NextBytes(draw);
            var self = Incarnation.Of((ushort)(node + 1), draw);
            _ciphers[node] = new LinkCipher(SealDesk.Ring((1, SealDesk.KeyOne, true)));
            _framings[node] = new SealedFraming(_ciphers[node]!, in self, _now);
        }

        private void ChangeSome()
        {
            for (int count = _random.Next(4); count > 0; count--)
            {
                int key = _random.Next(Keys);
                uint mark = (uint)_random.Next(1, 1000);
                FlowEventKind kind = _marks[key] is null ? FlowEventKind.New
                    : _random.Next(3) == 0 ? FlowEventKind.Destroy : FlowEventKind.Update;
                Flow flow = FlowTableTests.MakeFlow(key, mark);
                _desks[0].Engine.OnEvent(kind, ref flow, announce: true, _now);
                _marks[key] = kind == FlowEventKind.Destroy ? null : mark;
            }
        }

        private void Turn()
        {
            for (int node = 0; node < 2; node++)
            {
                EngineDesk desk = _desks[node];
                desk.Now = _now;
                desk.Engine.OnDeadline(_now);
                while (desk.Engine.Step()) { }
                Send(node);
            }
            if (_isHostile && _recorded.Count > 0 && _random.Next(3) == 0) { Attack(); }
            while (_wire.TryPeek(out var next, out long at) && at <= _now)
            {
                _wire.Dequeue();
                Deliver(next.To, next.Port, next.Bytes);
            }
            _now += 5 * Millisecond;
        }

        private void Send(int node)
        {
            IFraming framing = _framings[node];
            if (framing is SealedFraming sealing)
            {
                if (_now >= sealing.NextBeacon)
                {
                    sealing.BeginBeacon(_now);
                    Put(1 - node, _room[..sealing.WriteBeacon(_room, _now)]);
                }
                if (sealing.IsHeld(_now)) { return; }
            }
            int burst = 64, head = framing.HeadBytes;
            Span<byte> messages =
                _room.AsSpan(head, _room.Length - framing.OverheadBytes);
            while (burst-- > 0
                && _desks[node].Engine.TryTakeDatagram(messages, _now, out int length))
            {
                _sent.Add(Convert.ToHexString(messages[..length]));
                Put(1 - node, _room[..framing.Wrap(_room, length)]);
            }
        }

        private void Put(int to, byte[] frame)
        {
            if (_recorded.Count < RecordedMax) { _recorded.Add(frame); }
            int chance = _isHostile ? _random.Next(100) : 50;
            int copies = chance < 8 ? 0 : chance < 14 ? 2 : 1;
            while (copies-- > 0)
            {
                bool turns = _isHostile && _random.Next(12) == 0;
                long delay = _isHostile ? _random.Next(20_000) : 100;
                _wire.Enqueue(
                    (to, _ports[1 - to], turns ? Turned(frame) : frame), _now + delay);
            }
        }

        // A digest keeps nobody from sending it again: there, only damage.
        private void Attack()
        {
            byte[] frame = _recorded[_random.Next(_recorded.Count)];
            byte[] sent = _random.Next(4) switch
            {
                0 when _isSealed => frame,
                1 => frame[.._random.Next(frame.Length)],
                2 => [.. frame, (byte)_random.Next(256)],
                _ => Turned(frame),
            };
            int to = _random.Next(2);
            _wire.Enqueue((to, _ports[1 - to], sent), _now + 1);
        }

        private byte[] Turned(byte[] frame)
        {
            byte[] copy = [.. frame];
            copy[_random.Next(copy.Length)] ^= (byte)(1 << _random.Next(8));
            return copy;
        }

        private void Deliver(int to, ushort port, byte[] frame)
        {
            PeerAddress from = SealDesk.Address(1 - to) with { Port = port };
            FrameVerdict verdict = _framings[to].Unwrap(
                frame, _now, ref from, out ReadOnlySpan<byte> messages);
            if (verdict > FrameVerdict.Beacon) { _refused++; }
            if (verdict != FrameVerdict.Messages) { return; }
            Assert.True(_sent.Contains(Convert.ToHexString(messages)), Say("forged messages"));
            bool first = _read.Add(Convert.ToHexString(frame));
            Assert.True(first || !_isSealed, Say("a frame was read twice"));
            _desks[to].Engine.OnDatagram(in from, messages, _now);
        }
    }
}
