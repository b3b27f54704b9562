using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>Flows of the original whose end was not heard.</summary>
public sealed class StaleFlowTests
{
    /// <summary>
    /// Two flows whose timeout is over. Lets minutes pass in which the peer lives, and answers the
    /// request for everything with the first one only.
    /// </summary>
    private static EngineDesk Run(int minutes, bool acknowledges, bool loses)
    {
        var desk = new EngineDesk();
        desk.Greet();
        Flow living = FlowTableTests.MakeFlow(1, 0), gone = FlowTableTests.MakeFlow(2, 0);
        living.TimeoutSeconds = gone.TimeoutSeconds = 30;
        living.Present |= FlowAttributes.Timeout;
        gone.Present |= FlowAttributes.Timeout;
        desk.HearFlow(SyncType.FlowNew, desk.PeerNext++, in living);
        desk.HearFlow(SyncType.FlowNew, desk.PeerNext++, in gone);
        for (int second = 0; second < 60 * minutes; second++)
        {
            bool asked = desk.Pass(SyncEngine.Second)
                .Any(m => (m.Flags & SyncFlags.Resync) != 0);
            if (asked)
            {
                if (loses) { desk.PeerNext++; }
                desk.HearFlow(SyncType.FlowUpdate, desk.PeerNext++, in living);
            }
            if (acknowledges) { desk.Acknowledge(); }
            else { desk.Hear(SyncFlags.Alive, desk.PeerNext++); }
        }
        return desk;
    }

    [Fact]
    public void One_that_the_original_tells_no_more_when_asked_is_removed()
    {
        using EngineDesk desk = Run(minutes: 5, acknowledges: true, loses: false);
        Flow living = FlowTableTests.MakeFlow(1, 0);
        Assert.Equal((1u, 1ul), (desk.External.Count, desk.Engine.Counters.Outlived));
        Assert.NotEqual(0u, desk.External.Find(in living));
    }

    [Theory]
    [InlineData(2, true, false)]            // its time is not long over
    [InlineData(20, false, false)]          // the request was not acknowledged
    [InlineData(5, true, true)]             // something was lost since it was asked
    public void None_is_removed_on_half_a_word(int minutes, bool acknowledges, bool loses)
    {
        using EngineDesk desk = Run(minutes, acknowledges, loses);
        Assert.Equal((2u, 0ul), (desk.External.Count, desk.Engine.Counters.Outlived));
    }
}
