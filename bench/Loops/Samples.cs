using System.IO;
using Conntrackd.Conntrack;

namespace Conntrackd.Bench.Loops;

/// <summary>What the loops work on.</summary>
internal static class Samples
{
    private const uint ClientNetwork = 0x0A00_0000, Server = 0xC000_0201;
    private const int PortsPerClient = 50_000, PortFirst = 1024;

    /// <summary>A captured event: a TCP flow of IPv4 becomes established.</summary>
    internal static byte[] Event()
    {
        using Stream stream = typeof(Samples).Assembly.GetManifestResourceStream("event")
            ?? throw new InvalidOperationException("no captured event in this program");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>An established TCP flow as the kernel tells it; each number another one.</summary>
    internal static Flow MakeFlow(int number)
    {
        Flow flow = default;
        flow.Family = AddressFamily.Ipv4;
        flow.Protocol = L4Protocol.Tcp;
        flow.Orig = new FlowTuple
        {
            Source = new Address(0, ClientNetwork + (uint)(number / PortsPerClient)),
            Target = new Address(0, Server),
            L4Source = (ushort)(PortFirst + number % PortsPerClient),
            L4Target = 443,
        };
        flow.Orig.TryInvert(flow.Protocol, out flow.Reply);
        flow.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed;
        flow.ProtocolState = 3;
        flow.TimeoutSeconds = 431_999;
        flow.Id = (uint)number + 1;
        flow.Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol
            | FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.Timeout
            | FlowAttributes.ProtocolState | FlowAttributes.Id;
        return flow;
    }

    /// <summary>Numbers below a bound in no order, the same in every run.</summary>
    internal static int[] Scattered(int count, int bound)
    {
        var random = new Random(1);
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) { numbers[i] = random.Next(bound); }
        return numbers;
    }

    /// <summary>Flows of scattered numbers.</summary>
    internal static Flow[] ScatteredFlows(int bound) =>
        Array.ConvertAll(Scattered(HotLoop.Operations, bound), MakeFlow);
}
