using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Tests.Netlink;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <summary>The socket program against the filter that it stands for.</summary>
public sealed class EventProgramTests
{
    private const uint OurPort = 0x12345678;

    private readonly byte[] _buffer = new byte[1024];
    private readonly Random _random = new(1);

    /// <summary>An event as the kernel writes it.</summary>
    private ReadOnlySpan<byte> Write(in Flow flow, bool ends, uint portId = 0)
    {
        var writer = new MessageWriter(_buffer);
        writer.Begin(
            ends ? CtMessage.Delete : CtMessage.New, NetlinkFlags.None, 0, (byte)flow.Family);
        TupleCodec.Encode(
            ref writer, (int)CtAttribute.TupleOrig, flow.Family, flow.Protocol, flow.Orig);
        TupleCodec.Encode(
            ref writer, (int)CtAttribute.TupleReply, flow.Family, flow.Protocol, flow.Reply);
        if (flow.Has(FlowAttributes.ProtocolState))
        {
            int info = writer.BeginNest((ushort)CtAttribute.ProtocolInfo);
            int tcp = writer.BeginNest((ushort)CtProtocolInfo.Tcp);
            Assert.True(writer.TryReserve((ushort)CtTcp.State, 1, out Span<byte> state));
            state[0] = flow.ProtocolState;
            writer.EndNest(tcp);
            writer.EndNest(info);
        }
        Assert.True(writer.End());
        BitConverter.TryWriteBytes(_buffer.AsSpan(12), portId);
        return _buffer.AsSpan(0, writer.Length);
    }

    private Address Near(Address address) => _random.Next(4) switch
    {
        0 => address,
        1 => address with { Low = address.Low + 1 },
        2 => address with { Low = address.Low - 1 },
        _ => address with { Low = address.Low ^ (1ul << _random.Next(32)) },
    };

    private Address Draw(bool ipv6) => ipv6
        ? new Address(0x20010db8_00000000 + (ulong)_random.NextInt64(3), (ulong)_random.NextInt64())
        : new Address(0, (uint)_random.NextInt64());

    private FlowFilterBuilder DrawFilter(int addresses, List<Address>[] listed)
    {
        var rules = new FlowFilterBuilder
        {
            ProtocolPolicy = (FilterPolicy)_random.Next(3),
            AddressPolicy = (FilterPolicy)_random.Next(1, 3),
            StatePolicy = (FilterPolicy)_random.Next(3),
        };
        for (int i = 0; i < 4; i++)
        {
            rules.AddProtocol((byte)(i == 0 ? 6 : _random.Next(256)));
            rules.AddTcpState((byte)_random.Next(10));
        }
        for (int i = 0; i < addresses; i++)
        {
            bool ipv6 = i % 5 == 0;
            int bits = ipv6 ? 128 : 32;
            int length = _random.Next(4) == 0 ? _random.Next(ipv6 ? 40 : 8, bits) : bits;
            AddressFamily family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4;
            var prefix = new AddressPrefix(family, Draw(ipv6), length);
            listed[ipv6 ? 1 : 0].Add(_random.Next(2) == 0 ? prefix.First : prefix.Last);
            rules.AddAddress(prefix);
        }
        return rules;
    }

    private Flow DrawFlow(List<Address>[] listed)
    {
        bool ipv6 = _random.Next(2) == 0;
        List<Address> near = listed[ipv6 ? 1 : 0];
        Address Any() => near.Count == 0 || _random.Next(3) == 0
            ? Draw(ipv6) : Near(near[_random.Next(near.Count)]);
        Flow flow = default;
        flow.Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4;
        flow.Protocol = _random.Next(2) == 0 ? L4Protocol.Tcp : (byte)_random.Next(256);
        flow.Orig = new FlowTuple { Source = Any(), Target = Any() };
        flow.Reply = new FlowTuple { Source = Any(), Target = Any() };
        if (_random.Next(2) == 0)
        {
            flow.ProtocolState = (byte)_random.Next(10);
            flow.Present |= FlowAttributes.ProtocolState;
        }
        return flow;
    }

    /// <remarks>
    /// From no address to many, where most jumps are too far for 8 bits.
    /// </remarks>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(200)]
    public void It_drops_exactly_what_the_filter_refuses(int addresses)
    {
        for (int round = 0; round < 40; round++)
        {
            List<Address>[] listed = [[], []];
            FlowFilter filter = DrawFilter(addresses, listed).Build();
            byte[]? program = EventProgram.Build(filter, [7, OurPort]);
            Assert.NotNull(program);
            Flow decoded = default;
            for (int i = 0; i < 100; i++)
            {
                bool ends = _random.Next(3) == 0;
                ReadOnlySpan<byte> message = Write(DrawFlow(listed), ends);
                Assert.Equal(
                    DecodeError.None, FlowDecoder.Decode(message[16..], ref decoded));
                if (ends) { decoded.Present &= ~FlowAttributes.ProtocolState; }
                bool kept = BpfMachine.Run(program, message) != 0;
                Assert.True(filter.Accepts(in decoded) == kept, $"round {round} flow {i}");
            }
        }
    }

    [Fact]
    public void Our_own_doings_are_dropped_and_what_is_no_flow_passes()
    {
        var rules = new FlowFilterBuilder { ProtocolPolicy = FilterPolicy.Accept };
        byte[] program = EventProgram.Build(rules.Build(), [7, OurPort])!;
        Flow flow = DrawFlow([[], []]);
        Assert.Equal(0u, BpfMachine.Run(program, Write(in flow, ends: false)));
        program = EventProgram.Build(null, [7, OurPort])!;
        Assert.NotEqual(0u, BpfMachine.Run(program, Write(in flow, ends: false)));
        Assert.Equal(0u, BpfMachine.Run(program, Write(in flow, ends: false, OurPort)));
        Assert.Equal(0u, BpfMachine.Run(program, Write(in flow, ends: true, 7)));
        Write(in flow, ends: false, OurPort);
        _buffer[BitConverter.IsLittleEndian ? 5 : 4] = 2;      // an expectation
        Assert.NotEqual(0u, BpfMachine.Run(program, _buffer));
    }

    /// <remarks>The figures are in the manual page.</remarks>
    [Theory]
    [InlineData(AddressFamily.Ipv4, 950, true)]
    [InlineData(AddressFamily.Ipv6, 140, true)]
    [InlineData(AddressFamily.Ipv4, 1100, false)]
    [InlineData(AddressFamily.Ipv6, 600, false)]
    public void So_many_scattered_hosts_fit_into_what_the_kernel_takes(
        object family, int hosts, bool fits)
    {
        var rules = new FlowFilterBuilder { AddressPolicy = FilterPolicy.Ignore };
        bool ipv6 = (AddressFamily)family == AddressFamily.Ipv6;
        for (int i = 0; i < hosts; i++)
        {
            Address host = ipv6
                ? new Address((ulong)_random.NextInt64(), (ulong)_random.NextInt64()) : Draw(false);
            rules.AddAddress(AddressPrefix.Host((AddressFamily)family, host));
        }
        Assert.Equal(fits, EventProgram.Build(rules.Build(), [1, 2, 3]) is not null);
    }
}
