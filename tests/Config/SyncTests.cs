using System.Linq;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class SyncTests
{
    private const string Multicast = "Multicast { IPv4_address 225.0.0.50 Group 3780 "
        + "IPv4_interface 192.168.100.100 Interface eth2 }\n";

    [Fact]
    public void Defaults_of_Sync_are_the_documented_ones()
    {
        SyncOptions sync = Clean(InSync("Mode FTFW { } " + Udp)).Sync!;

        Assert.Equal(SyncMode.Ftfw, sync.Mode);
        Assert.Equal(60u, sync.RefreshSeconds);
        Assert.Equal(180u, sync.CacheTimeoutSeconds);
        Assert.Equal(0u, sync.CommitTimeoutSeconds);
        Assert.Equal(60u, sync.PurgeTimeoutSeconds);
        Assert.Equal(131072u, sync.ResendQueueSize);
        Assert.Equal(300u, sync.AckWindowSize);
        Assert.Equal(128u, sync.ErrorQueueLength);
        Assert.False(sync.DisableInternalCache);
        Assert.False(sync.DisableExternalCache);
        Assert.False(sync.StartupResync);
        Assert.False(sync.TcpWindowTracking);
        Assert.Same(ExpectationSync.Off, sync.ExpectationSync);
    }

    [Fact]
    public void Every_setting_of_FTFW_is_read()
    {
        SyncOptions sync = Clean(InSync("Mode FTFW { ResendQueueSize 10 ACKWindowSize 20 "
            + "PurgeTimeout 2147483647 DisableExternalCache on StartupResync yes }" + Udp)).Sync!;

        Assert.Equal((10u, 20u), (sync.ResendQueueSize, sync.AckWindowSize));
        Assert.Equal(2147483647u, sync.PurgeTimeoutSeconds);
        Assert.True(sync.DisableExternalCache);
        Assert.True(sync.StartupResync);
    }

    [Fact]
    public void Every_setting_of_ALARM_is_read_in_the_mode_and_in_Sync()
    {
        string timers = "RefreshTime 1 CacheTimeout 2 CommitTimeout 3 PurgeTimeout 4";
        string[] texts = [$"Mode ALARM {{ {timers} }}", $"{timers} Mode alarm {{ }}"];
        foreach (string text in texts)
        {
            Options options = Clean(InSync(text + Udp));
            SyncOptions sync = options.Sync!;
            Assert.Equal(SyncMode.Alarm, sync.Mode);
            Assert.Equal((1u, 2u), (sync.RefreshSeconds, sync.CacheTimeoutSeconds));
            Assert.Equal((3u, 4u), (sync.CommitTimeoutSeconds, sync.PurgeTimeoutSeconds));
            Assert.Contains("Sync.RefreshTime", options.Origins.Keys);
        }
    }

    [Fact]
    public void Zero_stands_for_the_default()
    {
        SyncOptions alarm =
            Clean(InSync("Mode ALARM { } RefreshTime 0 CacheTimeout 0 " + Udp)).Sync!;
        Assert.Equal((60u, 180u), (alarm.RefreshSeconds, alarm.CacheTimeoutSeconds));

        SyncOptions sync = Clean(InSync("CommitTimeout 0 PurgeTimeout 0 "
            + "Mode FTFW { ResendQueueSize 0 ACKWindowSize 0 }" + Udp)).Sync!;
        Assert.Equal((0u, 60u), (sync.CommitTimeoutSeconds, sync.PurgeTimeoutSeconds));
        Assert.Equal((131072u, 300u), (sync.ResendQueueSize, sync.AckWindowSize));
    }

    [Fact]
    public void NOTRACK_may_do_without_caches_and_then_CommitTimeout_is_dropped()
    {
        SyncOptions sync = Warned(
            InSync("Mode NoTrack { DisableInternalCache on DisableExternalCache on\n"
                + "CommitTimeout 9 }" + Udp),
            "5:1: 'CommitTimeout' cannot be combined with 'DisableExternalCache', ignoring it")
            .Sync!;

        Assert.Equal(SyncMode.NoTrack, sync.Mode);
        Assert.True(sync.DisableInternalCache && sync.DisableExternalCache);
        Assert.Equal(0u, sync.CommitTimeoutSeconds);
    }

    [Fact]
    public void Of_several_modes_FTFW_goes_before_ALARM_before_NOTRACK()
    {
        SyncOptions sync = Warned(InSync("Mode NOTRACK { }\nMode ALARM { }\n" + Udp),
            "5:1: several modes, using 'Mode ALARM' with the settings of all").Sync!;
        Assert.Equal(SyncMode.Alarm, sync.Mode);

        sync = Warned(InSync("Mode NOTRACK { DisableInternalCache on }\nMode FTFW { }\n" + Udp),
            "4:16: 'DisableInternalCache' is only for 'Mode NOTRACK', which is not in use, "
                + "ignoring it",
            "5:1: several modes, using 'Mode FTFW' with the settings of all").Sync!;
        Assert.Equal(SyncMode.Ftfw, sync.Mode);
        Assert.False(sync.DisableInternalCache);
    }

    [Theory]
    [InlineData("nack", SyncMode.Ftfw, "FTFW")]
    [InlineData("NACK", SyncMode.Ftfw, "FTFW")]
    [InlineData("persistent", SyncMode.Alarm, "ALARM")]
    [InlineData("PERSISTENT", SyncMode.Alarm, "ALARM")]
    public void Old_names_of_modes_are_understood_with_a_warning(
        string name, object mode, string today)
    {
        SyncOptions sync = Warned(InSync($"Mode {name} {{ }} {Udp}"),
            $"4:6: mode '{name}' is now called 'Mode {today}', please change the file").Sync!;
        Assert.Equal(mode, sync.Mode);
    }

    [Fact]
    public void A_multicast_link_has_group_interface_and_buffers()
    {
        LinkOptions link = Assert.Single(Clean(InSync("Mode FTFW { }\nMulticast { "
            + "IPv4_address 225.0.0.50 Group 3780 IPv4_interface 192.168.100.100 Interface eth2 "
            + "SndSocketBuffer 11 RcvSocketBuffer 12 Checksum off }")).Sync!.Links);

        Assert.Equal(LinkKind.Multicast, link.Kind);
        Assert.Equal(AddressFamily.Ipv4, link.Family);
        Assert.Equal(new Address(0, 0xe1000032), link.GroupAddress);
        Assert.Equal(new Address(0, 0xc0a86464), link.InterfaceAddress);
        Assert.Equal(3780, link.Port);
        Assert.Equal("eth2", link.InterfaceName);
        Assert.Equal((11, 12), (link.SendBufferBytes, link.ReceiveBufferBytes));
        Assert.False(link.Checksum);
        Assert.True(link.IsDefault);
        Assert.Equal(new SourcePosition(5, 1), link.Position);
    }

    [Fact]
    [Trait("Defect", "W7")]
    public void An_IPv6_group_may_stand_behind_its_interface()
    {
        LinkOptions link = Assert.Single(Clean(InSync("Mode FTFW { } Multicast { "
            + "Interface eth2 Group 1 IPv6_address ff02::50 }")).Sync!.Links);

        Assert.Equal(AddressFamily.Ipv6, link.Family);
        Assert.Equal(new Address(0xff02ul << 48, 0x50), link.GroupAddress);
        Assert.Null(link.InterfaceAddress);
        Assert.True(link.Checksum);
    }

    [Fact]
    public void A_unicast_link_may_do_without_a_local_address()
    {
        LinkOptions link = Assert.Single(Clean(InSync("Mode FTFW { } UDP { "
            + "IPv6_Destination_Address fd00::2 Port 3780 Interface ae0 }")).Sync!.Links);

        Assert.Equal((LinkKind.Udp, AddressFamily.Ipv6), (link.Kind, link.Family));
        Assert.Equal(new Address(0xfd00ul << 48, 2), link.DestinationAddress);
        Assert.Null(link.LocalAddress);
        Assert.Equal("ae0", link.InterfaceName);
    }

    [Fact]
    public void The_last_link_marked_Default_is_it_and_the_first_if_none_is()
    {
        string marked = Udp.Replace("UDP", "UDP Default", StringComparison.Ordinal);

        Assert.Equal([true, false], DefaultsOf(Udp + Udp));
        Assert.Equal([false, false, true, false], DefaultsOf(Udp + marked + marked + Udp));

        static bool[] DefaultsOf(string links) => Clean(InSync("Mode FTFW { } " + links))
            .Sync!.Links.Select(l => l.IsDefault).ToArray();
    }

    [Theory]
    [InlineData("UDP { IPv4_Destination_Address 10.0.0.2 Interface eth2 }",
        "4:15: the 'UDP' link has no valid 'Port'")]
    [InlineData("TCP { IPv4_Destination_Address 10.0.0.2 Port 0 Interface eth2 }",
        "4:15: the 'TCP' link has no valid 'Port'")]
    [InlineData("UDP { IPv4_address 10.0.0.2 Port 1 Interface eth2 }",
        "4:15: the 'UDP' link has no valid 'IPv4_Destination_Address'")]
    [InlineData("UDP { IPv6_address ::2 Port 1 Interface eth2 }",
        "4:15: the 'UDP' link has no valid 'IPv6_Destination_Address'")]
    [InlineData("UDP { Port 1 Interface eth2 }",
        "4:15: the 'UDP' link has no valid 'IPv4_Destination_Address' or "
            + "'IPv6_Destination_Address'")]
    [InlineData("UDP { IPv4_Destination_Address 10.0.0.2 Port 1 }",
        "4:15: the 'UDP' link has no valid 'Interface'")]
    [InlineData("UDP { IPv4_address 10.0.0.1 IPv6_Destination_Address ::2 Port 1 Interface e }",
        "4:15: the 'UDP' link mixes IPv4 and IPv6: local address '10.0.0.1', destination '::2'")]
    [InlineData("Multicast { Group 3780 Interface eth2 }",
        "4:15: the 'Multicast' link has no valid 'IPv4_address' or 'IPv6_address'")]
    [InlineData("Multicast { IPv4_address 225.0.0.50 Interface eth2 }",
        "4:15: the 'Multicast' link has no valid 'Group'")]
    [InlineData("Multicast { IPv4_address 255.0.0.50 Group 1 Interface eth2 }",
        "4:15: '255.0.0.50' of the 'Multicast' link is not a multicast address "
            + "(224.0.0.0/4, ff00::/8)")]
    [InlineData("UDP { IPv4_Destination_Address 10.0.0.2 Port 1 Interface sixteen-letters0 }",
        "4:72: interface name 'sixteen-letters0' has 16 bytes, at most 15 fit")]
    [InlineData("UDP { IPv4_Destination_Address 10.0.0.2 Interface e Port abc }",
        "4:72: expected a port 1-65535 after 'Port', found 'abc'")]
    [InlineData("UDP { IPv4_Destination_Address 10.0.0.2 Interface e Port 4294967296 }",
        "4:72: expected a port 1-65535 after 'Port', found '4294967296'")]
    [InlineData("UDP { Checksum maybe IPv4_Destination_Address 10.0.0.2 Interface e Port 1 }",
        "4:30: expected on or off after 'Checksum', found 'maybe'")]
    [InlineData("UDP { ErrorQueueLength 5 IPv4_Destination_Address 10.0.0.2 Interface e Port 1 }",
        "4:21: 'ErrorQueueLength' is not allowed in 'UDP', only in 'TCP'")]
    public void A_link_that_cannot_work_is_named_with_what_it_lacks(string link, string message) =>
        Refused(InSync("Mode FTFW { } " + link), message);

    [Fact]
    public void Links_may_be_of_different_kinds_and_a_fifth_link_is_refused()
    {
        Options options = Clean(InSync("Mode FTFW { }\n" + Multicast + Udp
            + "Options { RedundantLinks on }"));
        Assert.Equal([LinkKind.Multicast, LinkKind.Udp], options.Sync!.Links.Select(l => l.Kind));
        Assert.True(options.Sync.RedundantLinks);
        Assert.False(Warned(InSync("Mode FTFW { }\n" + Udp + "Options { RedundantLinks on }"),
            "6:11: 'RedundantLinks' needs a second link, ignoring it").Sync!.RedundantLinks);
        Refused(InSync("Mode FTFW { }\n" + Udp + Udp + Udp + Udp + Udp),
            "9:1: too many dedicated links, at most 4");
        Refused(InSync("Mode FTFW { }"),
            "3:1: no dedicated link in 'Sync', expected 'Multicast', 'UDP' or 'TCP'");
    }

    [Fact]
    public void Every_attribute_is_restored_unless_it_is_switched_off()
    {
        Assert.Equal(FlowAttributes.None, Restore("Mark on"));
        Assert.Equal(FlowAttributes.Labels | FlowAttributes.Timeout,
            Restore("Labels off Timeout no Mark off Mark yes"));
        Refused(InSync("Mode FTFW { } " + Udp + "Options { Restore { labels off } }"),
            "5:21: unknown directive 'labels' in 'Restore', write 'Labels' (letter case matters)");

        static FlowAttributes Restore(string text) =>
            Clean(InSync("Mode FTFW { } " + Udp + $"Options {{ Restore {{ {text} }} }}"))
                .Sync!.Withheld;
    }

    [Fact]
    public void ExpectationSync_is_off_on_or_a_list_and_the_last_word_counts()
    {
        Assert.True(Read("ExpectationSync on").IsOn);
        Assert.Empty(Read("ExpectationSync yes").Helpers);
        Assert.Same(ExpectationSync.Off, Read("ExpectationSync on ExpectationSync off"));
        Assert.Equal(["ftp", "q.931", "face", "TCP"],
            Read("ExpectationSync { ftp q.931 FTP } ExpectationSync { face TCP }").Helpers);
        Assert.True(Read("ExpectationSync { }").IsOn);

        static ExpectationSync Read(string text) =>
            Clean(InSync($"Mode FTFW {{ }} {Udp} Options {{ {text} }}")).Sync!.ExpectationSync;
    }

    [Fact]
    public void Expectations_are_chosen_by_the_beginning_of_the_helper_name()
    {
        var list = new ExpectationSync(true, ["sip", "FTP"]);

        Assert.True(list.Covers("sip-5060"u8));
        Assert.True(list.Covers("ftp"u8));
        Assert.False(list.Covers("tftp"u8));
        Assert.False(list.Covers(""u8));
        Assert.True(ExpectationSync.All.Covers(""u8));
        Assert.False(ExpectationSync.Off.Covers("sip"u8));
    }

    [Fact]
    public void Options_of_TCP_links_and_windows_are_read()
    {
        SyncOptions sync = Clean(InSync("Mode FTFW { } TCP { "
            + "IPv4_Destination_Address 10.0.0.2 Port 1 Interface e ErrorQueueLength 256 } "
            + "Options { TCPWindowTracking on }")).Sync!;

        Assert.Equal(256u, sync.ErrorQueueLength);
        Assert.True(sync.TcpWindowTracking);
    }

    [Fact]
    public void The_file_VyOS_writes_is_read_without_a_remark()
    {
        Options options = Clean("""
            Sync {
                Mode FTFW {
                    DisableExternalCache on
                    StartupResync on
                }
                UDP {
                    IPv4_address 192.0.2.1
                    IPv4_Destination_Address 192.0.2.2
                    Port 3780
                    Interface eth1
                    SndSocketBuffer 1048576
                    RcvSocketBuffer 1048576
                    Checksum on
                }
                Options {
                    ExpectationSync { ftp sip h323 nfs sqlnet }
                }
            }
            Helper {
                Type rpc inet tcp { QueueNum 3 Policy rpc { ExpectMax 1 ExpectTimeout 300 } }
                Type rpc inet udp { QueueNum 4 Policy rpc { ExpectMax 1 ExpectTimeout 300 } }
                Type tns inet tcp { QueueNum 5 Policy tns { ExpectMax 1 ExpectTimeout 300 } }
            }
            General {
                HashSize 32768
                HashLimit 524288
                LogFile off
                Syslog on
                LockFile /var/lock/conntrack.lock
                UNIX {
                    Path /var/run/conntrackd.ctl
                }
                NetlinkBufferSize 2097152
                NetlinkBufferSizeMaxGrowth 8388608
                NetlinkOverrunResync off
                NetlinkEventsReliable on
                Filter From Userspace {
                    Address Ignore { IPv4_address 127.0.0.1 IPv6_address fe80::/10 }
                    Protocol Accept { TCP UDP ICMP IPv6-ICMP SCTP DCCP }
                }
            }
            """);

        Assert.Equal(5, options.Sync!.ExpectationSync.Helpers.Count);
        Assert.Equal(["rpc", "rpc", "tns"], options.Helpers.Select(h => h.Name));
        Assert.Equal([3, 4, 5], options.Helpers.Select(h => (int)h.QueueNumber));
        Assert.Equal(new HelperPolicy("tns", 1, 300), Assert.Single(options.Helpers[2].Policies));
        Assert.False(options.Filter.IsEmpty);
    }

    [Fact]
    public void Framing_of_a_link_is_read_and_off_by_default()
    {
        LinkOptions plain = Clean(InSync("Mode FTFW { } " + Udp)).Sync!.Links[0];
        Assert.Null(plain.KeyFile);
        Assert.False(plain.FrameChecksum);
        Options options = Clean(InSync("Mode FTFW { } " + With("KeyFile /etc/x.key")
            + With("KeyFile /etc/x.key") + "Options { NodeNumber 65535 }"));
        Assert.All(options.Sync!.Links, link => Assert.Equal("/etc/x.key", link.KeyFile));
        Assert.Equal(65535, options.Sync.NodeNumber);
        options = Clean(InSync("Mode FTFW { } " + With("FrameChecksum on")));
        Assert.True(options.Sync!.Links[0].FrameChecksum);
        Assert.Equal(0, options.Sync.NodeNumber);
    }

    [Fact]
    public void A_way_around_a_sealed_link_is_refused()
    {
        const string Differ = "6:1: the 'UDP' link and that of line 4 differ in 'KeyFile' or "
            + "'FrameChecksum', all links must have the same";
        Refused(InSync("Mode FTFW { } " + With("KeyFile /a") + "\n" + Udp),
            Differ);
        Refused(InSync("Mode FTFW { } " + With("KeyFile /a") + "\n" + With("KeyFile /b")),
            Differ);
        Refused(InSync("Mode FTFW { } " + With("FrameChecksum on") + "\n" + Udp),
            Differ);
        LinkOptions link = Warned(
            InSync("Mode FTFW { }\n" + With("KeyFile /a FrameChecksum on")),
            "5:1: the 'UDP' link has a 'KeyFile', which finds every change; ignoring "
                + "'FrameChecksum'").Sync!.Links[0];
        Assert.False(link.FrameChecksum);
    }

    private static string With(string more) =>
        Udp.Replace("Port 3780", "Port 3780 " + more, StringComparison.Ordinal);
}
