using System.IO;
using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Tests.Vectors;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <summary>The law of the hot path: no byte on the managed heap per event or message.</summary>
public sealed class CodecAllocationTests
{
    private const int Rounds = 20_000;

    [Fact]
    public void Events_become_messages_and_requests_without_allocation()
    {
        byte[] datagram = [];
        foreach (string path in VectorFolder.Find("dump-ftp-00.bin"))
        {
            datagram = File.ReadAllBytes(path);
        }
        var counters = new ReceiveCounters();
        byte[] link = new byte[4096], requests = new byte[4096];
        // Once before: the first run of a method may allocate in the runtime.
        Assert.Equal(2, Turn(datagram, link, requests, counters));
        long before = GC.GetAllocatedBytesForCurrentThread();
        int count = 0;
        for (int round = 0; round < Rounds; round++)
        {
            count += Turn(datagram, link, requests, counters);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2 * Rounds, count);
    }

    /// <summary>Kernel to link to kernel; returns how many flows went through.</summary>
    private static int Turn(
        byte[] datagram, byte[] link, byte[] requests, ReceiveCounters counters)
    {
        Flow flow = default;
        int used = 0;
        var events = new MessageReader(datagram);
        while (events.TryNext(out NetlinkMessage message))
        {
            if (FlowDecoder.Decode(message.Payload, ref flow) != DecodeError.None) { return 0; }
            used += FlowMessage.Encode(
                link.AsSpan(used), flow, SyncType.FlowNew, SyncFlags.None, 1,
                new FlowMessageOptions(Timeout: true, WindowScale: true));
        }
        var writer = new MessageWriter(requests);
        var options = new CreateOptions(60, WindowTracking: false);
        var reader = new SyncMessageReader(link.AsSpan(0, used), counters);
        while (reader.TryNext(out SyncMessage message))
        {
            if (!FlowMessage.TryDecode(message.Body, ref flow, out _)) { return 0; }
            FlowEncoder.EncodeCreate(ref writer, flow, 1, NetlinkFlags.None, options);
        }
        return writer.Count;
    }
}
