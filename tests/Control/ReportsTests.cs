using System.Text;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

/// <summary>
/// Every topic of <c>-s</c> against the output of the original with the same counters.
/// </summary>
public sealed class ReportsTests
{
    private static readonly CacheReport s_internal = new(
        Active: 52, Objects: 52, Created: 52, CreateFailedMemory: 0, CreateFailedSpace: 0,
        Updated: 21, UpdateNotFound: 0, Destroyed: 0, DestroyNotFound: 0);

    private static readonly LinkReport s_sync0 = new(
        LinkKind.Udp, "sync0", LinkStatus.Running, Active: true,
        BytesSent: 6304, BytesReceived: 1376, PacketsSent: 141, PacketsReceived: 86,
        ErrorsSent: 0, ErrorsReceived: 0);

    private static readonly LinkReport s_tcp = new(
        LinkKind.Tcp, "sync0", LinkStatus.Running, Active: true,
        BytesSent: 5628, BytesReceived: 24, PacketsSent: 6, PacketsReceived: 2,
        ErrorsSent: 0, ErrorsReceived: 0, ServerConnected: true, ClientConnected: true);

    [Fact]
    public void What_left_the_external_cache_unheard_is_told_in_our_forms()
    {
        var text = new TextBuffer();
        var removed = new RemovalReport(1, 2, 3, 4);
        Reports.AppendRemovals(text, removed);
        Assert.Contains(
            "\toutlived, not told:\t                   2\n"
            + "\tnot repeated:\t\t                   3\n",
            Encoding.ASCII.GetString(text.Written), StringComparison.Ordinal);
        text.Clear();
        text.WantsJson = true;
        Reports.AppendRemovals(text, removed);
        Assert.Equal(
            "{\"type\":\"removals\",\"swept\":1,\"outlived\":2,\"expired\":3,"
            + "\"expectations_expired\":4}\n", Encoding.ASCII.GetString(text.Written));
    }

    [Fact]
    public void Statistics_of_sync_mode() => Golden.Check("ftfw-udp-a.s.out", text =>
    {
        Reports.AppendCache(text, "internal"u8, s_internal);
        Reports.AppendCache(text, "external"u8, default);
        Reports.AppendTraffic(text, 0, 0);
        Reports.AppendActiveLink(text, s_sync0);
        Reports.AppendMessages(text, 0, 0);
    });

    [Fact]
    public void Statistics_with_both_caches_off() => Golden.Check("notrack-a.s-end.out", text =>
    {
        Reports.AppendBypass(text, new BypassReport(48, 37, 48));
        Reports.AppendInject(text, new InjectReport(47, 1, 0, 0, 0, 0));
        Reports.AppendTraffic(text, bytes: 5575, packets: 89);
        Reports.AppendActiveLink(text, s_tcp with
        {
            BytesSent = 14668,
            BytesReceived = 4488,
            PacketsSent = 15,
            PacketsReceived = 7,
        });
        Reports.AppendMessages(text, 0, 0);
    });

    [Fact]
    public void Statistics_of_stats_mode() => Golden.Check("stats-acct1-a.s-after-del.out", text =>
    {
        Reports.AppendCache(text, "stats"u8, new CacheReport(0, 0, 58, 0, 0, 48, 0, 58, 0));
        Reports.AppendTraffic(text, bytes: 9261, packets: 148);
    });

    [Fact]
    public void Cache_statistics() => Golden.Check("ftfw-udp-a.s-cache.out", text =>
    {
        Reports.AppendCacheDetail(text, "internal"u8, s_internal);
        Reports.AppendCacheDetail(text, "external"u8, default);
    });

    [Fact]
    public void Cache_statistics_of_stats_mode() => Golden.Check(
        "stats-acct1-a.s-cache.out",
        text => Reports.AppendCacheDetail(
            text, "stats"u8, new CacheReport(58, 58, 58, 0, 0, 16, 0, 0, 0)));

    [Fact]
    public void Cache_statistics_with_both_caches_off() =>
        Golden.Check("notrack-a.s-cache.out", text =>
        {
            Reports.AppendBypass(text, new BypassReport(48, 20, 0));
            Reports.AppendInject(text, default);
        });

    [Fact]
    public void Network_statistics() => Golden.Check("ftfw-udp-a.s-network.out", text =>
    {
        Reports.AppendNetwork(text, default);
        Reports.AppendActiveLink(text, s_sync0);
    });

    [Fact]
    public void Network_statistics_over_tcp() => Golden.Check("notrack-a.s-network.out", text =>
    {
        Reports.AppendNetwork(text, default);
        Reports.AppendActiveLink(text, s_tcp);
    });

    [Fact]
    public void Malformed_messages_are_the_sum_of_their_kinds()
    {
        string text = Golden.Print(text => Reports.AppendNetwork(
            text,
            new NetworkReport(1, 2, 4, 8, 16, 32, SendMalformed: 64, Lost: 128, Before: 256)));
        Assert.Contains("\trecv:\n\t\tMalformed messages:\t                  63\n", text);
        Assert.Contains("\tsend:\n\t\tMalformed messages:\t                  64\n", text);
    }

    [Fact]
    public void Link_statistics() => Golden.Check("ftfw-udp-a.s-link.out", text =>
    {
        Reports.AppendLink(text, s_sync0);
        Reports.AppendLink(text, new LinkReport(
            LinkKind.Udp, "sync1", LinkStatus.Running, Active: false, 0, 0, 0, 0, 0, 0));
    });

