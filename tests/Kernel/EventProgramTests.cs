using System.Linq;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

/// <summary>The matrix of spec sync, section 16.2, on the kernel's own socket filter.</summary>
public sealed class EventProgramTests
{
    // 192.0.2.10 and 198.51.100.99, the addresses of the matrix; the others are unlisted.
    private const uint Listed = 0xc000020a, ListedTarget = 0xc6336463;
    private const uint Client = 0xc0000232, Server = 0xc633640a;

    // 1 source listed; 2 translated to the listed target; 3 target listed; 4 both; 5 neither;
    // 6 IPv6. The mark is the number.
    private static Flow[] Matrix()
    {
        Flow[] flows =
        [
            Make(Listed, Server), Make(Client, Server), Make(Client + 1, ListedTarget),
            Make(Listed, ListedTarget), Make(Client + 2, Server), Make(1, 2),
        ];
        flows[1].DnatAddress = new Address(0, ListedTarget);
        flows[1].Present |= FlowAttributes.Dnat;
        flows[5].Family = AddressFamily.Ipv6;
        for (uint i = 0; i < flows.Length; i++) { flows[i].Mark = i + 1; }
        return flows;
    }

    private static Flow Make(uint source, uint target)
    {
        Flow flow = KernelBench.TcpFlow(1);
        flow.Orig.Source = new Address(0, source);
        flow.Orig.Target = new Address(0, target);
        flow.Present &= ~FlowAttributes.Reply;
        return flow;
    }

    private static FlowFilterBuilder Rules(FilterPolicy policy, int more)
    {
        var rules = new FlowFilterBuilder { AddressPolicy = policy };
        rules.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, Listed)));
        rules.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, ListedTarget)));
        for (uint i = 0; i < more; i++)
        {
            var host = new Address(0, 0x0a000000 + (i * 7));
            rules.AddAddress(AddressPrefix.Host(AddressFamily.Ipv4, host));
        }
        return rules;
    }

    /// <remarks>
    /// 900 more addresses are where the original stops to match and then to look (85 and 127).
    /// </remarks>
    [RootTheory]
    [InlineData(FilterPolicy.Accept, 0, new uint[] { 1, 2, 3, 4 })]
    [InlineData(FilterPolicy.Ignore, 0, new uint[] { 5, 6 })]
    [InlineData(FilterPolicy.Accept, 900, new uint[] { 1, 2, 3, 4 })]
    [InlineData(FilterPolicy.Ignore, 900, new uint[] { 5, 6 })]
    public void The_kernel_keeps_of_the_matrix_what_user_space_keeps(
        object policy, int more, uint[] kept) =>
        PrivateNetwork.Run(() =>
        {
            // Without a NAT chain no translated flow can be written.
            PrivateNetwork.Command("nft",
                "add table ip n; add chain ip n c { type nat hook prerouting priority 0; }");
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            byte[]? program = EventProgram.Build(Rules((FilterPolicy)policy, more).Build(), []);
            Assert.Equal(Errno.None, bench.Events.Attach(program));
            CreateOptions options = KernelBench.Options;
            foreach (Flow flow in Matrix()) { bench.Writer.AddCreate(0, in flow, in options); }
            bench.Writer.Flush();
            foreach (Flow flow in Matrix()) { bench.Writer.AddDelete(0, in flow); }
            bench.Writer.Flush();
            Assert.All(sink.Results, r => Assert.Equal(Errno.None, r.Error));
            bench.Drain();
            Assert.Equal([.. kept, .. kept], sink.Events.Select(e => e.Flow.Mark));
        });

    [RootFact]
    public void Protocols_and_states_are_judged_in_the_kernel_and_ends_always_pass() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            var rules = new FlowFilterBuilder
            {
                ProtocolPolicy = FilterPolicy.Accept,
                StatePolicy = FilterPolicy.Ignore,
            };
            rules.AddProtocol(L4Protocol.Tcp);
            rules.AddTcpState(3);   // ESTABLISHED
            Assert.Equal(Errno.None, bench.Events.Attach(EventProgram.Build(rules.Build(), [])));
            CreateOptions options = KernelBench.Options;
            Flow established = KernelBench.TcpFlow(1), closing = KernelBench.TcpFlow(2);
            closing.ProtocolState = 4;
            Flow datagrams = KernelBench.TcpFlow(3);
            datagrams.Protocol = L4Protocol.Udp;
            foreach (Flow flow in new[] { established, closing, datagrams })
            {
                bench.Writer.AddCreate(0, in flow, in options);
            }
            bench.Writer.Flush();
            bench.Writer.AddDelete(0, in established);
            bench.Writer.AddDelete(0, in datagrams);
            bench.Writer.Flush();
            bench.Drain();
            Assert.Equal(
                [(FlowEventKind.New, closing.Orig), (FlowEventKind.Destroy, established.Orig)],
                sink.Events.Select(e => (e.Kind, e.Flow.Orig)));
        });

    [RootFact]
    public void A_longer_program_than_the_kernel_takes_is_refused_by_it() =>
        PrivateNetwork.Run(() =>
        {
            RecordingSink sink = new();
            using KernelBench bench = new(sink, sink);
            byte[] pass = EventProgram.Build(null, [])!;
            byte[] program = new byte[8 * 4097];
            for (int i = 0; i < program.Length; i += 8)
            {
                pass.AsSpan(^8..).CopyTo(program.AsSpan(i));
            }
            Assert.Equal(Errno.Einval, bench.Events.Attach(program));
            Assert.Equal(Errno.None, bench.Events.Attach(program.AsSpan(8)));
        });
}
