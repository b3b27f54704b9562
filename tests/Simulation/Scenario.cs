using System.Collections.Generic;
using System.Text;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Simulation;

/// <summary>A few nodes that do what a text says, and a transcript of what they send.</summary>
/// <remarks><code>
/// nodes N [original I]     FTFW; node I speaks as the original
/// new|update|destroy I K   event of flow K at node I
/// lose I | heal            what I sends gets lost from now on; no more
/// advance N                milliseconds
/// restart I | bulk I | resync I
/// show                     what each node holds
/// </code></remarks>
internal sealed class Scenario : IDisposable
{
    private const int Payload = 1471;

    private readonly List<Node> _nodes = [];
    private readonly StringBuilder _transcript = new();
    private long _now = SyncEngine.Second;

    /// <summary>Does one line of the text; what happened is appended to the transcript.</summary>
    internal void Do(string line)
    {
        string[] words = line.Split(' ');
        int number = words.Length > 1 ? int.Parse(words[1]) : 0;
        switch (words[0])
        {
            case "nodes":
                int original = words.Length > 3 ? int.Parse(words[3]) : -1;
                for (int i = 0; i < number; i++) { _nodes.Add(new Node(i, i == original, _now)); }
                break;
            case "new": Tell(number, FlowEventKind.New, int.Parse(words[2])); break;
            case "update": Tell(number, FlowEventKind.Update, int.Parse(words[2])); break;
            case "destroy": Tell(number, FlowEventKind.Destroy, int.Parse(words[2])); break;
            case "lose": _nodes[number].IsCut = true; break;
            case "heal": _nodes.ForEach(node => node.IsCut = false); break;
            case "advance": Advance(number); break;
            case "restart": _nodes[number].Start(_now); break;
            case "bulk": _nodes[number].Engine.RequestBulk(); break;
            case "resync": _nodes[number].Engine.RequestResync(); break;
            case "show": Show(); break;
            default: throw new ArgumentException($"scenario: '{line}' is no command");
        }
    }

    /// <summary>The transcript since the last call.</summary>
    internal string TakeTranscript()
    {
        string text = _transcript.ToString();
        _transcript.Clear();
        return text;
    }

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    private void Tell(int number, FlowEventKind kind, int key)
    {
        Flow flow = FlowTableTests.MakeFlow(key, (uint)_nodes[number].Events++);
        _nodes[number].Engine.OnEvent(kind, ref flow, announce: true, _now);
    }

    private void Advance(long milliseconds)
    {
        long until = _now + (milliseconds * 1000);
        byte[] buffer = new byte[Payload];
        while (_now < until)
        {
            long next = until;
            foreach (Node node in _nodes)
            {
                node.Engine.OnDeadline(_now);
                while (node.Engine.Step()) { }
                while (node.Engine.TryTakeDatagram(buffer, _now, out int length))
                {
                    Carry(node, buffer.AsSpan(0, length));
                }
                next = Math.Min(next, node.Engine.WantsTurn ? _now + 20
                    : node.Engine.NextDeadline(_now));
            }
            _now = Math.Max(_now + 1, next);
        }
    }

    private void Carry(Node from, ReadOnlySpan<byte> datagram)
    {
        _transcript.Append($"{(_now - SyncEngine.Second) / 1000,6} ms  node {from.Number}:");
        var reader = new SyncMessageReader(datagram, new ReceiveCounters());
        while (reader.TryNext(out SyncMessage message)) { Describe(in message); }
        _transcript.Append(from.IsCut ? "  (lost)\n" : "\n");
        if (from.IsCut) { return; }
        foreach (Node node in _nodes)
        {
            if (node != from) { node.Engine.OnDatagram(from.Address, datagram, _now); }
        }
    }

    private void Describe(in SyncMessage message)
    {
        SyncHeader header = message.Header;
        _transcript.Append($"  {header.Sequence}");
        if (header.Type != SyncType.Control)
        {
            _transcript.Append(header.Type switch
            {
                SyncType.FlowNew => " new",
                SyncType.FlowUpdate => " update",
                _ => " destroy",
            });
        }
        else if (header.Class == SyncClass.Alive) { DescribeBody(message.Body); }
        else
        {
            _transcript.Append($" {header.Class.ToString().ToLowerInvariant()}");
            if (header.Class != SyncClass.Resync)
            {
                _transcript.Append($" {message.From}-{message.To}");
            }
        }
        if ((header.Flags & SyncFlags.Hello) != 0) { _transcript.Append(" +hello"); }
        if ((header.Flags & SyncFlags.HelloBack) != 0) { _transcript.Append(" +back"); }
    }

    private void DescribeBody(ReadOnlySpan<byte> body)
    {
        _transcript.Append(" alive");
        while (AliveBody.TryNext(ref body, out AliveAttribute attribute, out var value))
        {
            if (attribute == AliveAttribute.Node && AliveNode.TryRead(value, out AliveNode node))
            {
                _transcript.Append($" i{node.Incarnation}{(node.Flags != 0 ? " poll" : "")}");
            }
            else if (attribute == AliveAttribute.Report &&
                AliveReport.TryRead(value, out AliveReport report, out var ranges))
            {
                _transcript.Append($" [i{report.Target} {report.First}-{report.Through}");
                while (AliveReport.TryNextRange(ref ranges, out uint from, out uint to))
                {
                    _transcript.Append($" lacks {from}-{to}");
                }
                _transcript.Append(']');
            }
            else if (AliveBody.TryReadBegin(value, out uint bulk))
            {
                _transcript.Append($" bulk {bulk}");
            }
            else if (AliveBody.TryReadEnd(value, out bulk, out uint flows))
            {
                _transcript.Append($" end of bulk {bulk}, {flows} flows");
            }
        }
    }

    private void Show()
    {
        foreach (Node node in _nodes)
        {
            _transcript.Append($"node {node.Number}: own {node.Internal.Counters.Active}, of " +
                $"others {node.External.Count}, waits for {node.Engine.Ring.Count}, restarts " +
                $"seen {node.Engine.Counters.PeerRestarts}\n");
        }
    }

    /// <summary>An engine and its tables; its numbers begin at 1000, 2000, 3000.</summary>
    private sealed class Node : IDisposable
    {
        private readonly bool _isOriginal;
        private uint _starts;

        internal Node(int number, bool isOriginal, long now)
        {
            Number = number;
            _isOriginal = isOriginal;
            Start(now);
        }

        internal int Number { get; }

        internal int Events { get; set; }

        internal bool IsCut { get; set; }

        internal PeerAddress Address =>
            new(AddressFamily.Ipv4, new Address(0, 0xC0A8_0001 + (uint)Number), 40000);

        internal FlowTable Internal { get; private set; } = null!;

        internal FlowTable External { get; private set; } = null!;

        internal SyncEngine Engine { get; private set; } = null!;

        // Empty tables, the same port, and a number below the ones before.
        internal void Start(long now)
        {
            Dispose();
            Internal = new FlowTable(1000, 1);
            External = new FlowTable(1000, 2);
            uint first = (1000 * (uint)(Number + 1)) - (50 * _starts);
            ulong incarnation = (ulong)((Number + 1) * 10) + _starts++;
            Engine = new SyncEngine(
                new SyncSettings(SyncMode.Ftfw, 1000, 10, true, false, first)
                {
                    Incarnation = _isOriginal ? 0 : incarnation,
                },
                Internal, External, null, now);
        }

        public void Dispose()
        {
            Internal?.Dispose();
            External?.Dispose();
        }
    }
}
