using System.Collections.Generic;
using System.Linq;
using Conntrackd.Linux;
using Conntrackd.Transport;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class SealedFramingTests
{
    private const long Second = 1_000_000;

    // Made by another program after docs/security.md: key file's key 9 = bytes 0 to 31, node
    // 0x0102, random bytes a0 to a9, counter 7, one ALIVE.
    private const string Vector = "2009002e0102a0a1a2a3a4a5a6a7a8a900000000"
        + "0007bd23ec23f12a926b263fcd124074945862da09403b26d378";

    [Fact]
    public void The_bytes_are_those_of_the_documentation()
    {
        Assert.True(Sodium.TryStart());
        using var cipher = new LinkCipher(SealDesk.Ring((9, SealDesk.KeyOne, true)));
        byte[] frame = Convert.FromHexString(Vector), text = new byte[64];
        Assert.True(SealHeader.TryRead(frame, out SealHeader header));
        Assert.Equal(7u, header.Counter);
        Assert.Equal(0x0102, header.Sender.Node);
        Assert.True(cipher.TryOpen(1, frame, text));
        Assert.Equal("1a10000812345678", Convert.ToHexStringLower(text.AsSpan(0, 8)));
        byte[] again = new byte[frame.Length];
        header.Write(again);
        text.AsSpan(0, 8).CopyTo(again.AsSpan(SealHeader.Size));
        cipher.Seal(again);
        Assert.Equal(frame, again);
    }

    [Fact]
    public void Nodes_read_each_other_once_both_have_answered_a_beacon()
    {
        using var desk = new SealDesk(3);
        Assert.Equal(FrameVerdict.Unproven, desk.Give(1, desk.Wrap(0), 0));
        Assert.True(desk[0].IsHeld(desk.Now));
        desk.Advance(Second / 2);
        for (int node = 0; node < 3; node++)
        {
            Assert.False(desk[node].IsHeld(desk.Now));
            Assert.Equal(2, desk[node].CountProven(desk.Now));
            byte[] frame = desk.Wrap(node);
            Assert.Equal(FrameVerdict.Messages, desk.Give((node + 1) % 3, frame, node));
            Assert.Equal(FrameVerdict.Messages, desk.Give((node + 2) % 3, frame, node));
        }
    }

    [Fact]
    public void On_two_links_a_frame_comes_once_on_each_and_else_is_a_replay()
    {
        using var desk = new SealDesk(2, links: 2);
        desk.Advance(Second / 2);
        byte[] one = desk.Wrap(0), two = desk.Wrap(0);
        FrameVerdict Hear(byte[] frame, int link)
        {
            desk[1].Link = link;
            return desk.Give(1, frame, 0);
        }
        Assert.Equal(FrameVerdict.Messages, Hear(two, 1));
        Assert.Equal(FrameVerdict.Replayed, Hear(two, 1));
        Assert.Equal(FrameVerdict.Messages, Hear(one, 0));
        Assert.Equal(FrameVerdict.Copied, Hear(one, 1));
        Assert.Equal(FrameVerdict.Copied, Hear(two, 0));
        Assert.Equal(FrameVerdict.Replayed, Hear(one, 1));
        Assert.Equal(FrameVerdict.Replayed, Hear(two, 0));
    }

    [Fact]
    public void A_key_that_is_marked_for_aes_on_one_node_only_opens_nothing_there()
    {
        if (!Sodium.HasAes) { return; }
        using var desk = new SealDesk(3);
        for (int node = 0; node < 2; node++)
        {
            desk.Start(node, SealDesk.Ring(aes: true, (1, SealDesk.KeyOne, true)));
        }
        desk.Advance(Second);
        Assert.Equal(FrameVerdict.Messages, desk.Give(1, desk.Wrap(0), 0));
        Assert.Equal(1, desk[0].CountProven(desk.Now));
        Assert.Equal(0, desk[2].CountProven(desk.Now));
        desk.Advance(Second / 2);
        Assert.Equal(FrameVerdict.Forged, desk.Give(2, desk.Beacon(0), 0));
        Assert.Equal(FrameVerdict.Forged, desk.Give(0, desk.Beacon(2), 2));
    }

    [Fact]
    public void A_node_that_starts_anew_is_read_after_six_tenths_of_a_second()
    {
        using var desk = new SealDesk(2);
        desk.Advance(10 * Second);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1, out PeerAddress before));
        desk.Start(1);
        long began = desk.Now;
        while (desk[1].IsHeld(desk.Now)) { desk.Advance(10_000); }
        // What was held back for the peer is read by it.
        desk.Advance(10_000);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1, out PeerAddress name));
        Assert.InRange(desk.Now - began, 0, 620_000);
        // Another port is what tells the engine; the address is the same.
        Assert.Equal(before.Address, name.Address);
        Assert.NotEqual(before.Port, name.Port);
        Assert.Equal(1u, desk[0].Restarts);
        Assert.Equal(1, desk[0].CountProven(desk.Now));
    }

    [Fact]
    public void Alone_a_node_holds_its_messages_back_for_two_seconds_only()
    {
        using var desk = new SealDesk(1);
        desk.Advance((2 * Second) - 10_000);
        Assert.True(desk[0].IsHeld(desk.Now));
        desk.Advance(20_000);
        Assert.False(desk[0].IsHeld(desk.Now));
    }

    [Fact]
    public void No_bit_of_a_frame_can_turn_unnoticed_and_no_part_of_one_is_read()
    {
        using var desk = new SealDesk(2);
        desk.Advance(Second);
        desk[0].BeginBeacon(desk.Now);
        foreach (byte[] frame in (byte[][])[desk.Wrap(0), desk.Beacon(0)])
        {
            for (int bit = 0; bit < 8 * frame.Length; bit++)
            {
                byte[] changed = [.. frame];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                FrameVerdict verdict = desk.Give(1, changed, 0);
                Assert.True(verdict > FrameVerdict.Beacon, $"bit {bit}: {verdict}");
            }
            for (int length = 0; length < frame.Length; length++)
            {
                Assert.True(desk.Give(1, frame[..length], 0) > FrameVerdict.Beacon);
            }
            Assert.Equal(FrameVerdict.Malformed, desk.Give(1, [.. frame, 0], 0));
            // None of it has spent the counter of the true frame.
            Assert.True(desk.Give(1, frame, 0) <= FrameVerdict.Beacon);
        }
    }

    [Fact]
    public void A_frame_is_read_once_in_any_order_and_our_own_never()
    {
        using var desk = new SealDesk(2);
        desk.Advance(Second);
        List<byte[]> frames = [.. Enumerable.Range(0, 1000).Select(_ => desk.Wrap(0))];
        frames.Reverse();
        Assert.All(frames, f => Assert.Equal(FrameVerdict.Messages, desk.Give(1, f, 0)));
        Assert.All(frames, f => Assert.Equal(FrameVerdict.Replayed, desk.Give(1, f, 0)));
        Assert.All(frames, f => Assert.Equal(FrameVerdict.Reflected, desk.Give(0, f, 1)));
        for (int i = 0; i < ReplayWindow.Size; i++) { desk.Wrap(0); }
        Assert.Equal(FrameVerdict.Messages, desk.Give(1, desk.Wrap(0), 0));
        Assert.Equal(FrameVerdict.Late, desk.Give(1, frames[0], 0));
        Assert.Equal(1000u, desk[1].Counters[FrameVerdict.Replayed]);
        Assert.Equal(1000u, desk[0].Counters[FrameVerdict.Reflected]);
    }

    [Theory]
    [InlineData(0)]     // the receiver has started anew
    [InlineData(1)]     // the sender has
    [InlineData(2)]     // both have
    public void What_a_former_run_sent_is_never_read_and_never_answered(int who)
    {
        using var desk = new SealDesk(2);
        desk.Advance(3 * Second);
        for (int i = 0; i < 20; i++) { desk.Give(0, desk.Wrap(1), 1); }
        byte[] unseen = desk.Wrap(1);       // never delivered: no window knows it
        desk.Advance(2 * Second);
        List<byte[]> old = [.. desk.Recorded.Where(r => r.From == 1).Select(r => r.Bytes), unseen];
        if (who != 1) { desk.Start(0); }
        if (who != 0) { desk.Start(1); }
        // In the quiet after the greeting, and with nobody else there; a receiver that has just
        // started also at once. One that goes on cannot know yet that the run is over, and the
        // frame that it never saw is the sender's still.
        if (who != 1) { ReplayAll(desk, old); }
        desk.Advance(Second);
        ReplayAll(desk, old);
        desk.Advance(10 * Second, cut: 1);
        ReplayAll(desk, old);
        desk.Advance(2 * Second);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
        Assert.Equal(1, desk[0].CountProven(desk.Now));
    }

    // A run that goes on counts as former, too, for what it sent before the receiver started.
    private static void ReplayAll(SealDesk desk, List<byte[]> old)
    {
        long next = desk[0].NextBeacon;
        Assert.All(old, f => Assert.True(desk.Give(0, f, 1) > FrameVerdict.Beacon));
        Assert.Equal(next, desk[0].NextBeacon);
    }

    [Fact]
    public void Old_beacons_of_many_runs_keep_nobody_out()
    {
        using var desk = new SealDesk(2);
        for (int i = 0; i < 40; i++)
        {
            desk.Start(1);
            desk.Advance(Second);
        }
        List<byte[]> old = [.. desk.Recorded.Where(r => r.From == 1).Select(r => r.Bytes)];
        desk.Start(0);
        desk.Start(1);
        for (int i = 0; i < 30; i++)
        {
            old.ForEach(frame => desk.Give(0, frame, 1));
            desk.Advance(100_000);
        }
        Assert.Equal(1, desk[0].CountProven(desk.Now));
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
        Assert.Equal(FrameVerdict.Messages, desk.Give(1, desk.Wrap(0), 0));
    }

    [Fact]
    public void Who_hears_nothing_is_not_read_after_five_seconds_and_again_when_it_hears()
    {
        using var desk = new SealDesk(2);
        desk.Advance(3 * Second);
        byte[] held = desk.Wrap(1);
        desk.Advance(4 * Second, cut: 1);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
        desk.Advance(2 * Second, cut: 1);
        Assert.Equal(FrameVerdict.Unproven, desk.Give(0, desk.Wrap(1), 1));
        desk.Advance(Second);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
        Assert.Equal(0u, desk[0].Restarts);
        // Not too late yet: the run is the same, and it was not seen.
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, held, 1));
    }

    [Fact]
    public void A_frame_that_is_held_back_for_more_than_ten_seconds_is_too_late()
    {
        using var desk = new SealDesk(2);
        desk.Advance(2 * Second);
        byte[] first = desk.Wrap(1), second = desk.Wrap(1);
        desk.Advance(4 * Second);
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, first, 1));
        desk.Advance(7 * Second);
        Assert.Equal(FrameVerdict.Late, desk.Give(0, second, 1));
        Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
    }

    [Fact]
    public void Another_key_another_number_and_no_seal_are_told_apart()
    {
        using var desk = new SealDesk(2);
        desk.Advance(Second);
        Assert.Equal(
            FrameVerdict.Plain, desk.Give(1, Convert.FromHexString(SealDesk.Messages), 0));
        desk.Start(0, SealDesk.Ring((1, SealDesk.KeyTwo, true)));
        desk.Advance(3 * Second);
        Assert.Equal(0, desk[0].CountProven(desk.Now));
        Assert.NotEqual(0u, desk[1].Counters[FrameVerdict.Forged]);
        Assert.Equal(FrameVerdict.Unproven, desk.Give(1, desk.Wrap(0), 0));
        desk.Start(0, SealDesk.Ring((2, SealDesk.KeyOne, true)));
        desk.Advance(3 * Second);
        Assert.Equal(0, desk[0].CountProven(desk.Now));
        Assert.NotEqual(0u, desk[1].Counters[FrameVerdict.UnknownKey]);
        Assert.Equal(FrameVerdict.UnknownKey, desk.Give(1, desk.Wrap(0), 0));
    }

    [Fact]
    public void Keys_change_without_a_frame_that_is_refused()
    {
        using var desk = new SealDesk(2);
        desk.Advance(Second);
        KeyRing Both(bool second) => SealDesk.Ring(
            (1, SealDesk.KeyOne, !second), (2, SealDesk.KeyTwo, second));
        Func<KeyRing>[] steps =
        [
            () => Both(second: false), () => Both(second: true),
            () => SealDesk.Ring((2, SealDesk.KeyTwo, true)),
        ];
        var counters = new HashSet<string>();
        foreach (Func<KeyRing> step in steps)
        {
            for (int node = 0; node < 2; node++)
            {
                desk.CipherOf(node).Change(step());
                for (int i = 0; i < 10; i++)
                {
                    Assert.Equal(FrameVerdict.Messages, desk.Give(0, desk.Wrap(1), 1));
                    Assert.Equal(FrameVerdict.Messages, desk.Give(1, desk.Wrap(0), 0));
                }
                desk.Advance(700_000);
            }
        }
        // Of every frame ever sent: never the same incarnation and counter, whatever the key.
        Assert.All(desk.Recorded, r => Assert.True(
            counters.Add(Convert.ToHexString(r.Bytes.AsSpan(SealHeader.SenderAt, 18)))));
        desk.CipherOf(0).Change(SealDesk.Ring((1, SealDesk.KeyOne, true)));
        Assert.Equal(FrameVerdict.UnknownKey, desk.Give(0, desk.Wrap(1), 1));
    }

    [Fact]
    public void Two_nodes_with_one_number_are_told_and_the_seventeenth_node_is_refused()
    {
        using var desk = new SealDesk(2);
        desk.Start(1, number: 1);
        desk.Advance(Second);
        Assert.NotEqual(0u, desk[0].SameNumber);
        using var crowd = new SealDesk(SealedFraming.PeersMax + 2);
        crowd.Advance(3 * Second);
        Assert.Equal(SealedFraming.PeersMax, crowd[0].CountProven(crowd.Now));
        Assert.NotEqual(0u, crowd[0].Counters[FrameVerdict.Crowded]);
    }

    [Fact]
    public void Sealing_and_opening_leave_the_heap_alone()
    {
        using var desk = new SealDesk(2);
        desk.Advance(Second);
        byte[] frame = new byte[1471];
        PeerAddress from = SealDesk.Address(0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            int length = desk[0].Wrap(frame, frame.Length - desk[0].OverheadBytes);
            desk[1].Unwrap(frame.AsSpan(0, length), desk.Now, ref from, out _);
            desk[0].BeginBeacon(desk.Now);
            length = desk[0].WriteBeacon(frame, desk.Now);
            desk[1].Unwrap(frame.AsSpan(0, length), desk.Now, ref from, out _);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1000u, desk[1].Counters[FrameVerdict.Messages]);
    }
}
