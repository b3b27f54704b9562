using System.Collections.Generic;
using System.Linq;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Simulation;

/// <summary>One firewall: a model kernel, the real engine and its two caches.</summary>
internal sealed class ModelNode : IDisposable
{
    internal const uint RefreshSeconds = 4, CacheTimeoutSeconds = 15;

    private readonly SyncMode _mode;
    private readonly Random _random;
    private readonly Func<long, uint> _firstSequence;
    private readonly int _ackWindow;
    private readonly int _resendQueue;
    private List<int>? _dump;
    private int _dumpAt;

    internal ModelNode(
        int number, SyncMode mode, Random random, Func<long, uint> firstSequence, long now)
    {
        _firstSequence = firstSequence;
        Number = number;
        _mode = mode;
        _random = random;
        _ackWindow = random.Next(1, 40);
        _resendQueue = random.Next(64, 600);
        Kernel = new ModelKernel(number);
        Kernel.Listener = OnEvent;
        Start(now);
    }

    internal int Number { get; }

    internal ModelKernel Kernel { get; }

    internal SyncEngine Engine { get; private set; } = null!;

    internal FlowTable Internal { get; private set; } = null!;

    internal FlowTable External { get; private set; } = null!;

    internal long Now { get; set; }

    internal PeerAddress Address { get; private set; }

    /// <summary>
    /// The daemon starts: empty caches, a new port, one dump that nobody is told of.
    /// </summary>
    internal void Start(long now)
    {
        Dispose();
        Now = now;
        Internal = new FlowTable(100_000, _random.NextInt64());
        External = new FlowTable(100_000, _random.NextInt64());
        Address = new PeerAddress(
            AddressFamily.Ipv4, new Address(0, 0xC0A8_0001u + (uint)Number),
            (ushort)_random.Next(1024, 65536));
        var settings = new SyncSettings(_mode, _resendQueue, _ackWindow, true, false,
            _firstSequence(now))
        {
            RefreshSeconds = RefreshSeconds,
            CacheTimeoutSeconds = CacheTimeoutSeconds,
        };
        Engine = new SyncEngine(settings, Internal, External, null, now);
        Kernel.Overrun = false;
        Engine.BeginDump(announce: false, announceSweep: false);
        _dump = [.. Kernel.Keys];
        _dumpAt = 0;
        while (_dump is not null) { StepDump(int.MaxValue); }
        while (Engine.Step()) { }
    }

    /// <summary>
    /// The overrun is noticed: events come again, and the table is read in pieces.
    /// </summary>
    internal void EndOverrun()
    {
        Kernel.Overrun = false;
        Engine.BeginDump(announce: true, announceSweep: true);
        // A dump shows what is there when its part is written; keys are fixed in random order now.
        _dump = [.. Kernel.Keys.OrderBy(_ => _random.Next())];
        _dumpAt = 0;
    }

    /// <summary>A turn of the loop: some dump records, then a piece of the long walks.</summary>
    internal bool Turn()
    {
        StepDump(_random.Next(1, 20));
        return Engine.Step() | _dump is not null;
    }

    public void Dispose()
    {
        Internal?.Dispose();
        External?.Dispose();
    }

    private void StepDump(int records)
    {
        while (_dump is not null && records-- > 0)
        {
            if (_dumpAt == _dump.Count)
            {
                _dump = null;
                Engine.OnDumpEnd(complete: true);
                return;
            }
            int key = _dump[_dumpAt++];
            if (!Kernel.Has(key)) { continue; }
            Flow flow = Kernel[key];
            Engine.OnDumpRecord(ref flow, Now);
        }
    }

    private void OnEvent(FlowEventKind kind, ref Flow flow) =>
        Engine.OnEvent(kind, ref flow, announce: true, Now);
}
