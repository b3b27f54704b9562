using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Sync;

/// <summary>One stream heard on several links.</summary>
public sealed class CopyFilterTests : ICopySink
{
    private static readonly PeerAddress s_peer = new(AddressFamily.Ipv4, new Address(0, 1), 1);

    private readonly List<uint> _given = [];
    private int _bytes;
    private readonly CopyFilter _filter;

    public CopyFilterTests() => _filter = new CopyFilter(this);

    void ICopySink.OnDatagram(in PeerAddress from, ReadOnlySpan<byte> messages, long now)
    {
        _bytes += messages.Length;
        var reader = new SyncMessageReader(messages, new ReceiveCounters());
        while (reader.TryNext(out SyncMessage message)) { _given.Add(message.Header.Sequence); }
    }

    private static byte[] Datagram(params uint[] sequences)
    {
        byte[] bytes = new byte[SyncHeader.Size * sequences.Length];
        for (int i = 0; i < sequences.Length; i++)
        {
            ControlMessage.WriteAlive(
                bytes.AsSpan(i * SyncHeader.Size), SyncFlags.Alive, sequences[i], default);
        }
        return bytes;
    }

    private int Take(params uint[] sequences) => _filter.Take(s_peer, Datagram(sequences), now: 0);

    [Fact]
    public void What_both_links_bring_is_given_once_and_counted()
    {
        Assert.Equal(0, Take(1, 2));
        Assert.Equal(2, Take(1, 2));
        Assert.Equal(0, Take(3));
        // A stream cuts elsewhere than datagrams do.
        Assert.Equal(2, Take(2, 3, 4, 5));
        Assert.Equal([1u, 2, 3, 4, 5], _given);
    }

    [Fact]
    public void What_one_link_lost_is_waited_for_and_comes_in_order()
    {
        Take(uint.MaxValue - 1);
        Take(1, 2);             // ahead, twice
        Assert.Equal(2, Take(1, 2));
        Take(3);
        Assert.Equal(2, _filter.HeldCount);
        Take(uint.MaxValue, 0);
        Assert.Equal([uint.MaxValue - 1, uint.MaxValue, 0, 1, 2, 3], _given);
        Assert.Equal(long.MaxValue, _filter.NextDeadline);
    }

    [Fact]
    public void What_no_link_brings_is_waited_for_no_longer_than_the_limit()
    {
        Take(1);
        Take(4);
        Take(3);
        Assert.Equal(CopyFilter.HoldMax, _filter.NextDeadline);
        _filter.OnDeadline(CopyFilter.HoldMax - 1);
        Assert.Equal([1u], _given);
        _filter.OnDeadline(CopyFilter.HoldMax);
        Assert.Equal([1u, 3, 4], _given);
        Take(2);                // late and new: not for this class to judge
        Assert.Equal(1, Take(2));
        Assert.Equal([1u, 3, 4, 2], _given);
    }

    [Fact]
    public void A_node_that_counts_anew_is_heard_at_once_and_held_datagrams_are_bounded()
    {
        Take(1_000_000);
        Take(5);
        Take(6);
        Assert.Equal([1_000_000u, 5, 6], _given);
        for (uint i = 0; i < CopyFilter.HeldMax; i++) { Take(100 + i); }
        Assert.Equal(CopyFilter.HeldMax, _filter.HeldCount);
        Take(200);
        Assert.Equal(0, _filter.HeldCount);
        Assert.Equal(3 + CopyFilter.HeldMax + 1, _given.Count);
        // The same address with another port: a new start, whatever it counts from.
        Assert.Equal(0, _filter.Take(s_peer with { Port = 2 }, Datagram(150), now: 0));
        Assert.Equal(150u, _given[^1]);
    }

    [Fact]
    public void What_is_no_message_is_given_on_to_who_counts_it()
    {
        _filter.Take(s_peer, [0x10, 0], now: 0);
        _filter.Take(s_peer, new byte[40], now: 0);
        _filter.Take(s_peer, new byte[40], now: 0);
        Assert.Equal(82, _bytes);
    }
}
