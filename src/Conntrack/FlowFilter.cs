namespace Conntrackd.Conntrack;

/// <summary>
/// Decides which flows conntrackd cares about: section Filter of the configuration, with the
/// user-space meaning for events, dumps and flushes alike. Immutable after Build.
/// </summary>
/// <remarks>
/// Three classes are tested in the order protocol, address, state; a flow must pass all that are
/// configured. Nothing is ignored implicitly. The original's socket filter (From Kernelspace) means
/// something else for addresses and is limited to 127 of them; here one meaning serves everywhere,
/// in the kernel too: <see cref="EventProgram"/>. Source: shared spec sync, section 16.1. Tests run
/// per event: no allocation, no lock.
/// </remarks>
internal sealed class FlowFilter
{
    /// <summary>The filter of a configuration without Filter: keeps every complete flow.</summary>
    internal static readonly FlowFilter AcceptAll = new FlowFilterBuilder().Build();

    private readonly FilterPolicy _protocolPolicy;
    private readonly FilterPolicy _addressPolicy;
    private readonly FilterPolicy _statePolicy;
    private readonly ProtocolSet _protocols;
    private readonly TcpStateSet _tcpStates;
    private readonly AddressSet _ipv4;
    private readonly AddressSet _ipv6;

    internal FlowFilter(FlowFilterBuilder builder)
    {
        Definition = builder;
        _protocolPolicy = builder.ProtocolPolicy;
        _addressPolicy = builder.AddressPolicy;
        _statePolicy = builder.StatePolicy;
        _protocols = builder.Protocols;
        _tcpStates = builder.TcpStates;
        _ipv4 = new AddressSet(builder.Ipv4);
        _ipv6 = new AddressSet(builder.Ipv6);
    }

    /// <summary>What it was built from, to be shown; not to be changed any more.</summary>
    internal FlowFilterBuilder Definition { get; }

    /// <summary>The listed addresses of one family.</summary>
    internal AddressSet Ipv4 => _ipv4;

    /// <summary>Those of the other.</summary>
    internal AddressSet Ipv6 => _ipv6;

    /// <summary>True if no class is configured.</summary>
    internal bool IsEmpty =>
        (_protocolPolicy | _addressPolicy | _statePolicy) == FilterPolicy.None;

    /// <summary>
    /// True if <paramref name="flow"/> is to be kept. A flow without original addresses, or of a
    /// family other than IPv4 and IPv6, is never kept: it cannot be identified.
    /// </summary>
    internal bool Accepts(in Flow flow)
    {
        if (!flow.Has(FlowAttributes.Orig)) { return false; }
        if (flow.Family is not (AddressFamily.Ipv4 or AddressFamily.Ipv6)) { return false; }
        return Passes(_protocolPolicy, _protocols.Contains(ProtocolOf(flow)))
            && (_addressPolicy == FilterPolicy.None || Passes(_addressPolicy, MatchesAddress(flow)))
            && (_statePolicy == FilterPolicy.None || AcceptsState(flow));
    }

    private static bool Passes(FilterPolicy policy, bool matches) =>
        policy == FilterPolicy.None || matches == (policy == FilterPolicy.Accept);

    // The original reads an absent attribute as 0 (protocol IP).
    private static byte ProtocolOf(in Flow flow) =>
        flow.Has(FlowAttributes.Protocol) ? flow.Protocol : (byte)0;

    /// <summary>Looks at the real ends: the original source, and the target after DNAT.</summary>
    private bool MatchesAddress(in Flow flow)
    {
        AddressSet set = flow.Family == AddressFamily.Ipv4 ? _ipv4 : _ipv6;
        return set.Contains(flow.Orig.Source) || set.Contains(ReplySource(flow));
    }

    // A peer's flow has no reply tuple; its source is the one of Flow.TryGetTranslatedReply, which
    // is not called because it refuses ICMP types without an answer, and those have a target too.
    private static Address ReplySource(in Flow flow) =>
        flow.Has(FlowAttributes.Reply) ? flow.Reply.Source
        : flow.Has(FlowAttributes.Dnat) ? flow.DnatAddress
        : flow.Orig.Target;

    /// <summary>Other protocols and flows without a state (destroy events) always pass.</summary>
    private bool AcceptsState(in Flow flow) =>
        ProtocolOf(flow) != L4Protocol.Tcp
        || !flow.Has(FlowAttributes.ProtocolState)
        || Passes(_statePolicy, _tcpStates.Contains(flow.ProtocolState));
}
