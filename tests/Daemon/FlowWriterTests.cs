using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Daemon;
using Conntrackd.Linux;
using Conntrackd.Tests.Kernel;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Daemon;

/// <summary>Remedies, against the kernel of this machine.</summary>
public sealed class FlowWriterTests
{
    [RootFact]
    public void An_update_of_a_flow_whose_master_is_not_here_keeps_the_entry() =>
        KeepsTheEntry(static (ref Flow flow) =>
        {
            flow.Present |= FlowAttributes.Master | FlowAttributes.MasterL4Keys;
            flow.Master = KernelBench.TcpFlow(77).Orig;
            flow.MasterProtocol = L4Protocol.Tcp;
        });

    [RootFact]
    public void An_update_of_a_labelled_flow_keeps_the_entry_where_no_rule_uses_labels() =>
        KeepsTheEntry(static (ref Flow flow) =>
        {
            flow.Present |= FlowAttributes.Labels;
            flow.LabelsLow = 4;
            flow.LabelsHigh = 0;
        });

    [RootFact]
    public void An_update_with_less_status_than_the_entry_has_keeps_the_entry() =>
        KeepsTheEntry(static (ref Flow flow) => { }, FlowStatus.Confirmed);

    [RootFact]
    public void A_related_flow_waits_for_its_master_and_is_written_alone_when_none_comes() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            using FlowWriter writer = Open(bench, log, waits: true, default);
            Flow master = KernelBench.TcpFlow(1), missing = KernelBench.TcpFlow(2);
            Flow related = RelatedTo(master, 3), lonely = RelatedTo(missing, 4);
            writer.Inject(SyncType.FlowNew, ref related);
            writer.Inject(SyncType.FlowUpdate, ref lonely);
            writer.Flush();
            Assert.Equal((0ul, 2), (writer.Created, writer.WaitingCount));

            writer.Inject(SyncType.FlowNew, ref master);
            writer.Flush();
            writer.Retry(now: 0);
            writer.Flush();
            Assert.Equal(2, writer.WaitingCount);
            writer.Retry(writer.NextDeadline);
            writer.Flush();
            bench.Drain();
            Assert.Equal(
                [(master.Orig, false), (related.Orig, true), (lonely.Orig, false)],
                sink.Events.Where(e => e.Kind == FlowEventKind.New)
                    .Select(e => (e.Flow.Orig, e.Flow.Has(FlowAttributes.Master))));
            Assert.Equal((3ul, 0, 1ul),
                (writer.Created, writer.WaitingCount, writer.MastersMissing));

