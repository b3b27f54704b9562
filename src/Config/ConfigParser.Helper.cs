using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Section Helper.</summary>
/// <remarks>
/// The original collects QueueNum, QueueLen and Policy in one place and gives them to the Type
/// block that closes next. So they may stand outside a Type, and a Type may stand in a Type. Both
/// keep that meaning here and are warned about.
/// </remarks>
internal sealed partial class ConfigParser
{
    private const int PolicyNameLengthMax = 16;

    private readonly List<HelperOptions> _helpers = [];
    /// <summary>A policy of the type that is being read.</summary>
    private readonly record struct PendingPolicy(Token At, HelperPolicy Policy);

    private readonly List<PendingPolicy> _pendingPolicies = [];
    private ushort _pendingQueueNumber;
    private uint _pendingQueueLength;
    private uint? _expectMax;
    private uint? _expectTimeoutSeconds;

    private bool ReadHelper() =>
        Set(_options with { HasHelperSection = true }) && Braces(Block.Helper, "Helper");

    private bool ReadHelperType()
    {
        Token directive = _directive;
        if (Here.Block == Block.HelperType)
        {
            Warning(directive, "'Type' inside 'Type', the inner one takes what stands before it");
        }
        if (!Name(out string name, out Token nameAt, "a helper name")
            || !Name(out string family, out Token familyAt, "inet or inet6")
            || !Name(out string transport, out Token transportAt, "tcp or udp"))
        {
            return _token.Kind == TokenKind.Open && Braces(Block.HelperType, "Type");
        }
        bool isKnown = CheckHelper(name, nameAt, family, familyAt, transport, transportAt);
        byte protocol = transport == "tcp" ? L4Protocol.Tcp : L4Protocol.Udp;
        bool isRead = Braces(Block.HelperType, "Type");
        if (isRead && isKnown) { CheckPolicies(name); }
        _helpers.Add(new HelperOptions(
            name,
            family == "inet6",
            protocol,
            _pendingQueueNumber,
            _pendingQueueLength,
            _pendingPolicies.ConvertAll(static p => p.Policy),
            _source.PositionOf(directive)));
        _pendingPolicies.Clear();
        (_pendingQueueNumber, _pendingQueueLength) = (0, 0);
        return isRead;
    }

    private bool CheckHelper(
        string name, in Token nameAt,
        string family, in Token familyAt,
        string transport, in Token transportAt)
    {
        if (family is not ("inet" or "inet6"))
        {
            Error(familyAt, $"unknown layer 3 protocol {Found(familyAt)}, expected inet or inet6");
        }
        if (transport is not ("tcp" or "udp"))
        {
            Error(transportAt,
                $"unknown layer 4 protocol {Found(transportAt)}, expected tcp or udp");
            return false;
        }
        byte protocol = transport == "tcp" ? L4Protocol.Tcp : L4Protocol.Udp;
        if (KnownHelpers.Serves(name, protocol)) { return true; }
        Error(nameAt, KnownHelpers.IsKnown(name)
            ? $"helper {Found(nameAt)} is not for {transport}"
            : $"unknown helper {Found(nameAt)}, expected one of "
                + string.Join(", ", KnownHelpers.Names));
        return false;
    }

    /// <summary>A helper's only policy bears its name.</summary>
    private void CheckPolicies(string helper)
    {
        foreach ((Token at, HelperPolicy policy) in _pendingPolicies)
        {
            if (policy.Name == helper) { continue; }
            Error(at, $"unknown policy {Found(at)} of helper '{helper}', expected '{helper}'");
        }
    }

    private bool ReadQueueNumber()
    {
        WarnOutsideType();
        return Short(out _pendingQueueNumber, "a queue", 0);
    }

    private bool ReadQueueLength()
    {
        WarnOutsideType();
        return Number(out _pendingQueueLength, "a number of packets");
    }

    private bool ReadPolicy()
    {
        WarnOutsideType();
        if (!Name(out string name, out Token at, "a policy name"))
        {
            return _token.Kind == TokenKind.Open && Braces(Block.HelperPolicy, "Policy");
        }
        if (name.Length > PolicyNameLengthMax)
        {
            Error(at, $"policy name {Found(at)} has {name.Length} bytes, at most "
                + $"{PolicyNameLengthMax} fit");
        }
        int errorsBefore = _errorCount;
        (_expectMax, _expectTimeoutSeconds) = (null, null);
        if (!Braces(Block.HelperPolicy, "Policy")) { return false; }
        if (_expectMax is null && _expectTimeoutSeconds is null && _errorCount == errorsBefore)
        {
            Error(at, $"policy {Found(at)} is empty, expected 'ExpectMax' or 'ExpectTimeout'");
        }
        _pendingPolicies.Add(new PendingPolicy(
            at, new HelperPolicy(name, _expectMax ?? 0, _expectTimeoutSeconds ?? 0)));
        return true;
    }

    private void WarnOutsideType()
    {
        if (Here.Block != Block.Helper) { return; }
        Warning(_directive,
            $"{Found(_directive)} outside a 'Type' block, it goes to the next 'Type'");
    }

    private bool ReadExpectMax()
    {
        bool isRead = Number(out uint n, "a number of expectations");
        _expectMax = n;
        return isRead;
    }

    private bool ReadExpectTimeout()
    {
        bool isRead = Seconds(out uint n);
        _expectTimeoutSeconds = n;
        return isRead;
    }
}
