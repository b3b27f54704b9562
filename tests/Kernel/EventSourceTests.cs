using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

public sealed class EventSourceTests
{
    [RootFact]
    public void Events_by_others_have_no_origin() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(1, 1);
            bench.Drain();
            Assert.Equal([EventOrigin.Other], sink.Events.Select(e => e.Origin));
        });

    [RootFact]
    public void Echoes_of_a_writer_can_be_kept_off_and_others_still_come() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            Assert.Equal(
                Errno.None, TableWriter.TryOpen(sink, bench.Counters, out TableWriter? quiet));
            using (quiet!)
            {
                Assert.Equal(Errno.None, bench.Events.Attach(
                    EventProgram.Build(null, [1u, quiet!.PortId, 2u])!));
                Flow flow = KernelBench.TcpFlow(1);
                quiet.AddCreate(0, in flow, KernelBench.Options);
                quiet.Flush();
                bench.Create(2, 1);
                quiet.AddDelete(0, in flow);
                quiet.Flush();
                bench.Drain();
            }
            Assert.Equal([(0, Errno.None), (0, Errno.None)],
                sink.Results.Where(r => r.Token == 0).ToArray()[..2]);
            var heard = Assert.Single(sink.Events);
            Assert.Equal(KernelBench.TcpFlow(2).Orig, heard.Flow.Orig);
        });

    [RootFact]
    public void Reading_is_bounded_and_says_whether_more_is_waiting() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(0, 300);
            Assert.True(bench.Events.Read(100));
            Assert.Equal(100, sink.Events.Count);
            while (bench.Events.Read(64)) { }
            Assert.Equal(300, sink.Events.Count);
            Assert.False(bench.Events.Read(64));
        });

    [RootFact]
    public void An_overrun_is_told_after_everything_queued_was_read() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink, eventBufferBytes: 64 * 1024,
                eventBufferBytesMax: 128 * 1024);
            Assert.Equal(64 * 1024, bench.Counters.BufferBytes);
            bench.Create(0, 500);

            Assert.True(bench.Events.Read(10));
            Assert.Equal(0, sink.Overruns);         // there are still events queued
            bench.Drain();
            Assert.Equal(1, sink.Overruns);
            Assert.InRange(sink.Events.Count, 20, 200);
            Assert.Equal(1ul, bench.Counters.Overruns);
            Assert.Equal(128 * 1024, bench.Counters.BufferBytes);

            // The kernel queues again.
            int before = sink.Events.Count;
            bench.Create(1000, 5);
            bench.Drain();
            Assert.Equal(before + 5, sink.Events.Count);
            Assert.Equal(1, sink.Overruns);
        });

    [RootFact]
    public void The_buffer_grows_up_to_its_limit_only() =>
        PrivateNetwork.Run(() =>
        {
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink, eventBufferBytes: 32 * 1024,
                eventBufferBytesMax: 100 * 1024);
            for (int i = 0; i < 5; i++)
            {
                bench.Create(i * 1000, 500);
                bench.Drain();
            }
            Assert.Equal(64 * 1024, bench.Counters.BufferBytes);
            Assert.Equal(5, sink.Overruns);
        });

    [RootFact]
    public void Reliable_mode_reports_drops_when_asked() =>
        PrivateNetwork.Run(() =>
        {
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink, eventBufferBytes: 32 * 1024,
                eventBufferBytesMax: 32 * 1024, reliable: true);
            bench.Events.PollDrops();
            bench.Drain();
            Assert.Equal(0, sink.Overruns);
            bench.Create(0, 500);
            bench.Events.PollDrops();
            bench.Drain();
            Assert.Equal(1, sink.Overruns);
            bench.Events.PollDrops();
            bench.Drain();
            Assert.Equal(1, sink.Overruns);
        });

    [RootFact]
    public void Datagrams_of_other_processes_are_dropped() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            Assert.Equal(
                Errno.None, NetlinkSocket.Open(NetlinkSocket.Netfilter, out int fd, out _));
            Span<byte> name = stackalloc byte[SocketAddress.NetlinkSize];
            Assert.Equal(Errno.None, Libc.GetName(bench.Events.FileDescriptor, name, out _));
            byte[] forged = new byte[20];
            Assert.Equal(Errno.None, Libc.SendTo(fd, forged, name, out _));
            Libc.Close(fd);
            bench.Drain();
            Assert.Empty(sink.Events);
            Assert.Equal(1ul, bench.Counters.DatagramsForeign);
            Assert.Equal(0ul, bench.Counters.EventsMalformed);
        });

    [RootFact]
    public void Reading_many_events_allocates_nothing() =>
        PrivateNetwork.Run(() =>
        {
            const int Rounds = 25, PerRound = 4000;
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink, eventBufferBytes: 32 << 20,
                eventBufferBytesMax: 32 << 20);
            bench.Create(0, PerRound);
            bench.Drain();
            long allocated = 0;
            for (int i = 1; i <= Rounds; i++)
            {
                bench.Create(i * PerRound, PerRound);
                long before = GC.GetAllocatedBytesForCurrentThread();
                bench.Drain();
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }
            Assert.Equal((Rounds + 1) * PerRound, sink.Events);
            Assert.Equal(0, allocated);
        });
}
