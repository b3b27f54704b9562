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

    private delegate void Change(ref Flow flow);

    private static void KeepsTheEntry(
        Change change, FlowStatus updated = FlowStatus.SeenReply | FlowStatus.Assured) =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using var log = new Log { ToConsole = false };
            Assert.Equal(Errno.None, FlowWriter.TryOpen(
                "test", windowTracking: true, 0, bench.Counters, log, out FlowWriter? opened));
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