            // What ends meanwhile waits no more.
            Flow ended = RelatedTo(missing, 5);
            writer.Inject(SyncType.FlowNew, ref ended);
            writer.Flush();
            writer.Inject(SyncType.FlowDestroy, ref ended);
            writer.Flush();
            Assert.Equal((0, long.MaxValue), (writer.WaitingCount, writer.NextDeadline));
        });

    [RootTheory]
    [InlineData(false, 8)]
    [InlineData(true, 0)]
    public void Without_TCPWindowTracking_flows_are_liberal_in_both_directions(
        bool tracks, int liberal) =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            Assert.Equal(Errno.None, FlowWriter.TryOpen("test", waits: false,
                new WriterSettings(tracks, 77, 0), bench.Counters, log, out FlowWriter? writer));
            Flow flow = KernelBench.TcpFlow(1);
            writer!.Inject(SyncType.FlowNew, ref flow);
            writer.Flush();
            writer.Dispose();
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Flow written = Assert.Single(sink.Records);
            Assert.Equal((liberal, liberal),
                (written.TcpFlagsOrig & 8, written.TcpFlagsReply & 8));
        });

    [RootFact]
    public void What_Restore_switches_off_is_not_written() =>
        PrivateNetwork.Run(() =>
        {
            // Labels need a rule that looks at them.
            PrivateNetwork.Command("nft",
                "add table ip t; add chain ip t c { type filter hook input priority 0; }; "
                + "add rule ip t c ct label 5 accept");
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            Flow flow = KernelBench.TcpFlow(1);
            flow.Mark = 7;
            flow.LabelsLow = 1 << 5;
            flow.SequenceAdjustOrig = new SequenceAdjustment(1, 2, 3);
            flow.SequenceAdjustReply = new SequenceAdjustment(4, 5, 6);
            flow.SynproxyIsn = 9;
            flow.TimeoutSeconds = 1000;
            const FlowAttributes Extras = FlowAttributes.Labels | FlowAttributes.SequenceAdjust
                | FlowAttributes.Synproxy | FlowAttributes.Mark;
            flow.Present |= Extras | FlowAttributes.Timeout;
            FlowAttributes[] switches = [FlowAttributes.None, Extras | FlowAttributes.Timeout];
            foreach (FlowAttributes withheld in switches)
            {
                using FlowWriter writer = Open(bench, log, waits: false, withheld);
                writer.Inject(SyncType.FlowNew, ref flow);
                writer.Flush();
                Assert.Equal(Errno.None, bench.Reader.StartDump());
                Assert.Equal(Errno.None, bench.Reader.RunToEnd());
                writer.Inject(SyncType.FlowDestroy, ref flow);
                writer.Flush();
            }
            Flow full = sink.Records[0], less = sink.Records[1];
            Assert.Equal(Extras, full.Present & Extras);
            Assert.Equal((7u, 9u, 6), (full.Mark, full.SynproxyIsn,
                full.SequenceAdjustReply.OffsetAfter));
            Assert.InRange(full.TimeoutSeconds, 998u, 1000u);
            Assert.Equal((0u, 0u), (less.Mark, less.SynproxyIsn));
            Assert.Equal(FlowAttributes.None,
                less.Present & (FlowAttributes.Labels | FlowAttributes.SequenceAdjust));
            Assert.InRange(less.TimeoutSeconds, 75u, 77u);
        });

    [RootTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batches_in_flight_are_told_repaired_and_counted_as_those_waited_for(bool behind) =>
        PrivateNetwork.Run(() =>
        {
            const int Count = 2000, Each = 7;
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            using FlowWriter writer = Open(bench, log, waits: false, default);
            CommittedList told = new();
            writer.Committed = told;
            bench.Create(0, Count / 2);
            bench.Drain();
            if (behind) { writer.BeginBehind(); }
            for (int i = 0; i < Count; i++)
            {
                Flow flow = i % Each == 0 && i != 0
                    ? RelatedTo(KernelBench.TcpFlow(i - 1), i) : KernelBench.TcpFlow(i);
                flow.Mark = 1_000_000 + (uint)i;
                writer.Add(SyncType.FlowNew, in flow, timeoutSeconds: 100);
                if (i % 50 == 49) { writer.FlushBehind(); }
            }
            if (behind) { writer.EndBehind(); }
            Assert.Equal((Count, 0ul, Count / 2), ((int)writer.Created, writer.CreateFailed,
                (int)writer.Replaced));
            Assert.Equal(Enumerable.Range(Count / 2, Count / 2).Select(i => 1_000_000 + (uint)i),
                told.Marks);
            Assert.Equal(Errno.None, bench.Reader.StartDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.Equal(Enumerable.Range(0, Count).Select(i => 1_000_000 + (uint)i),
                sink.Records.Select(f => f.Mark).Order());
            // A replaced master takes its related flows along; those here came after theirs.
            Assert.Equal((Count - 1) / Each,
                sink.Records.Count(f => f.Has(FlowAttributes.Master)));
            Assert.Equal((0ul, 0ul), (bench.Counters.AnswersLost, bench.Counters.AnswersUnknown));
        });

    [RootFact]
    public void A_writer_may_be_closed_with_batches_in_flight() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            FlowWriter writer = Open(bench, log, waits: false, default);
            writer.BeginBehind();
            for (int i = 0; i < 200; i++)
            {
                Flow flow = KernelBench.TcpFlow(i);
                writer.Add(SyncType.FlowNew, in flow, timeoutSeconds: 100);
                if (i % 100 == 99) { writer.FlushBehind(); }
            }
            writer.Dispose();
            bench.Drain();
            Assert.Equal(200, sink.Events.Count);
        });

    private sealed class CommittedList : ICommittedSink
    {
        internal List<uint> Marks { get; } = [];

        public void BeforeCommitted()
        {
        }

        public void ExpectCommitted(in Flow flow)
        {
        }

        public void OnCommitted(ref Flow flow, uint timeoutSeconds) => Marks.Add(flow.Mark);
    }

    private static FlowWriter Open(
        KernelBench bench, Log log, bool waits, FlowAttributes withheld)
    {
        var settings = new WriterSettings(WindowTracking: true, 77, withheld);
        Assert.Equal(Errno.None, FlowWriter.TryOpen(
            "test", waits, in settings, bench.Counters, log, out FlowWriter? writer));
        return writer!;
    }

    private static Flow RelatedTo(in Flow master, int number)
    {
        Flow flow = KernelBench.TcpFlow(number);
        flow.Master = master.Orig;
        flow.MasterProtocol = master.Protocol;
        flow.Present |= FlowAttributes.Master | FlowAttributes.MasterL4Keys;
        return flow;
    }

    private delegate void Change(ref Flow flow);

    private static void KeepsTheEntry(
        Change change, FlowStatus updated = FlowStatus.SeenReply | FlowStatus.Assured) =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            Assert.Equal(Errno.None, FlowWriter.TryOpen(
                "test", waits: false, new WriterSettings(WindowTracking: true, 0, 0),
                bench.Counters, log, out FlowWriter? opened));
            using FlowWriter writer = opened!;
            Flow flow = KernelBench.TcpFlow(1);
            flow.Status = FlowStatus.SeenReply;
            change(ref flow);
            writer.Add(SyncType.FlowNew, in flow, timeoutSeconds: 100);
            writer.Flush();
            flow.Status = updated;
            flow.Mark = 5;
            flow.Present |= FlowAttributes.Mark;
            writer.Add(SyncType.FlowUpdate, in flow, timeoutSeconds: 200);
            writer.Flush();
            bench.Drain();

            Assert.DoesNotContain(sink.Events, e => e.Kind == FlowEventKind.Destroy);
            Assert.Equal(5u, sink.Events.Last().Flow.Mark);
            Assert.Equal(1ul, writer.Updated);
        });
}
