using System.Collections.Generic;
using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Sync;

public sealed class CommitTests
{
    private const uint Now = 1000;

    [Fact]
    public void Hot_flows_come_first_related_ones_last_and_none_is_missed_or_taken_twice()
    {
        using var table = new FlowTable(10_000, 1);
        for (ushort port = 1; port <= 300; port++)
        {
            Flow flow = Flows.Tcp();
            flow.Orig.L4Source = port;
            if (port % 2 == 1) { flow.Family = AddressFamily.Ipv6; }
            if (port % 3 == 1) { flow.Present |= FlowAttributes.Dnat; }
            if (port % 10 == 0)
            {
                flow.Present |= FlowAttributes.Master | FlowAttributes.MasterL4Keys;
            }
            uint handle = table.Add(in flow, Now);
            table.Head(handle).IdOrTouched = port % 7 == 0 ? Now - 5 : Now - 500;
        }

        List<ushort> taken = Take(table, touch: false);
        Assert.Equal(300, new HashSet<ushort>(taken).Count);
        Assert.Equal(300, taken.Count);
        int pass = 0;
        foreach (ushort port in taken)
        {
            int wanted = port % 10 == 0 ? 3 : port % 3 == 1 ? 0 : port % 7 == 0 ? 1 : 2;
            Assert.True(wanted >= pass, $"port {port} in pass {pass}");
            pass = wanted;
        }
    }

    [Fact]
    public void A_flow_that_becomes_hot_meanwhile_is_not_missed()
    {
        using var table = new FlowTable(10_000, 1);
        for (ushort port = 1; port <= 300; port++)
        {
            Flow flow = Flows.Tcp();
            flow.Orig.L4Source = port;
            uint handle = table.Add(in flow, Now);
            table.Head(handle).IdOrTouched = port == 300 ? Now : Now - 500;
        }
        List<ushort> taken = Take(table, touch: true);
        Assert.Equal(300, taken.Count);
        Assert.Equal(300, new HashSet<ushort>(taken).Count);
    }

    // After the first flow, all are touched if wished.
    private static List<ushort> Take(FlowTable table, bool touch)
    {
        var commit = new Commit(table, 0);
        var taken = new List<ushort>();
        Flow flow = default;
        while (!commit.IsDone)
        {
            int budget = 64;
            while (commit.TryTake(ref flow, Now, ref budget, out uint timeoutSeconds))
            {
                Assert.NotEqual(0u, timeoutSeconds);
                taken.Add(flow.Orig.L4Source);
                if (!touch || taken.Count != 1) { continue; }
                for (uint at = table.Advance(0); at != 0; at = table.Advance(at))
                {
                    table.Head(at).IdOrTouched = Now;
                }
            }
        }
        return taken;
    }
}
