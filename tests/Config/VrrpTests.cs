using System.Linq;
using Conntrackd.Config;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class VrrpTests
{
    private const string Sync = "Sync { Mode FTFW { }\n" + Udp + "}\n";

    private static string InVrrp(string body) => General($"VRRP {{\n{body}\n}}") + Sync;

    [Fact]
    public void Every_directive_is_read()
    {
        VrrpOptions vrrp = Clean(InVrrp("""
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
            """)).Vrrp!;
        Assert.Equal("/run/a.fifo", vrrp.Notify);
        VrrpGroupName[] groups = [new("FW", true), new("VI_1", false), new("BLUE-2.x", true)];
        Assert.Equal(groups, vrrp.Groups);
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
        Assert.Equal(2, Clean(InVrrp("Group A Instance A")).Vrrp!.Groups.Count);

    [Fact]
    public void A_group_named_twice_is_followed_once() =>
        Assert.Single(
            Warned(InVrrp("Group A\nGroup A"), "4:7: 'A' was named before, ignoring it")
                .Vrrp!.Groups);

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
