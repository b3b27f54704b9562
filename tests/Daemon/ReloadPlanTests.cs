using System.Text;
using Conntrackd.Config;
using Conntrackd.Daemon;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class ReloadPlanTests
{
    private const string Sync = """
        Sync {
            Mode FTFW {
                ResendQueueSize 1000
                PurgeTimeout 60
            }
            UDP {
                IPv4_address 192.168.100.1
                IPv4_Destination_Address 192.168.100.2
                Port 3780
                Interface eth2
            }
        }
        General {
            HashLimit 8192
            LockFile /run/x.lock
            UNIX {
                Path /run/x.ctl
            }
        }

        """;

    [Fact]
    public void The_same_file_moved_by_lines_changes_nothing()
    {
        ReloadPlan plan = ReloadPlan.Make(Parse(Sync), Parse("# a comment\n\n" + Sync));
        Assert.Empty(plan.Kept);
    }

    [Theory]
    [InlineData("HashLimit 8192", "HashLimit 100")]
    [InlineData("PurgeTimeout 60", "PurgeTimeout 5 ACKWindowSize 7 CommitTimeout 9")]
    [InlineData("HashLimit 8192", "LogFile /run/x NetlinkEventsReliable on EventIterationLimit 7")]
    public void What_can_change_is_taken_over(string now, string then)
    {
        Options wanted = Parse(Sync.Replace(now, then, StringComparison.Ordinal));
        ReloadPlan plan = ReloadPlan.Make(Parse(Sync), wanted);
        Assert.Empty(plan.Kept);
        Assert.Equal(EffectiveText.Render(wanted, "f"), EffectiveText.Render(plan.Options, "f"));
    }

    [Fact]
    public void The_times_of_alarm_are_taken_over()
    {
        string old = Sync.Replace("FTFW", "ALARM", StringComparison.Ordinal)
            .Replace("ResendQueueSize 1000", "RefreshTime 15", StringComparison.Ordinal);
        Options wanted = Parse(old.Replace(
            "RefreshTime 15", "RefreshTime 5 CacheTimeout 30", StringComparison.Ordinal));
        ReloadPlan plan = ReloadPlan.Make(Parse(old), wanted);
        Assert.Empty(plan.Kept);
        Assert.Equal(5u, plan.Options.Sync!.RefreshSeconds);
        Assert.Equal(30u, plan.Options.Sync.CacheTimeoutSeconds);
    }

    [Theory]
    [InlineData("HashLimit 8192", "PollSecs 5", "PollSecs")]
    [InlineData("Mode FTFW", "Mode NOTRACK", "Mode")]
    [InlineData("ResendQueueSize 1000", "ResendQueueSize 1001", "ResendQueueSize")]
    [InlineData("PurgeTimeout 60", "DisableExternalCache on", "DisableExternalCache")]
    [InlineData("Port 3780", "Port 3781", "links")]
    [InlineData("Interface eth2", "Interface eth3", "links")]
    [InlineData("Port 3780", "Port 3780 KeyFile /etc/x.key", "links")]
    [InlineData("Port 3780", "Port 3780 FrameChecksum on", "links")]
    [InlineData("Mode FTFW", "Options { NodeNumber 3 } Mode FTFW", "NodeNumber")]
    [InlineData("/run/x.lock", "/run/y.lock", "LockFile")]
    [InlineData("/run/x.ctl", "/run/y.ctl", "UNIX Path")]
    [InlineData("General {", "Helper { }\nGeneral {", "Helper")]
    public void What_cannot_change_is_kept_and_named(string now, string then, string directive)
    {
        Options old = Parse(Sync);
        string text = Sync.Replace(now, then, StringComparison.Ordinal);
        if (then == "Mode NOTRACK")
        {
            text = text.Replace("ResendQueueSize 1000", "", StringComparison.Ordinal);
        }
        ReloadPlan plan = ReloadPlan.Make(old, Parse(text));
        Assert.Contains(directive, plan.Kept);
        Assert.Equal(old.Sync!.Mode, plan.Options.Sync!.Mode);
        Assert.Equal(old.Sync.Links, plan.Options.Sync.Links);
        Assert.Equal(old.UnixPath, plan.Options.UnixPath);
        Assert.Equal(old.Sync.ResendQueueSize, plan.Options.Sync.ResendQueueSize);
        Assert.Equal(old.HasHelperSection, plan.Options.HasHelperSection);
    }

    [Fact]
    public void Another_kind_of_daemon_waits_for_a_restart()
    {
        Options old = Parse(Sync);
        ReloadPlan plan = ReloadPlan.Make(old, Parse("Stats {\n}\nGeneral { HashLimit 5 }\n"));
        Assert.Contains(plan.Kept, text => text.StartsWith("Sync and Stats"));
        Assert.Same(old.Sync, plan.Options.Sync);
        Assert.Null(plan.Options.Stats);
        Assert.Equal(5u, plan.Options.HashLimit);
    }

    private static Options Parse(string text)
    {
        ConfigResult result = ConfigParser.Parse("test.conf", Encoding.UTF8.GetBytes(text));
        Assert.True(result.Options is not null, string.Join('\n', result.Diagnostics));
        return result.Options;
    }
}
