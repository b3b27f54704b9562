using Conntrackd.Conntrack;
using Conntrackd.Daemon;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Tests.Kernel;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class ExpectationWriterTests
{
    private static Flow Master()
    {
        Flow flow = KernelBench.TcpFlow(1);
        flow.Orig.L4Target = 21;
        Assert.True(flow.Orig.TryInvert(flow.Protocol, out flow.Reply));
        flow.Helper = HelperName.From("ftp"u8);
        flow.Present |= FlowAttributes.Helper;
        return flow;
    }

    private static Expectation Of(in Flow master) => new()
    {
        Present = ExpectationAttributes.Tuple | ExpectationAttributes.Mask
            | ExpectationAttributes.Master | ExpectationAttributes.Timeout,
        Family = master.Family,
        Protocol = master.Protocol,
        MaskProtocol = master.Protocol,
        MasterProtocol = master.Protocol,
        Master = master.Orig,
        Tuple = master.Orig with { L4Source = 0, L4Target = 40_000 },
        Mask = new FlowTuple
        {
            Source = new Address(0, uint.MaxValue),
            Target = new Address(0, uint.MaxValue),
            L4Target = ushort.MaxValue,
        },
        TimeoutSeconds = 33,
    };

    private static ExpectationWriter Open(bool waits)
    {
        var log = new Log { ToConsole = false };
        Assert.Equal(Errno.None, ExpectationWriter.TryOpen(
            "inject", waits, 0, new KernelCounters(), log, out ExpectationWriter? writer));
        return writer!;
    }

    private static void AddMaster(KernelBench bench)
    {
        bench.Writer.AddCreate(1, Master(), KernelBench.Options);
        bench.Writer.Flush();
    }

    [RootFact]
    public void An_injected_one_waits_a_while_for_its_master() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using ExpectationWriter writer = Open(waits: true);
            Expectation expectation = Of(Master());
            writer.Inject(SyncType.ExpectNew, ref expectation);
            writer.Flush();
            Assert.Equal((0ul, 0ul), (writer.Created, writer.CreateFailed));
            AddMaster(bench);
            writer.Retry(SyncEngine.Second);
            writer.Flush();
            Assert.Equal((1ul, 0ul), (writer.Created, writer.CreateFailed));
            Assert.Equal(Errno.None, bench.Reader.StartExpectationDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Assert.InRange(Assert.Single(sink.ExpectationRecords).TimeoutSeconds, 31u, 33u);

            writer.Inject(SyncType.ExpectDestroy, ref expectation);
            writer.Inject(SyncType.ExpectDestroy, ref expectation);
            writer.Flush();
            Assert.Equal((2ul, 0ul), (writer.Destroyed, writer.DestroyFailed));
        });

    [RootFact]
    public void It_does_not_wait_for_ever_and_not_after_its_end() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            using ExpectationWriter writer = Open(waits: true);
            Expectation expectation = Of(Master());
            writer.Inject(SyncType.ExpectNew, ref expectation);
            for (int i = 0; i < 5; i++)
            {
                writer.Flush();
                writer.Retry(i * SyncEngine.Second);
            }
            Assert.Equal((0ul, 1ul), (writer.Created, writer.CreateFailed));

            writer.Inject(SyncType.ExpectNew, ref expectation);
            writer.Flush();
            writer.Inject(SyncType.ExpectDestroy, ref expectation);
            writer.Flush();
            AddMaster(bench);
            writer.Retry(9 * SyncEngine.Second);
            writer.Flush();
            Assert.Equal((0ul, 1ul), (writer.Created, writer.CreateFailed));
        });

    [RootFact]
    public void A_commit_does_not_wait() =>
        PrivateNetwork.Run(() =>
        {
            using ExpectationWriter writer = Open(waits: false);
            Expectation expectation = Of(Master());
            writer.Add(in expectation, 10);
            writer.Flush();
            Assert.Equal((0ul, 1ul), (writer.Created, writer.CreateFailed));
        });
}
