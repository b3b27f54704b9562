using System.Diagnostics;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Kernel;

public sealed class TableWriterTests(ITestOutputHelper output)
{
    [RootFact]
    public void Creates_updates_and_deletes_and_the_events_carry_the_origin() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Events.AddRequester(bench.Writer.PortId, Conntrackd.Kernel.EventOrigin.Commit);
            Flow flow = KernelBench.TcpFlow(1);

            Assert.True(bench.Writer.AddCreate(10, flow, KernelBench.Options));
            flow.Mark = 77;
            Assert.True(bench.Writer.AddUpdate(11, flow, KernelBench.Options));
            Assert.True(bench.Writer.AddDelete(12, flow));
            Assert.Equal(3, bench.Writer.Pending);
            bench.Writer.Flush();
            bench.Drain();

            Assert.Equal(
                [(10, Errno.None), (11, Errno.None), (12, Errno.None)], sink.Results);
            Assert.Equal(
                [FlowEventKind.New, FlowEventKind.Update, FlowEventKind.Destroy],
                sink.Events.Select(e => e.Kind));
            Assert.All(
                sink.Events, e => Assert.Equal(Conntrackd.Kernel.EventOrigin.Commit, e.Origin));
            Assert.All(sink.Events, e => Assert.Equal(flow.Orig, e.Flow.Orig));
            Assert.Equal(77u, sink.Events[1].Flow.Mark);
            Assert.Equal(3ul, bench.Counters.EventsReceived);
        });

    [RootFact]
    public void Errors_are_told_to_the_request_that_caused_them() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(1, 1);
            sink.Results.Clear();

            bench.Writer.AddDelete(1, KernelBench.TcpFlow(99));
            bench.Writer.AddCreate(2, KernelBench.TcpFlow(1), KernelBench.Options);
            bench.Writer.AddCreate(3, KernelBench.TcpFlow(2), KernelBench.Options);
            bench.Writer.AddUpdate(4, KernelBench.TcpFlow(98), KernelBench.Options);
            bench.Writer.Flush();

            Assert.Equal(
                [(1, Errno.Enoent), (2, Errno.Eexist), (3, Errno.None), (4, Errno.Enoent)],
                sink.Results);
        });

    [RootFact]
    public void Replacing_works_whether_or_not_something_is_there() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            Flow flow = KernelBench.TcpFlow(1);
            bench.Writer.AddReplace(1, flow, KernelBench.Options);
            bench.Writer.Flush();
            flow.Mark = 5;
            bench.Writer.AddReplace(2, flow, KernelBench.Options);
            // Its original tuple is the reply tuple of the first: only the second delete finds it.
            Flow reversed = KernelBench.TcpFlow(1);
            (reversed.Orig, reversed.Reply) = (reversed.Reply, reversed.Orig);
            reversed.Mark = 6;
            bench.Writer.AddReplace(3, reversed, KernelBench.Options);
            bench.Writer.Flush();

            Assert.Equal([(1, Errno.None), (2, Errno.None), (3, Errno.None)], sink.Results);
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.Equal([6u], sink.Records.Select(f => f.Mark));
        });

    [RootFact]
    public void A_full_batch_refuses_and_takes_again_after_a_flush() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            int added = 0;
            while (bench.Writer.AddCreate(added, KernelBench.TcpFlow(added), KernelBench.Options))
            {
                added++;
            }
            Assert.InRange(added, 64, 128);
            bench.Writer.Flush();
            Assert.Equal(Enumerable.Range(0, added), sink.Results.Select(r => r.Token));
            Assert.True(bench.Writer.AddDelete(0, KernelBench.TcpFlow(0)));
        });

    [RootFact]
    public void Requests_added_while_results_are_reported_go_into_the_next_batch() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(1, 1);
            sink.Results.Clear();
            sink.OnResult = (token, error) =>
            {
                if (error != Errno.Eexist) { return; }
                bench.Writer.AddReplace(token + 100, KernelBench.TcpFlow(1), KernelBench.Options);
                bench.Writer.Flush();
            };
            bench.Writer.AddCreate(1, KernelBench.TcpFlow(1), KernelBench.Options);
            bench.Writer.Flush();
            Assert.Equal([(1, Errno.Eexist)], sink.Results);
            Assert.Equal(1, bench.Writer.Pending);
            bench.Writer.Flush();
            Assert.Equal([(1, Errno.Eexist), (101, Errno.None)], sink.Results);
        });

    [RootFact]
    public void Every_answer_of_a_batch_of_failures_arrives() =>
        PrivateNetwork.Run(() =>
        {
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink);
            for (int i = 0; i < 5000; i++)
            {
                if (!bench.Writer.AddDelete(i, KernelBench.TcpFlow(i)))
                {
                    bench.Writer.Flush();
                    bench.Writer.AddDelete(i, KernelBench.TcpFlow(i));
                }
            }
            bench.Writer.Flush();
            Assert.Equal(5000, sink.Failed);
            Assert.Equal(0ul, bench.Counters.AnswersLost);
            Assert.Equal(0ul, bench.Counters.AnswersUnknown);
        });

    [RootFact]
    public void Writes_allocate_nothing_and_are_fast() =>
        PrivateNetwork.Run(() =>
        {
            const int Count = 50_000;
            CountingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Create(Count, 1000);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            bench.Create(0, Count);
            TimeSpan time = Stopwatch.GetElapsedTime(start);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            output.WriteLine($"{Count / time.TotalSeconds:F0} creates/s");
            Assert.Equal(Count + 1000, sink.Done);
            Assert.Equal(0, allocated);
        });
}
