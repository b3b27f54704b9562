using System.Collections.Generic;
using System.Threading;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Cache;

public sealed class FlowTableTests
{
    [Fact]
    public void A_flow_in_the_place_of_another_counts_as_the_end_of_that()
    {
        using var table = new FlowTable(10, 1);
        Flow flow = MakeFlow(1, 0);
        uint handle = table.Add(in flow, 0);
        table.Replace(handle, in flow, 1);
        table.Kill(handle);
        table.Replace(handle, in flow, 2);
        Assert.Equal(3ul, table.Counters.Created);
        Assert.Equal(2ul, table.Counters.Destroyed);
        Assert.Equal(1ul, table.Counters.Active);
    }

    [Fact]
    public void A_random_history_leaves_the_table_as_a_dictionary_would()
    {
        var random = new Random(1);
        using var table = new FlowTable(5000, seed: 7);
        var model = new Dictionary<int, (uint Handle, uint Mark)>();
        for (int step = 0; step < 200_000; step++)
        {
            int key = random.Next(4000);
            Flow flow = MakeFlow(key, (uint)step);
            uint found = table.Find(in flow);
            Assert.Equal(model.TryGetValue(key, out var known) ? known.Handle : 0, found);
            if (found == 0) { model[key] = (table.Add(in flow, 1), flow.Mark); }
            else if (random.Next(2) == 0)
            {
                table.Remove(found);
                model.Remove(key);
            }
            else
            {
                table.Merge(found, in flow);
                model[key] = (found, flow.Mark);
            }
        }
        Assert.Equal((uint)model.Count, table.Count);
        Flow loaded = default;
        foreach ((int key, (uint handle, uint mark)) in model)
        {
            Flow flow = MakeFlow(key, mark);
            table.Load(handle, ref loaded);
            Assert.Equal(flow.Orig, loaded.Orig);
            Assert.Equal(flow.Reply, loaded.Reply);
            Assert.Equal(mark, loaded.Mark);
            Assert.Equal(flow.Family, loaded.Family);
        }
    }

    [Fact]
    public void A_walk_sees_every_flow_once()
    {
        using var table = new FlowTable(10_000, seed: 1);
        for (int key = 0; key < 3000; key++) { table.Add(MakeFlow(key, 0), 1); }
        for (int key = 0; key < 3000; key += 3) { table.Remove(table.Find(MakeFlow(key, 0))); }
        int seen = 0;
        uint at = 0;
        while (true)
        {
            int budget = 7;
            at = table.Next(at, ref budget);
            if (at == 0) { break; }
            seen += table.IsInUse(at) ? 1 : 0;
        }
        Assert.Equal(2000, seen);
    }

    [Fact]
    [Trait("Defect", "5")]
    public void Equal_tuples_in_two_zones_are_two_flows()
    {
        using var table = new FlowTable(10, seed: 1);
        Flow flow = MakeFlow(1, 0);
        uint first = table.Add(in flow, 1);
        flow.Zone = 7;
        flow.Present |= FlowAttributes.Zone;
        Assert.Equal(0u, table.Find(in flow));
        uint second = table.Add(in flow, 1);
        Assert.NotEqual(first, second);
        Assert.Equal(second, table.Find(in flow));
    }

    [Fact]
    public void Dead_flows_take_no_place_of_the_living_and_are_bounded_too()
    {
        using var table = new FlowTable(100, seed: 1);
        int key = 0;
        for (; table.Add(MakeFlow(key, 0), 1) is uint handle and not 0; key++)
        {
            table.Kill(handle);
        }
        Assert.Equal(100 + 64, key);
        for (int dead = 0; dead < 100; dead++) { table.Remove(table.Find(MakeFlow(dead, 0))); }
        int living = 0;
        while (table.Add(MakeFlow(key++, 0), 1) != 0) { living++; }
        Assert.Equal(100, living);
        Assert.True(table.IsFull);
    }

    [Fact]
    public void A_full_table_refuses_and_counts()
    {
        using var table = new FlowTable(2, seed: 1);
        Assert.NotEqual(0u, table.Add(MakeFlow(1, 0), 1));
        Assert.NotEqual(0u, table.Add(MakeFlow(2, 0), 1));
        Assert.Equal(0u, table.Add(MakeFlow(3, 0), 1));
        Assert.Equal(1ul, table.Counters.CreateFailedSpace);
        table.Remove(table.Find(MakeFlow(1, 0)));
        Assert.NotEqual(0u, table.Add(MakeFlow(3, 0), 1));
    }

