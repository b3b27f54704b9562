using Conntrackd.Conntrack;

namespace Conntrackd.Bench.Loops;

/// <summary>A line of "conntrackd -i".</summary>
internal sealed class TextLoop : HotLoop
{
    private readonly TextBuffer _text = new();
    private Flow _flow;

    internal override string Name => "flow as text";

    internal override void Prepare() => _flow = Samples.MakeFlow(1);

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            _text.Clear();
            FlowText.Append(_text, in _flow, FlowTextSource.Cache, wallSeconds: 0);
            sum += _text.Length;
        }
        return sum;
    }
}

/// <summary>A line of "conntrackd -i -x".</summary>
internal sealed class XmlLoop : HotLoop
{
    private readonly TextBuffer _text = new();
    private Flow _flow;

    internal override string Name => "flow as XML";

    internal override void Prepare() => _flow = Samples.MakeFlow(1);

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            _text.Clear();
            FlowText.AppendXml(_text, in _flow, FlowTextSource.Cache, wallSeconds: 0);
            sum += _text.Length;
        }
        return sum;
    }
}

/// <summary>A filter as firewalls have it: four protocols, own addresses and a network.</summary>
internal sealed class FilterLoop : HotLoop
{
    private FlowFilter _filter = FlowFilter.AcceptAll;
    private Flow[] _flows = [];

    internal override string Name => "filter: protocols and five addresses";

    internal override void Prepare()
    {
        var builder = new FlowFilterBuilder
        {
            ProtocolPolicy = FilterPolicy.Accept,
            AddressPolicy = FilterPolicy.Ignore,
        };
        foreach (byte protocol in new[]
            { L4Protocol.Tcp, L4Protocol.Udp, L4Protocol.Icmp, L4Protocol.Sctp })
        {
            builder.AddProtocol(protocol);
        }
        foreach (uint address in new[] { 0x7F00_0001u, 0xC0A8_6401u, 0xC0A8_6402u, 0xC633_6401u })
        {
            builder.AddAddress(
                AddressPrefix.Host(AddressFamily.Ipv4, new Address(0, address)));
        }
        builder.AddAddress(
            new AddressPrefix(AddressFamily.Ipv4, new Address(0, 0xC0A8_6400), 24));
        _filter = builder.Build();
        _flows = Samples.ScatteredFlows(Operations);
    }

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++) { sum += _filter.Accepts(in _flows[i]) ? 1 : 0; }
        return sum;
    }
}
