using System.Linq;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class VrrpTests
{
    private const string Sync = "Sync { Mode FTFW { }\n" + Udp + "}\n";

    private const string Unclaimed =
        "nothing tells the flows of the groups apart ('Mark', 'Address'): each takes over the "
        + "flows of all, and none is purged while one is master";

    private static string InVrrp(string body) => General($"VRRP {{\n{body}\n}}") + Sync;

    [Fact]
    public void Every_directive_is_read()
    {
        VrrpOptions vrrp = Warned(InVrrp("""
            Notify /run/a.fifo
            Group FW
            Instance VI_1
            Group BLUE-2.x
            TrackFile /run/a.sync
            HoldOffTimeout 0
            SyncQuiet 3
            OnFault Keep
            QueryPid /run/keepalived_vrrp.pid
            Command /usr/local/sbin/after
            """), "2:1: " + Unclaimed).Vrrp!;
        Assert.Equal("/run/a.fifo", vrrp.Notify);
        VrrpGroupName[] groups = [new("FW", true), new("VI_1", false), new("BLUE-2.x", true)];
        Assert.Equal(groups.Length, vrrp.Groups.Count);
        Assert.All(groups.Zip(vrrp.Groups), pair => Assert.Equal(
            (pair.First.Name, pair.First.IsGroup), (pair.Second.Name, pair.Second.IsGroup)));
        Assert.Equal("/run/a.sync", vrrp.TrackFile);
        Assert.Equal(0u, vrrp.HoldOffSeconds);
        Assert.Equal(3u, vrrp.SyncQuietSeconds);
        Assert.False(vrrp.PurgeOnFault);
        Assert.Equal("/run/keepalived_vrrp.pid", vrrp.QueryPid);
        Assert.Equal("/usr/local/sbin/after", vrrp.Command);
    }

    [Fact]
    public void One_group_is_enough()
    {
        VrrpOptions vrrp = Clean(InVrrp("Group FW")).Vrrp!;
        VrrpOptions defaults = new() { Groups = vrrp.Groups };
        Assert.Equal(defaults, vrrp);
        Assert.Equal("/run/conntrackd/vrrp.fifo", vrrp.Notify);
        Assert.Null(vrrp.TrackFile);
        Assert.True(vrrp.PurgeOnFault);
    }

    [Fact]
    public void Without_the_block_keepalived_is_not_followed() =>
        Assert.Null(Clean(General("HashSize 1") + Sync).Vrrp);

    [Fact]
    public void A_group_and_an_instance_may_have_the_same_name() =>
        Assert.Equal(2, Warned(InVrrp("Group A Instance A"), "2:1: " + Unclaimed)
            .Vrrp!.Groups.Count);

    [Fact]
    public void A_group_named_twice_is_followed_once() =>
        Assert.Single(
            Warned(InVrrp("Group A\nGroup A"), "4:7: 'A' was named before, ignoring it")
                .Vrrp!.Groups);

    [Fact]
    public void A_group_may_say_which_flows_are_its_own()
    {
        VrrpOptions vrrp = Clean(InVrrp("""
            Group RED
            Instance BLUE {
                Mark 0x2
                Mark 512/0xff00
                Address 10.22.0.2
                Address 10.23.0.0/16
                Address fd22::/64
            }
            """)).Vrrp!;
        Assert.Empty(vrrp.Groups[0].Marks);
        VrrpGroupName blue = vrrp.Groups[1];
        MarkMatch[] marks = [new(2, uint.MaxValue), new(0x200, 0xff00)];
        Assert.Equal(marks, blue.Marks);
        Assert.Equal([32, 16, 64], blue.Addresses.Select(a => a.Length));
        Assert.Equal(new Address(0, 0x0a160002), blue.Addresses[0].Address);
        Assert.Equal(AddressFamily.Ipv6, blue.Addresses[2].Family);
    }

    [Fact]
    public void With_direct_injection_nothing_need_be_told_apart() =>
        Assert.Equal(2, Clean(General("VRRP { Group A Group B }")
            + "Sync { Mode FTFW { DisableExternalCache on }\n" + Udp + "}\n")
            .Vrrp!.Groups.Count);

    [Fact]
    public void Mistakes_in_a_group_are_told_where_they_stand()
    {
        Refused(InVrrp("""
            Group A {
                Mark
                Mark 0x
                Mark 0x100000000
                Mark 0x4/0x3
                Mark 0x4/0
                Address A.B
                Address 10.0.0.0/33
                Zzz 1
            }
            """),
            "5:5: expected a mark, as 0x2 or 0x200/0xff00 after 'Mark', found 'Mark'",
            "5:10: expected a mark, as 0x2 or 0x200/0xff00 after 'Mark', found '0x'",
            "6:10: expected a mark, as 0x2 or 0x200/0xff00 after 'Mark', found '0x100000000'",
            "7:10: no mark is '0x4/0x3': there are bits that its mask does not have",
            "8:10: expected a mark, as 0x2 or 0x200/0xff00 after 'Mark', found '0x4/0'",
            "9:13: expected an address or a network after 'Address', found 'A.B'",
            "10:13: '10.0.0.0/33' is not a valid network, ignoring",
            "10:13: 'Address' cannot do without '10.0.0.0/33'",
            "11:5: unknown directive 'Zzz' in 'A'");
    }

    [Fact]
    public void Mistakes_are_told_where_they_stand()
    {
        Refused(InVrrp(
            "Group\nNotify vrrp.fifo\nOnFault Drop\nSyncQuiet 0\nHoldOffTimeout x\nGrup FW"),
            "4:1: expected the name of a vrrp_sync_group after 'Group', found 'Notify'",
            "4:8: expected a path after 'Notify', found 'vrrp.fifo'",
            "5:9: expected Purge or Keep after 'OnFault', found 'Drop'",
            "6:11: expected seconds 1-2147483647 after 'SyncQuiet', found '0'",
            "7:16: expected seconds 0-2147483647 after 'HoldOffTimeout', found 'x'",
            "8:1: unknown directive 'Grup' in 'VRRP', did you mean 'Group'");
    }

    [Fact]
    public void A_block_without_a_group_is_an_error() =>
        Refused(InVrrp("Notify /run/a"),
            "2:1: no group to follow in 'VRRP', expected 'Group' or 'Instance'");

    [Fact]
    public void The_two_files_must_differ() =>
        Refused(InVrrp("Group A\nNotify /run/a\nTrackFile /run/a"),
            "5:1: 'TrackFile' and 'Notify' are the same file, expected two");

    [Fact]
    public void Without_sync_the_block_has_no_effect() =>
        Assert.Null(Warned(
            General("VRRP { Group A }") + "Stats { }\n",
            "2:1: 'VRRP' has no effect without a 'Sync' section, ignoring it").Vrrp);

    [Fact]
    public void More_groups_than_anybody_has_are_refused() =>
        Refused(
            InVrrp(string.Concat(Enumerable.Range(0, 33).Select(i => $"Group G{i}\n"))),
            "35:7: more than 32 groups and instances in 'VRRP'");
}
