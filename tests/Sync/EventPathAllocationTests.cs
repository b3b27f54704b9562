using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>The law of the event path: kernel bytes to the peer's cache without the heap.</summary>
public sealed class EventPathAllocationTests
{
    private const int Events = 100_000;
    private const int Flows = 500;

    [Fact]
    public void A_hundred_thousand_events_allocate_nothing()
    {
        using var left = new EngineDesk(ackWindow: 50);
        using var right = new EngineDesk(ackWindow: 50);
        byte[] message = new byte[1024];
        byte[] datagram = new byte[1471];
        Run(left, right, message, datagram, 5000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(left, right, message, datagram, Events);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(left.Internal.Counters.Active, right.External.Count);
    }

    private static void Run(
        EngineDesk left, EngineDesk right, byte[] message, byte[] datagram, int events)
    {
        var leftAddress = EngineDesk.Peer;
        var rightAddress = EngineDesk.Peer with { Address = new Address(0, 0xC0A8_0001) };
        Flow decoded = default;
        for (int i = 0; i < events; i++)
        {
            Flow flow = FlowTableTests.MakeFlow(i % Flows, (uint)i);
            var writer = new MessageWriter(message);
            if (!FlowEncoder.EncodeCreate(ref writer, in flow, 1, 0, new CreateOptions(60, false)))
            {
                throw new InvalidOperationException("the flow does not fit");
            }
            var reader = new MessageReader(message);
            reader.TryNext(out NetlinkMessage netlink);
            FlowDecoder.Decode(netlink.Payload, ref decoded);
            FlowEventKind kind = (i / Flows % 4) switch
            {
                0 => FlowEventKind.New,
                3 => FlowEventKind.Destroy,
                _ => FlowEventKind.Update,
            };
            left.Engine.OnEvent(kind, ref decoded, announce: true, left.Now);
            left.Now = right.Now += 100;
            left.Engine.OnDeadline(left.Now);
            right.Engine.OnDeadline(right.Now);
            Exchange(left.Engine, right.Engine, in leftAddress, datagram, left.Now);
            Exchange(right.Engine, left.Engine, in rightAddress, datagram, left.Now);
        }
        left.Now = right.Now += SyncEngine.Second;
        for (int i = 0; i < 50; i++)
        {
            left.Now = right.Now += 2000;
            Exchange(left.Engine, right.Engine, in leftAddress, datagram, left.Now);
            Exchange(right.Engine, left.Engine, in rightAddress, datagram, left.Now);
        }
    }

    private static void Exchange(
        SyncEngine sender, SyncEngine receiver, in PeerAddress from, byte[] datagram, long now)
    {
        while (sender.TryTakeDatagram(datagram, now, out int length))
        {
            receiver.OnDatagram(in from, datagram.AsSpan(0, length), now);
        }
    }
}
