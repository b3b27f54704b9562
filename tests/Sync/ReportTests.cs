using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>Two nodes of our own kind: reports instead of acknowledgements.</summary>
public sealed class ReportTests
{
    private const SyncFlags Ranges = SyncFlags.Ack | SyncFlags.Nack;

    [Fact]
    public void Two_of_our_kind_greet_each_other_at_once_and_acknowledge_by_reports_alone()
    {
        using var pair = new EnginePair();
        pair.Pass(SyncEngine.Second / 100);
        Assert.False(pair[0].Other.IsGreeting || pair[1].Other.IsGreeting);
        Announce(pair, 0, 100);
        pair.Pass(SyncEngine.Second);
        Assert.Equal(100u, pair[1].External.Count);
        Assert.Equal(0, pair[0].Engine.Ring.Count);
        Assert.DoesNotContain(pair.Seen, m => (m.Header.Flags & Ranges) != 0);
        Assert.DoesNotContain(pair.Seen.Skip(4), m => (m.Header.Flags & SyncFlags.Hello) != 0);
        Assert.InRange(pair[0].Other.RoundTrip, 0, 1);
    }

    [Fact]
    public void Idle_nodes_say_one_message_a_second()
    {
        using var pair = new EnginePair();
        pair.Pass(2 * SyncEngine.Second);
        pair.Seen.Clear();
        pair.Pass(10 * SyncEngine.Second);
        Assert.InRange(pair.Seen.Count, 18, 22);
    }

    [Fact]
    public void The_last_datagram_of_all_is_repaired_within_a_fraction_of_a_second()
    {
        using var pair = new EnginePair();
        pair.Pass(SyncEngine.Second);
        pair.Loses = (from, _) => from == 0;
        Announce(pair, 0, 10);
        pair.Pass(SyncEngine.Second / 1000);
        Assert.Equal(0u, pair[1].External.Count);
        pair.Loses = static (_, _) => false;
        pair.Pass(SyncEngine.Second / 5);
        Assert.Equal(10u, pair[1].External.Count);
        Assert.Equal(10ul, pair[0].Engine.Counters.Resent);
    }

    [Fact]
    public void A_report_that_is_lost_costs_nothing_but_the_time_until_the_next()
    {
        using var pair = new EnginePair();
        pair.Pass(SyncEngine.Second);
        int flows = 0;
        pair.Loses = (from, bytes) => from == 1 || (from == 0 && bytes.Length > 300 &&
            flows++ == 0);
        Announce(pair, 0, 40);
        pair.Pass(SyncEngine.Second / 2);
        Assert.NotEqual(0, pair[0].Engine.Ring.Count);
        pair.Loses = static (_, _) => false;
        pair.Pass(SyncEngine.Second / 2);
        Assert.Equal(40u, pair[1].External.Count);
        Assert.Equal(0, pair[0].Engine.Ring.Count);
    }

    [Fact]
    public void A_node_that_starts_anew_on_its_port_with_a_lower_number_is_known_at_once()
    {
        using var pair = new EnginePair();
        pair.Pass(SyncEngine.Second);
        Announce(pair, 0, 50);
        pair.Pass(SyncEngine.Second);
        pair.Restart(1);
        pair.Pass(SyncEngine.Second);
        Assert.Equal(1ul, pair[0].Engine.Counters.PeerRestarts);
        Assert.Equal(50u, pair[1].External.Count);
        Announce(pair, 1, 20);
        pair.Pass(SyncEngine.Second);
        Assert.Equal(20u, pair[0].External.Count);
    }

    [Fact]
    public void A_number_with_a_bit_turned_over_makes_nobody_deaf()
    {
        for (int bit = 0; bit < 32; bit++)
        {
            using var pair = new EnginePair();
            pair.Pass(SyncEngine.Second);
            int left = 1;
            pair.Loses = (from, bytes) =>
            {
                if (from == 0 && left-- > 0)
                {
                    bytes[SyncHeader.SequenceAt + 3 - (bit / 8)] ^= (byte)(1 << (bit % 8));
                }
                return false;
            };
            Announce(pair, 0, 10);
            pair.Pass(2 * SyncEngine.Second);
            Announce(pair, 0, 30);
            pair.Pass(2 * SyncEngine.Second);
            Assert.True(pair[1].External.Count == 30, $"bit {bit}");
            Assert.True(pair[0].Engine.Ring.Count == 0, $"bit {bit}");
        }
    }

    [Fact]
    public void The_end_of_a_bulk_tells_how_many_flows_found_no_place()
    {
        using var pair = new EnginePair(externalMax: 60);
        Announce(pair, 0, 100);
        pair.Pass(4 * SyncEngine.Second);
        pair[0].Engine.RequestBulk();
        pair.Pass(2 * SyncEngine.Second);
        Assert.True(pair[0].Engine.TryTakeBulkResult(out BulkResult result));
        Assert.Equal((100u, 40u), (result.Sent, result.Missing));
        Assert.False(pair[0].Engine.TryTakeBulkResult(out _));
    }

    private static void Announce(EnginePair pair, int side, int flows)
    {
        for (int key = 0; key < flows; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            pair[side].Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, pair.Now);
        }
    }
}
