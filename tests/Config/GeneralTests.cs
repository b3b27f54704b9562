using System.Linq;
using System.Text;
using Conntrackd.Config;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class GeneralTests
{
    [Fact]
    public void An_empty_file_gives_the_documented_defaults_and_a_warning_about_the_socket()
    {
        Options options = Warned("",
            "1:1: no 'Path' in 'UNIX' in 'General', the control socket is /var/run/conntrackd.ctl");

        Assert.Equal(65536u, options.HashSize);
        Assert.Equal(262144u, options.HashLimit);
        Assert.Null(options.LogFile);
        Assert.Null(options.Syslog);
        Assert.Equal("/var/lock/conntrackd.lock", options.LockFile);
        Assert.Equal("/var/run/conntrackd.ctl", options.UnixPath);
        Assert.Equal(0, options.NetlinkBufferBytes);
        Assert.Equal(0, options.NetlinkBufferMaxBytes);
        Assert.False(options.IsNetlinkBufferHonoured);
        Assert.Equal(30u, options.NetlinkOverrunResyncSeconds);
        Assert.False(options.NetlinkEventsReliable);
        Assert.Equal(0u, options.PollSeconds);
        Assert.Equal(100u, options.EventIterationLimit);
        Assert.Null(options.Systemd);
        Assert.Equal(new SchedulerOptions(SchedulerPolicy.RoundRobin, 99), options.Scheduler);
        Assert.True(options.Filter.IsEmpty);
        Assert.Null(options.Sync);
        Assert.Null(options.Stats);
        Assert.Empty(options.Helpers);
        Assert.False(options.HasHelperSection);
    }

    [Fact]
    public void Every_directive_of_General_sets_its_option()
    {
        Options options = Clean(General("""
            HashSize 1000 HashLimit 2000 LogFile /var/log/a LockFile /var/lock/a Syslog local3
            NetlinkBufferSize 2048 NetlinkBufferSizeMaxGrowth 4096 NetlinkOverrunResync 7
            NetlinkEventsReliable yes EventIterationLimit 9 Systemd off
            Scheduler { Type fifo Priority 20 }
            """));

        Assert.Equal(1000u, options.HashSize);
        Assert.Equal(2000u, options.HashLimit);
        Assert.Equal("/var/log/a", options.LogFile);
        Assert.Equal("/var/lock/a", options.LockFile);
        Assert.Equal(SyslogFacility.Local3, options.Syslog);
        Assert.Equal("/run/a.ctl", options.UnixPath);
        Assert.Equal(2048, options.NetlinkBufferBytes);
        Assert.Equal(4096, options.NetlinkBufferMaxBytes);
        Assert.True(options.IsNetlinkBufferHonoured);
        Assert.Equal(7u, options.NetlinkOverrunResyncSeconds);
        Assert.True(options.NetlinkEventsReliable);
        Assert.Equal(3u, Clean(General("PollSecs 3")).PollSeconds);
        Assert.Equal(9u, options.EventIterationLimit);
        Assert.False(options.Systemd);
        Assert.Equal(new SchedulerOptions(SchedulerPolicy.Fifo, 20), options.Scheduler);
    }

    [Fact]
    public void Old_names_of_the_buffer_directives_mean_the_same()
    {
        Options options = Clean(General("SocketBufferSize 5 SocketBufferSizeMaxGrown 6"));
        Assert.Equal((5, 6), (options.NetlinkBufferBytes, options.NetlinkBufferMaxBytes));

        options = Clean(General("SocketBufferSizeMaxGrowth 7"));
        Assert.Equal(7, options.NetlinkBufferMaxBytes);
        Assert.Equal(
            new SourcePosition(2, 1), options.Origins["General.NetlinkBufferSizeMaxGrowth"]);
    }

    [Fact]
    public void Zero_stands_for_the_default()
    {
        Options options = Clean(General(
            "HashSize 0 HashLimit 0 NetlinkOverrunResync 0 EventIterationLimit 0"));

        Assert.Equal(new Options().HashSize, options.HashSize);
        Assert.Equal(new Options().HashLimit, options.HashLimit);
        Assert.Equal(30u, options.NetlinkOverrunResyncSeconds);
        Assert.Equal(100u, options.EventIterationLimit);
    }

    [Theory]
    [InlineData("on", 30)]
    [InlineData("YES", 30)]
    [InlineData("off", 0)]
    [InlineData("No", 0)]
    public void The_overrun_resync_takes_a_boolean_too(string value, uint seconds) =>
        Assert.Equal(
            seconds, Clean(General($"NetlinkOverrunResync {value}")).NetlinkOverrunResyncSeconds);

    [Fact]
    public void LogFile_on_means_the_default_file_of_its_section()
    {
        Options options = Clean(General("LogFile on") + "Stats { LogFile on }");

        Assert.Equal("/var/log/conntrackd.log", options.LogFile);
        Assert.Equal("/var/log/conntrackd-stats.log", options.Stats!.LogFile);
    }

    [Fact]
    public void Syslog_takes_a_boolean_or_a_facility_and_off_undoes_it()
    {
        Assert.Equal(SyslogFacility.Daemon, Clean(General("Syslog on")).Syslog);
        Assert.Equal(SyslogFacility.Daemon, Clean(General("Syslog daemon")).Syslog);
        Assert.Equal(SyslogFacility.Local7, Clean(General("Syslog local7")).Syslog);
        Assert.Null(Clean(General("Syslog local7 Syslog off")).Syslog);
        Assert.Equal(23, (int)SyslogFacility.Local7);
    }

    [Fact]
    public void A_facility_of_Stats_alone_is_kept_and_a_conflict_goes_to_General()
    {
        Assert.Equal(
            SyslogFacility.Local1, Clean(General("") + "Stats { Syslog local1 }").Stats!.Syslog);

        Options options = Warned(General("Syslog local0") + "Stats { Syslog local1 }",
            "4:9: conflicting 'Syslog' facilities, using that of 'General'");
        Assert.Equal(SyslogFacility.Local0, options.Stats!.Syslog);
    }

    [Fact]
    public void A_priority_without_type_is_not_used_and_a_type_without_priority_fails_softly()
    {
        Options options = Warned(General("Scheduler { Priority 20 }"),
            "2:13: 'Priority' has no effect without 'Type', using rr 99");
        Assert.Equal(new SchedulerOptions(SchedulerPolicy.RoundRobin, 99), options.Scheduler);

        options = Warned(General("Scheduler { Type RR }"),
            "2:13: 'Type' needs a 'Priority' of 1-99, "
                + "continuing with the default scheduler of the system");
        Assert.Equal(new SchedulerOptions(SchedulerPolicy.Normal, 0), options.Scheduler);
    }

    [Theory]
    [InlineData("HashSize 134217728",
        "2:10: expected a number of buckets 0-134217727 after 'HashSize', found '134217728'")]
    [InlineData("HashLimit 4294967296",
        "2:11: expected a number of flows 0-4294967295 after 'HashLimit', found '4294967296'")]
    [InlineData("PollSecs 4294967295",
        "2:10: expected seconds 1-2147483647 after 'PollSecs', found '4294967295'")]
    [InlineData("EventIterationLimit 4294967295",
        "2:21: expected a number of events 0-2147483647 after 'EventIterationLimit', "
            + "found '4294967295'")]
    [InlineData("EventIterationLimit 99999999999999999999999999",
        "2:21: expected a number of events 0-2147483647 after 'EventIterationLimit', "
            + "found '99999999999999999999999999'")]
    [InlineData("NetlinkOverrunResync never",
        "2:22: expected on, off or seconds 0-2147483647 after 'NetlinkOverrunResync', "
            + "found 'never'")]
    [InlineData("LockFile a.lock", "2:10: expected a path after 'LockFile', found 'a.lock'")]
    [InlineData("Nice", "3:1: expected a number with a sign (-10, +5) after 'Nice', found '}'")]
    [InlineData("Scheduler { Type idle }", "2:18: unknown scheduler 'idle', expected rr or fifo")]
    [InlineData("Scheduler RR", "2:11: expected '{' after 'Scheduler', found 'RR'")]
    public void A_wrong_value_is_an_error_that_says_what_is_right(string body, string message) =>
        Refused(General(body), message);

    [Fact]
    public void A_buffer_beyond_31_bits_is_cut_with_a_warning()
    {
        Options options = Warned(General("NetlinkBufferSizeMaxGrowth 4294967295"),
            "2:28: 4294967295 bytes are more than a buffer can have, using 2147483647");
        Assert.Equal(int.MaxValue, options.NetlinkBufferMaxBytes);
    }

    [Fact]
    public void Paths_may_hold_hash_braces_and_bytes_above_ASCII()
    {
        Options options = Clean(General("LogFile /var/log/a#b{c}é LockFile /b"));
        Assert.Equal("/var/log/a#b{c}é", options.LogFile);

        byte[] text = Encoding.Latin1.GetBytes(General("LogFile /var/log/\xe9"));
        Assert.Equal("a.conf:2:9: the path after 'LogFile' is not UTF-8 text",
            Assert.Single(ParseBytes(text).Diagnostics).ToString());
    }

    [Fact]
    public void Paths_have_the_limits_of_the_original()
    {
        string path = "/" + new string('x', 255);
        Assert.Equal(path, Clean(General($"LockFile {path}")).LockFile);
        Refused(General($"LockFile {path}x"),
            "2:10: the path after 'LockFile' has 257 bytes, at most 256 fit");

        path = "/" + new string('x', 106);
        Assert.Equal(path, Clean($"General {{ UNIX {{ Path {path} }} }}").UnixPath);
        Refused($"General {{ UNIX {{ Path {path}x }} }}",
            "1:23: the path after 'Path' has 108 bytes, at most 107 fit");
    }

    [Fact]
    public void Positions_are_kept_where_a_default_was_replaced()
    {
        Options options = Clean(
            "General {\n\tHashSize 5\n  UNIX { Path /a }\n}\nStats { Syslog on }");

        Assert.Equal(
            ["General.HashSize", "General.UNIX", "Stats.Syslog", "UNIX.Path"],
            options.Origins.Keys.Order());
        Assert.Equal(new SourcePosition(2, 2), options.Origins["General.HashSize"]);
        Assert.Equal(new SourcePosition(3, 10), options.Origins["UNIX.Path"]);
    }
}
