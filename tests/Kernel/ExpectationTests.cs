using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

/// <remarks>An FTP control connection, and the data connection its helper would announce.</remarks>
public sealed class ExpectationTests
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

    private static Expectation Expect(in Flow master) => new()
    {
        Present = ExpectationAttributes.Tuple | ExpectationAttributes.Mask
            | ExpectationAttributes.Master | ExpectationAttributes.Helper,
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
        Helper = HelperName.From("ftp"u8),
    };

    [RootFact]
    public void Are_created_with_their_timeout_dumped_and_deleted_and_reported() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            Flow master = Master();
            Expectation expectation = Expect(master);
            bench.Writer.AddCreate(1, master, KernelBench.Options);
            bench.Writer.AddExpectation(2, expectation, 17);
            bench.Writer.AddExpectation(3, expectation, 27);    // is there already
            bench.Writer.Flush();
            Assert.Equal([(1, Errno.None), (2, Errno.None), (3, Errno.None)], sink.Results);

            Assert.Equal(Errno.None, bench.Reader.StartExpectationDump());
            Assert.Equal(Errno.None, bench.Reader.RunToEnd());
            Expectation found = Assert.Single(sink.ExpectationRecords);
            Assert.Equal(expectation.Tuple, found.Tuple);
            Assert.Equal(master.Orig, found.Master);
            Assert.InRange(found.TimeoutSeconds, 25u, 27u);
            Assert.Empty(sink.Records);

            bench.Writer.AddExpectationDelete(4, expectation);
            bench.Writer.AddExpectationDelete(5, expectation);
            bench.Writer.AddExpectation(6, expectation, 17);
            bench.Writer.AddExpectationFlush(7);
            bench.Writer.Flush();
            Assert.Equal(
                [(4, Errno.None), (5, Errno.Enoent), (6, Errno.None), (7, Errno.None)],
                sink.Results[3..]);

            bench.Drain();
            Assert.Equal(
                [
                    FlowEventKind.New, FlowEventKind.Destroy, FlowEventKind.New,
                    FlowEventKind.Destroy,
                ],
                sink.Expectations.Select(e => e.Kind));
            Assert.Equal(0ul, bench.Counters.EventsUnknownType);
        });

    [RootFact]
    public void Without_a_master_there_are_none() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            bench.Writer.AddExpectation(1, Expect(Master()), 17);
            bench.Writer.Flush();
            Assert.Equal([(1, Errno.Enoent)], sink.Results);
        });
}
