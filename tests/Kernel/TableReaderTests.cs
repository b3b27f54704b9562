using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

public sealed class TableReaderTests
{
    [RootFact]
    public void A_dump_holds_every_flow() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(0, 1000);
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.Equal(Errno.Ebusy, bench.Reader.StartDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.Equal(
                Enumerable.Range(1, 1000).Select(i => (uint)i),
                sink.Records.Select(f => f.Mark).Order());
            Assert.Equal([Errno.None], sink.DumpEnds);
        });

    [RootFact]
    public void A_large_dump_that_is_received_ahead_holds_every_flow_once() =>
        PrivateNetwork.Run(() =>
        {
            const int Count = 20_000;
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(0, Count);
            for (int run = 1; run <= 2; run++)
            {
                Assert.Equal(Errno.None, bench.Reader.StartDump());
                Assert.Equal(Errno.None, bench.Reader.RunToEnd());
                Assert.Equal(
                    Enumerable.Range(1, Count).Select(i => (uint)i),
                    sink.Records.Skip((run - 1) * Count).Select(f => f.Mark).Order());
            }
            Assert.Equal([Errno.None, Errno.None], sink.DumpEnds);
        });

    [RootFact]
    public void A_dump_of_an_empty_table_ends_at_once() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            Assert.Equal(Errno.None, bench.Reader.StartDump(AddressFamily.Ipv6));
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.Empty(sink.Records);
            Assert.Equal([Errno.None], sink.DumpEnds);
        });

    [RootFact]
    public void Reading_is_bounded_by_parts_and_allocates_nothing() =>
        PrivateNetwork.Run(() =>
        {
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(0, 5000);
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.True(bench.Reader.Read(1));
            Assert.InRange(sink.Records, 1, 300);
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (bench.Reader.Read(2)) { }
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(5000, sink.Records);
            Assert.Equal(Errno.None, sink.DumpEnd);
            Assert.False(bench.Reader.IsRunning);
        });

    [RootFact]
    public void One_flow_is_found_by_either_tuple() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(7, 1);
            Flow flow = KernelBench.TcpFlow(7);
            Assert.Equal(
                Errno.None,
                bench.Reader.Get(flow.Family, flow.Protocol, flow.Orig, 0, hasZone: false));
            Assert.Equal(
                Errno.None,
                bench.Reader.Get(flow.Family, flow.Protocol, flow.Reply, 0, hasZone: false));
            Assert.Equal(
                Errno.Enoent,
                bench.Reader.Get(
                    flow.Family, flow.Protocol, KernelBench.TcpFlow(8).Orig, 0, hasZone: false));
            Assert.Equal([8u, 8u], sink.Records.Select(f => f.Mark));

            // The socket is clean for the next dump.
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.Equal(3, sink.Records.Count);
        });
}
