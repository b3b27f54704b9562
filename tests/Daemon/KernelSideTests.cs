using Conntrackd.Cache;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Daemon;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class KernelSideTests
{
    private const byte Established = 3, FinWait = 4;

    [Fact]
    public void A_flow_ends_in_the_cache_whatever_its_last_state_and_the_filter()
    {
        var filter = new FlowFilterBuilder { StatePolicy = FilterPolicy.Accept };
        filter.AddTcpState(Established);
        using var table = new FlowTable(10, seed: 1);
        var settings = new SyncSettings(
            Conntrackd.Sync.SyncMode.NoTrack, 100, 10, true, false, FirstSequence: 1);
        var engine = new SyncEngine(settings, table, null, null, now: 0);
        using var log = new Log { ToConsole = false };
        using var side = new KernelSide(
            engine, new Options { Filter = filter.Build() }, started: 0, log);

        Flow flow = FlowTableTests.MakeFlow(1, 0);
        flow.Protocol = L4Protocol.Tcp;
        flow.Present |= FlowAttributes.ProtocolState;
        flow.ProtocolState = Established;
        side.OnEvent(FlowEventKind.New, ref flow, EventOrigin.Other);
        Assert.Equal(1ul, table.Counters.Active);
        flow.Present |= FlowAttributes.ProtocolState;
        flow.ProtocolState = FinWait;
        side.OnEvent(FlowEventKind.Destroy, ref flow, EventOrigin.Other);
        Assert.Equal(0ul, table.Counters.Active);
    }
}
