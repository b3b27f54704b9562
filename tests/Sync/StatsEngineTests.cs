using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>Which flows statistics mode reports as ended, and how often.</summary>
public sealed class StatsEngineTests : IEndedFlowSink, IDisposable
{
    private readonly FlowTable _cache = new(1000, 1);
    private readonly List<Flow> _ended = [];
    private readonly StatsEngine _engine;

    public StatsEngineTests() => _engine = new StatsEngine(_cache, this);

    void IEndedFlowSink.OnEnded(in Flow flow) => _ended.Add(flow);

    public void Dispose() => _cache.Dispose();

    /// <remarks>Polling is nothing else; a dump leaves its number in every flow it shows.</remarks>
    [Fact]
    public void However_often_the_table_is_read_what_stays_has_not_ended()
    {
        for (int dump = 0; dump < 40; dump++)
        {
            Dump(complete: true, 1, 2, 3);
            Assert.Equal(3u, _cache.Count);
        }
        Assert.Empty(_ended);
        Assert.Equal(3ul, _cache.Counters.Created);
    }

    [Fact]
    public void What_a_whole_dump_does_not_show_has_ended_once()
    {
        Dump(complete: true, 1, 2, 3);
        Dump(complete: false, 1);
        Assert.Empty(_ended);
        Dump(complete: true, 1, 3);
        Dump(complete: true, 1, 3);
        Assert.Equal(Make(2).Orig, Assert.Single(_ended).Orig);
    }

    [Fact]
    public void What_begins_during_a_dump_counts_as_seen()
    {
        Dump(complete: true, 1);
        _engine.BeginDump(announce: true, announceSweep: true);
        Flow late = Make(2);
        _engine.OnEvent(FlowEventKind.New, ref late, announce: true, now: 0);
        Flow seen = Make(1);
        _engine.OnDumpRecord(ref seen, now: 0);
        _engine.OnDumpEnd(complete: true);
        while (_engine.Step()) { }
        Assert.Empty(_ended);
        Assert.Equal(2u, _cache.Count);
    }

    [Fact]
    public void Another_entry_with_the_same_tuple_ends_the_first()
    {
        Flow first = Make(1), second = Make(1);
        (first.Id, second.Id) = (1, 2);
        first.Present |= FlowAttributes.Id;
        second.Present |= FlowAttributes.Id;
        _engine.OnEvent(FlowEventKind.New, ref first, announce: true, now: 0);
        _engine.OnEvent(FlowEventKind.New, ref second, announce: true, now: 0);
        Assert.Equal(1u, Assert.Single(_ended).Id);
        Assert.Equal(1u, _cache.Count);
    }

    private static Flow Make(int key) => FlowTableTests.MakeFlow(key, 0);

    private void Dump(bool complete, params int[] keys)
    {
        _engine.BeginDump(announce: true, announceSweep: true);
        foreach (int key in keys)
        {
            Flow flow = Make(key);
            _engine.OnDumpRecord(ref flow, now: 0);
        }
        _engine.OnDumpEnd(complete);
        while (_engine.Step()) { }
    }
}
