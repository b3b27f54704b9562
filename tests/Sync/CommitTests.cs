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

    // In the order in which they are to come: how many, translated, of which protocol, age.
    private static readonly (int Count, bool Dnat, byte Protocol, byte State, uint Age)[] s_rounds =
    [
        (50, true, L4Protocol.Udp, 0, 500),
        (300, false, L4Protocol.Tcp, 3, 3),
        (50, true, L4Protocol.Tcp, 3, 500),
        (4_000, false, L4Protocol.Tcp, 3, 5),
        (2_000, false, L4Protocol.Tcp, 3, 50),
        (50, true, L4Protocol.Tcp, 7, 0),
        (50, false, L4Protocol.Tcp, 3, 0),
    ];

    [Fact]
    public void The_newest_come_first_related_ones_last_and_none_is_missed_or_taken_twice()
    {
        using var table = new FlowTable(10_000, 1);
        var roundOf = new List<int> { -1 };
        for (int round = s_rounds.Length - 1; round >= 0; round--)
        {
            for (int i = 0; i < s_rounds[round].Count; i++)
            {
                Add(table, (ushort)roundOf.Count, round);
                roundOf.Add(round);
            }
        }

        List<ushort> taken = Take(table, touch: false);
        Assert.Equal(roundOf.Count - 1, new HashSet<ushort>(taken).Count);
        Assert.Equal(roundOf.Count - 1, taken.Count);
        int reached = 0;
        foreach (ushort port in taken)
        {
            Assert.True(roundOf[port] >= reached, $"round {roundOf[port]} after {reached}");
            reached = roundOf[port];
        }
    }

    private static void Add(FlowTable table, ushort port, int round)
    {
        Flow flow = Flows.Tcp();
        flow.Family = port % 2 == 1 ? AddressFamily.Ipv6 : AddressFamily.Ipv4;
        flow.Orig.L4Source = port;
        flow.Protocol = s_rounds[round].Protocol;
        flow.ProtocolState = s_rounds[round].State;
        if (s_rounds[round].Dnat) { flow.Present |= FlowAttributes.Dnat; }
        if (round == s_rounds.Length - 1)
        {
            flow.Present |= FlowAttributes.Master | FlowAttributes.MasterL4Keys;
        }
        table.Head(table.Add(in flow, Now)).IdOrTouched = Now - s_rounds[round].Age;
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

    [Fact]
    public void Only_flows_that_are_meant_are_taken()
    {
        using var table = new FlowTable(10_000, 1);
        for (ushort port = 1; port <= 300; port++)
        {
            Flow flow = Flows.Tcp();
            flow.Orig.L4Source = port;
            table.Add(in flow, Now);
        }
        List<ushort> taken = Take(
            table, touch: false, (in Flow flow) => flow.Orig.L4Source % 3 == 0);
        Assert.Equal(100, taken.Count);
        Assert.All(taken, static port => Assert.Equal(0, port % 3));
    }

    // After the first flow, all are touched if wished.
    private static List<ushort> Take(FlowTable table, bool touch, FlowTest? isMeant = null)
    {
        var commit = new Commit(table, 0, isMeant);
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