    [Fact]
    public void Rare_attributes_come_back_as_they_were_and_are_not_shared()
    {
        using var table = new FlowTable(10, seed: 1);
        Flow flow = MakeFlow(5, 1);
        flow.Present |= FlowAttributes.Helper | FlowAttributes.Labels | FlowAttributes.Master |
            FlowAttributes.MasterL4Keys | FlowAttributes.SequenceAdjust | FlowAttributes.Synproxy;
        flow.Helper = HelperName.From("ftp"u8);
        flow.LabelsHigh = 1ul << 63;
        flow.Master = MakeFlow(77, 0).Orig;
        flow.MasterProtocol = L4Protocol.Tcp;
        flow.SequenceAdjustReply = new SequenceAdjustment(1, -2, 3);
        flow.SynproxyIts = 9;
        uint rich = table.Add(in flow, 1);
        uint plain = table.Add(MakeFlow(6, 1), 1);
        Flow loaded = default;
        table.Load(rich, ref loaded);
        Assert.Equal(flow.Present & ~FlowAttributes.Snat, loaded.Present & ~FlowAttributes.Snat);
        Assert.True(loaded.Helper.Equals(flow.Helper));
        Assert.Equal(flow.LabelsHigh, loaded.LabelsHigh);
        Assert.Equal(flow.Master, loaded.Master);
        Assert.Equal(flow.SequenceAdjustReply, loaded.SequenceAdjustReply);
        Assert.Equal(9u, loaded.SynproxyIts);
        table.Load(plain, ref loaded);
        Assert.False(loaded.Has(FlowAttributes.Helper));
        // The slot of a removed flow starts clean for the next one.
        table.Remove(rich);
        table.Load(table.Add(MakeFlow(8, 1), 1), ref loaded);
        Assert.Equal(FlowAttributes.None, loaded.Present & SlotSide.Attributes);
    }

    /// <remarks>The kernel says nothing of labels that are all zero.</remarks>
    [Fact]
    [Trait("Defect", "4")]
    public void What_an_event_does_not_say_stays()
    {
        using var table = new FlowTable(10, 1);
        Flow flow = MakeFlow(1, 0);
        flow.Present |= FlowAttributes.Labels;
        flow.LabelsLow = 4;
        uint handle = table.Add(in flow, 1);
        table.Merge(handle, MakeFlow(1, 5));
        Flow held = default;
        table.Load(handle, ref held);
        Assert.True(held.Has(FlowAttributes.Labels));
        Assert.Equal((4ul, 5u), (held.LabelsLow, held.Mark));
    }

    [Fact]
    public void A_synproxy_extension_of_zeros_costs_no_side_slot()
    {
        using var table = new FlowTable(10, seed: 1);
        Flow flow = MakeFlow(5, 1);
        flow.Present |= FlowAttributes.Synproxy;
        uint handle = table.Add(in flow, 1);
        Assert.Equal(0u, table.Head(handle).Side);
        Flow loaded = default;
        table.Load(handle, ref loaded);
        Assert.True(loaded.Has(FlowAttributes.Synproxy));
        Assert.Equal(0u, loaded.SynproxyIsn | loaded.SynproxyIts);
    }

    [Fact]
    public void A_reader_on_another_thread_never_sees_half_a_flow()
    {
        using var table = new FlowTable(64, seed: 1);
        Flow flow = MakeFlow(1, 0);
        uint handle = table.Add(in flow, 1);
        using var stop = new CancellationTokenSource();
        long torn = 0;
        long read = 0;
        var reader = new Thread(() =>
        {
            Flow seen = default;
            while (!stop.IsCancellationRequested)
            {
                if (!table.TrySnapshot(handle, ref seen, out _)) { continue; }
                read++;
                // The writer keeps these three equal.
                bool whole = seen.Mark == seen.TimeoutSeconds &&
                    seen.Reply.Target.Low == 0x0A00_0000 + (seen.Mark & 0xFFFF);
                if (!whole) { torn++; }
            }
        });
        flow.Reply.Target = new Address(0, 0x0A00_0000);
        flow.Mark = flow.TimeoutSeconds = 0;
        table.Replace(handle, in flow, 1);
        reader.Start();
        for (uint i = 0; i < 300_000; i++)
        {
            flow.Mark = flow.TimeoutSeconds = i;
            flow.Reply.Target = new Address(0, 0x0A00_0000 + (i & 0xFFFF));
            table.Merge(handle, in flow);
        }
        stop.Cancel();
        reader.Join();
        Assert.Equal(0, torn);
        Assert.True(read > 0, "the reader never got a snapshot");
    }

    internal static Flow MakeFlow(int key, uint mark)
    {
        bool ipv6 = key % 4 == 3;
        var flow = new Flow
        {
            Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4,
            Protocol = L4Protocol.Tcp,
            ProtocolState = 3,
            Status = FlowStatus.Confirmed | FlowStatus.SeenReply,
            TimeoutSeconds = 300,
            Mark = mark,
            Id = (uint)key,
            Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol |
                FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.Timeout |
                FlowAttributes.Mark | FlowAttributes.ProtocolState | FlowAttributes.Id,
        };
        flow.Orig.Source = new Address(ipv6 ? 0x2001_0db8ul << 32 : 0, 0x0A00_0001);
        flow.Orig.Target = new Address(ipv6 ? 0x2001_0db8ul << 32 : 0, 0x0B00_0001);
        flow.Orig.L4Source = (ushort)(1024 + key);
        flow.Orig.L4Target = 443;
        Assert.True(flow.Orig.TryInvert(flow.Protocol, out flow.Reply));
        return flow;
    }
}
