using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Tests.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Cache;

public sealed class ExpectationTableTests
{
    private static Expectation Make(int port)
    {
        Expectation expectation = ExpectationCodecTests.Ftp();
        expectation.Tuple.L4Target = (ushort)port;
        return expectation;
    }

    [Fact]
    public void Tuple_mask_master_and_zone_tell_them_apart_and_the_rest_does_not()
    {
        var table = new ExpectationTable(100);
        Expectation first = Make(1000);
        uint handle = table.Add(in first, 0);
        Expectation other = first;
        other.TimeoutSeconds = 1;
        other.Class = 9;
        other.Present &= ~ExpectationAttributes.Nat;
        Assert.Equal(handle, table.Find(in other));
        other = first;
        other.Tuple.L4Target++;
        Assert.Equal(0u, table.Find(in other));
        other = first;
        other.Mask.L4Target--;
        Assert.Equal(0u, table.Find(in other));
        other = first;
        other.Master.L4Source++;
        Assert.Equal(0u, table.Find(in other));
        other = first;
        other.Zone++;
        Assert.Equal(0u, table.Find(in other));
    }

    [Fact]
    public void The_table_is_bounded_and_its_slots_are_used_again()
    {
        var table = new ExpectationTable(600);
        for (int i = 0; i < 600; i++) { Assert.NotEqual(0u, table.Add(Make(i), 0)); }
        Assert.Equal(0u, table.Add(Make(600), 0));
        Assert.Equal(1ul, table.Counters.CreateFailedSpace);
        for (int i = 0; i < 600; i += 2) { table.Remove(table.Find(Make(i))); }
        Assert.Equal(300u, table.Count);
        for (int i = 1000; i < 1300; i++) { Assert.InRange(table.Add(Make(i), 0), 1u, 600u); }
        int walked = 0;
        for (uint at = table.Next(0); at != 0; at = table.Next(at)) { walked++; }
        Assert.Equal(600, walked);
        Assert.Equal(600ul, table.Counters.Active);
    }

    [Fact]
    public void The_dead_are_found_but_not_shown_and_rise_as_new()
    {
        var table = new ExpectationTable(100);
        Expectation one = Make(1000);
        uint handle = table.Add(in one, 5);
        Assert.True(table.TrySnapshot(handle, out ExpectationSlot slot));
        Assert.Equal(5u, slot.CreatedSeconds);
        table.Update(handle, in one, 7);
        Assert.True(table.TrySnapshot(handle, out slot));
        Assert.Equal((5u, 7u), (slot.CreatedSeconds, slot.TouchedSeconds));
        table.Kill(handle);
        Assert.Equal(handle, table.Find(in one));
        Assert.False(table.TrySnapshot(handle, out _));
        Assert.Equal(0ul, table.Counters.Active);
        table.Replace(handle, in one, 9);
        Assert.True(table.TrySnapshot(handle, out slot));
        Assert.Equal((9u, SlotLife.None), (slot.CreatedSeconds, slot.Life));
        Assert.Equal(1ul, table.Counters.Active);
    }

    [Fact]
    public void Time_runs_out_at_the_timeout()
    {
        var slot = new ExpectationSlot { TouchedSeconds = 10, Value = Make(1) };
        Assert.Equal((300u, 0u), (slot.RemainingSeconds(10, 60), slot.OverdueSeconds(10)));
        Assert.Equal((0u, 0u), (slot.RemainingSeconds(310, 60), slot.OverdueSeconds(310)));
        Assert.Equal((0u, 5u), (slot.RemainingSeconds(315, 60), slot.OverdueSeconds(315)));
        slot.Value.Present &= ~ExpectationAttributes.Timeout;
        Assert.Equal((55u, 0u), (slot.RemainingSeconds(15, 60), slot.OverdueSeconds(9999)));
    }
}