    [Theory]
    [InlineData(LinkKind.Multicast, LinkStatus.NoCarrier, true,
        "multicast traffic device=eth2 status=NO-CARRIER role=ACTIVE:\n")]
    [InlineData(LinkKind.Tcp, LinkStatus.Down, false,
        "TCP traffic device=eth2 status=DOWN role=BACKUP:\n")]
    internal void Link_titles(LinkKind kind, LinkStatus status, bool active, string title) =>
        Assert.StartsWith(title, Golden.Print(text => Reports.AppendLink(
            text, new LinkReport(kind, "eth2", status, active, 0, 0, 0, 0, 0, 0))));

    [Theory]
    [InlineData(LinkKind.Tcp,
        "TCP traffic (active device=eth2) server=connected client=disconnected:")]
    [InlineData(LinkKind.Multicast, "multicast traffic (active device=eth2):")]
    internal void Active_link_titles(LinkKind kind, string title) =>
        Assert.StartsWith(title, Golden.Print(text => Reports.AppendActiveLink(
            text, new LinkReport(kind, "eth2", LinkStatus.Running, true, 0, 0, 0, 0, 0, 0,
                ServerConnected: true))));

    [Fact]
    public void Runtime_statistics() => Golden.Check("ftfw-udp-a.s-runtime.out", text =>
        Reports.AppendRuntime(text, new RuntimeReport(
            UptimeSeconds: 60, EventsReceived: 78, EventsFiltered: 3, EventsUnknownType: 0,
            CatchEventFailed: 0, DumpUnknownType: 0, Overruns: 0, FlushKernel: 0,
            ResyncKernel: 0, BufferBytes: 2097152)));

    [Theory]
    [InlineData(59, "0 min")]
    [InlineData(3_599, "59 min")]
    [InlineData(3_600, "1 h 0 min")]
    [InlineData(86_399, "23 h 59 min")]
    [InlineData(86_400, "1 day 0 min")]
    [InlineData(2 * 86_400 + 3_660, "2 days 1 h 1 min")]
    public void Uptimes(long seconds, string uptime) => Assert.StartsWith(
        $"daemon uptime: {uptime}\n\nnetlink stats:\n",
        Golden.Print(text => Reports.AppendRuntime(
            text, default(RuntimeReport) with { UptimeSeconds = seconds })));

    [Fact]
    public void The_loop() => Assert.Equal(
        "event loop:\n\tturns:\t\t\t               52310\n"
        + "\tlongest turn (in us):\t                 912\n"
        + "\theap collections:\t                   0\n\n",
        Golden.Print(text => Reports.AppendLoop(text, new LoopReport(52310, 912, 0))));

    [Fact]
    public void Queue_statistics() => Golden.Check("ftfw-udp-a.s-queue.out", text =>
    {
        Reports.AppendQueueNodes(text, 0);
        Reports.AppendQueue(text, "txqueue"u8, new QueueReport(0, int.MaxValue, 0));
        Reports.AppendQueue(text, "errorq"u8, new QueueReport(0, 128, 0));
        Reports.AppendQueue(text, "rsqueue"u8, new QueueReport(0, 131072, 0));
    });

    [Fact]
    public void Resend_queue() => Golden.Check("ftfw-udp-b.s-rsqueue.out", text =>
    {
        Reports.AppendResendQueue(text, 1);
        Reports.AppendResendControl(text, 1795358248, 8);
    });

    [Fact]
    public void Resend_queue_with_a_flow() => Assert.Equal(
        "resent queue (len=2)\ncontrol -> seq:1795358871 flags:34\nobject -> seq:1795358872\n",
        Golden.Print(text =>
        {
            Reports.AppendResendQueue(text, 2);
            Reports.AppendResendControl(text, 1795358871, 34);
            Reports.AppendResendFlow(text, 1795358872);
        }));

    [Fact]
    public void Frames_of_a_sealed_and_of_a_checked_link()
    {
        var frames = new FramesReport(true, 2, 1, 100, 10) { Plain = 3, Forged = 4, Late = 5 };
        string text = Golden.Print(buffer => Reports.AppendFrames(buffer, frames));
        Assert.StartsWith("sealed link statistics:\n\t\tKey sent with:\t\t", text);
        Assert.Matches(@"Accepted frames:\s+100\n\t\tAccepted beacons:\s+10\n", text);
        Assert.Matches(@"Not sealed:\s+3\n.*\n.*\n\t\tWrong key or forged:\s+4\n", text);
        Assert.Matches(@"Frames too late:\s+5\n\t\tToo many nodes:\s+0\n\n$", text);
        text = Golden.Print(buffer => Reports.AppendFrames(
            buffer, new FramesReport(false, 0, 0, 100, 0) { Corrupt = 6 }));
        Assert.StartsWith("checked link statistics:\n\trecv:\n\t\tAccepted frames:\t", text);
        Assert.Matches(@"Corrupt frames:\s+6\n\n$", text);
    }

    [Fact]
    public void Readers() => Assert.Equal(
        "PID=42 type=any\nPID=43 type=flush\nPID=44 type=commit\n",
        Golden.Print(text =>
        {
            Reports.AppendReader(text, 42, ReaderKind.Any);
            Reports.AppendReader(text, 43, ReaderKind.Flush);
            Reports.AppendReader(text, 44, ReaderKind.Commit);
        }));
}
