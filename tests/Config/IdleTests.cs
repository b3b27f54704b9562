using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

/// <summary>Settings that do nothing beside others are taken, and said.</summary>
public sealed class IdleTests
{
    private const string Polling = "has no effect with 'PollSecs', which listens to no events";

    [Fact]
    public void Settings_of_events_beside_polling()
    {
        Warned(General("PollSecs 5 NetlinkOverrunResync 7 NetlinkEventsReliable on\n"
                + "SocketBufferSize 9 NetlinkBufferSizeMaxGrowth 9"),
            $"2:12: 'NetlinkOverrunResync' {Polling}",
            $"2:35: 'NetlinkEventsReliable' {Polling}",
            $"3:1: 'NetlinkBufferSize' {Polling}",
            $"3:20: 'NetlinkBufferSizeMaxGrowth' {Polling}");
        Clean(General("PollSecs 5 NetlinkEventsReliable off"));
    }

    [Theory]
    [InlineData("NetlinkBufferSize 8388608")]
    [InlineData("NetlinkBufferSize 8388608 NetlinkBufferSizeMaxGrowth 8388607")]
    public void A_buffer_beyond_its_growth(string text) => Warned(General(text),
        "2:1: 'NetlinkBufferSize' has no effect without a 'NetlinkBufferSizeMaxGrowth' that is "
            + "at least as large, the buffer has the default size of the system");

    [Fact]
    public void Times_of_a_mode_that_is_not_in_use()
    {
        Warned(InSync("Mode FTFW { } RefreshTime 5\nCacheTimeout 50 " + Udp),
            "4:15: 'RefreshTime' is only for 'Mode ALARM', which is not in use",
            "5:1: 'CacheTimeout' is only for 'Mode ALARM', which is not in use");
        Warned(InSync("Mode ALARM { RefreshTime 180 } " + Udp),
            "4:14: 'RefreshTime' lets flows of the peer vanish after 180 s, before they are told "
                + "again ('RefreshTime' is 180 s)");
        Clean(InSync("Mode ALARM { RefreshTime 15 CacheTimeout 180 } " + Udp));
    }

    [Fact]
    public void A_link_to_itself() => Warned(
        InSync("Mode FTFW { } " + Udp.Replace("10.0.0.2", "10.0.0.1", StringComparison.Ordinal)),
        "4:15: the destination of the 'UDP' link is its own address: this node talks to itself");
}
