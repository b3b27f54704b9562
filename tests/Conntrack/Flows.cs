using Conntrackd.Conntrack;
using CsCheck;

namespace Conntrackd.Tests.Conntrack;

/// <summary>Flows for tests: a few by hand, and random ones.</summary>
internal static class Flows
{
    private static readonly byte[] s_protocols =
    [
        L4Protocol.Tcp, L4Protocol.Udp, L4Protocol.Icmp, L4Protocol.Icmpv6, L4Protocol.Sctp,
        L4Protocol.Dccp, L4Protocol.Gre, L4Protocol.UdpLite, 94,
    ];

    internal static Address Ipv4(uint value) => new(0, value);

    /// <summary>An established TCP flow 10.0.0.1:1000 to 10.0.0.2:80, nothing else known.</summary>
    internal static Flow Tcp()
    {
        Flow flow = default;
        flow.Family = AddressFamily.Ipv4;
        flow.Protocol = L4Protocol.Tcp;
        flow.Orig = new FlowTuple
        {
            Source = Ipv4(0x0a000001),
            Target = Ipv4(0x0a000002),
            L4Source = 1000,
            L4Target = 80,
        };
        flow.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed;
        flow.ProtocolState = 3;
        flow.Present = FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol
            | FlowAttributes.Status | FlowAttributes.ProtocolState;
        return flow;
    }

    /// <summary>Random values in every member; any combination of bits that makes sense.</summary>
    internal static readonly Gen<Flow> Any =
        from numbers in Gen.UInt.Array[40]
        from present in Gen.UInt
        from protocol in Gen.Int[0, s_protocols.Length - 1]
        from ipv6 in Gen.Bool
        from helper in Gen.String[Gen.Char.AlphaNumeric, 1, 11]
        select Build(numbers, (FlowAttributes)present, s_protocols[protocol], ipv6, helper);

    private static Flow Build(
        uint[] numbers, FlowAttributes present, byte protocol, bool ipv6, string helper)
    {
        int at = 0;
        uint Next() => numbers[at++ % numbers.Length];
        Address NextAddress() =>
            ipv6 ? new Address(((ulong)Next() << 32) | Next(), ((ulong)Next() << 32) | Next())
            : Ipv4(Next());
        FlowTuple NextTuple() => new()
        {
            Source = NextAddress(),
            Target = NextAddress(),
            L4Source = (ushort)Next(),
            L4Target = (ushort)Next(),
        };
        Flow flow = default;
        flow.Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4;
        flow.Protocol = protocol;
        flow.Orig = NextTuple();
        flow.Reply = NextTuple();
        flow.Master = NextTuple();
        flow.MasterProtocol = L4Protocol.Tcp;
        flow.SnatAddress = NextAddress();
        flow.DnatAddress = NextAddress();
        flow.SpatPort = (ushort)Next();
        flow.DpatPort = (ushort)Next();
        flow.Status = (FlowStatus)(Next() & 0xffff);
        flow.TimeoutSeconds = Next();
        flow.Mark = Next();
        flow.Zone = (ushort)Next();
        flow.ZoneOrig = (ushort)Next();
        flow.ZoneReply = (ushort)Next();
        flow.ProtocolState = (byte)(Next() % 10);
        flow.DccpRole = (byte)(Next() & 1);
        flow.TcpWscaleOrig = (byte)(Next() % 15);
        flow.TcpWscaleReply = (byte)(Next() % 15);
        flow.TcpFlagsOrig = (byte)Next();
        flow.TcpFlagsReply = (byte)Next();
        flow.SctpVtagOrig = Next();
        flow.SctpVtagReply = Next();
        flow.SequenceAdjustOrig = new SequenceAdjustment(Next(), (int)Next(), (int)Next());
        flow.SequenceAdjustReply = new SequenceAdjustment(Next(), (int)Next(), (int)Next());
        flow.LabelsLow = (((ulong)Next() << 32) | Next()) | 1;
        flow.LabelsHigh = ((ulong)Next() << 32) | Next();
        flow.SynproxyIsn = Next();
        flow.SynproxyIts = Next();
        flow.SynproxyTimestampOffset = Next();
        flow.Helper = HelperName.From(System.Text.Encoding.ASCII.GetBytes(helper));
        flow.Present = (present & (FlowAttributes)0x7fffffff)
            | FlowAttributes.Orig | FlowAttributes.Protocol;
        return flow;
    }
}
