using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class SyncMessageReaderTests
{
    private static int Read(string hex, ReceiveCounters counters)
    {
        int count = 0;
        var reader = new SyncMessageReader(Convert.FromHexString(hex), counters);
        while (reader.TryNext(out _)) { count++; }
        return count;
    }

    [Fact]
    public void Ranges_and_bodies_are_told_apart()
    {
        byte[] buffer = new byte[64];
        int at = ControlMessage.WriteRange(buffer, SyncFlags.Nack, 1, 7, 9);
        at += ControlMessage.WriteAlive(buffer.AsSpan(at), SyncFlags.Alive, 2, [1, 2, 3]);
        var reader = new SyncMessageReader(buffer.AsSpan(0, at), new ReceiveCounters());
        Assert.True(reader.TryNext(out SyncMessage nack));
        Assert.Equal(7u, nack.From);
        Assert.Equal(9u, nack.To);
        Assert.True(nack.Body.IsEmpty);
        Assert.True(reader.TryNext(out SyncMessage alive));
        Assert.Equal(0u, alive.From);
        Assert.Equal(3, alive.Body.Length);
        Assert.False(reader.TryNext(out _));
    }

    [Fact]
    public void Each_refusal_has_its_counter()
    {
        var counters = new ReceiveCounters();
        Assert.Equal(0, Read("1000", counters));
        Assert.Equal(1ul, counters.Truncated);
        Assert.Equal(0, Read("1000000000000001", counters));
        Assert.Equal(1ul, counters.BadSize);
        Assert.Equal(0, Read("1000000900000001", counters));
        Assert.Equal(2ul, counters.BadSize);
        Assert.Equal(0, Read("1a08000800000001", counters));
        Assert.Equal(2ul, counters.Truncated);
        Assert.Equal(0, Read("1a08000f000000010000000000000000", counters));
        Assert.Equal(3ul, counters.BadSize);
        Assert.Equal(1, Read("2010000800000001" + "1a10000800000002", counters));
        Assert.Equal(1ul, counters.BadVersion);
        Assert.Equal(6ul, counters.Malformed);
        Assert.Equal(0, Read("", counters));
        Assert.Equal(6ul, counters.Malformed);
    }

    [Fact]
    public void Targets_that_are_too_short_get_nothing()
    {
        byte[] buffer = new byte[16];
        for (int room = 0; room < 16; room++)
        {
            Assert.Equal(
                0, ControlMessage.WriteRange(buffer.AsSpan(0, room), SyncFlags.Ack, 1, 1, 1));
            int alive = ControlMessage.WriteAlive(
                buffer.AsSpan(0, room), SyncFlags.Alive, 1, default);
            Assert.Equal(room < 8 ? 0 : 8, alive);
        }
        Assert.Equal(
            0, ControlMessage.WriteAlive(new byte[70000], SyncFlags.Alive, 1, new byte[65530]));
    }
}
