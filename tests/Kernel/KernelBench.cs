using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

/// <summary>A table with everything that speaks to it, in the calling thread's namespace.</summary>
internal sealed class KernelBench : IDisposable
{
    private readonly Log _log = new() { ToConsole = false };

    internal KernelBench(
        IKernelSink sink, ITableResultSink results, int eventBufferBytes = 8 << 20,
        int eventBufferBytesMax = 16 << 20, bool reliable = false)
    {
        var expectationSink = sink as IExpectationSink;
        EventSourceOptions options = new(
            eventBufferBytes, eventBufferBytesMax, reliable, expectationSink != null);
        Assert.Equal(
            Errno.None,
            EventSource.TryOpen(
                options, sink, Counters, _log, out EventSource? events, expectationSink));
        Assert.Equal(
            Errno.None, TableWriter.TryOpen(results, Counters, out TableWriter? writer));
        Assert.Equal(
            Errno.None,
            TableReader.TryOpen(sink, Counters, out TableReader? reader, expectationSink));
        Events = events!;
        Writer = writer!;
        Reader = reader!;
    }

    internal static CreateOptions Options => new(300, WindowTracking: true);

    internal KernelCounters Counters { get; } = new();

    internal EventSource Events { get; }

    internal TableWriter Writer { get; }

    internal TableReader Reader { get; }

    /// <summary>An established TCP flow; every number gives another one.</summary>
    internal static Flow TcpFlow(int number)
    {
        Flow flow = default;
        flow.Family = AddressFamily.Ipv4;
        flow.Protocol = L4Protocol.Tcp;
        flow.Orig = new FlowTuple
        {
            Source = new Address(0, 0x0a00_0000u + (uint)(number >> 14)),
            Target = new Address(0, 0xc000_0201u),
            L4Source = (ushort)(1024 + (number & 0x3fff)),
            L4Target = 443,
        };
        Assert.True(flow.Orig.TryInvert(flow.Protocol, out flow.Reply));
        flow.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed;
        flow.ProtocolState = 3; // ESTABLISHED
        flow.TcpFlagsOrig = flow.TcpFlagsReply = 1;
        flow.TcpWscaleOrig = flow.TcpWscaleReply = 7;
        flow.Mark = (uint)number + 1;
        flow.Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol
            | FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.ProtocolState
            | FlowAttributes.TcpFlags | FlowAttributes.TcpWscale | FlowAttributes.Mark;
        return flow;
    }

    /// <summary>Creates flows first, first + 1, … through full batches.</summary>
    internal void Create(int first, int count)
    {
        CreateOptions options = Options;
        for (int i = first; i < first + count; i++)
        {
            Flow flow = TcpFlow(i);
            if (!Writer.AddCreate(i, flow, options))
            {
                Writer.Flush();
                Assert.True(Writer.AddCreate(i, flow, options));
            }
        }
        Writer.Flush();
    }

    /// <summary>Reads events until none is waiting.</summary>
    internal void Drain()
    {
        while (Events.Read(1000)) { }
    }

    public void Dispose()
    {
        Events.Dispose();
        Writer.Dispose();
        Reader.Dispose();
        _log.Dispose();
    }
}
