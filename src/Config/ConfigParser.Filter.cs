using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Filter blocks: all of them add to one filter.</summary>
internal sealed partial class ConfigParser
{
    // Numbers as in the kernel, enum tcp_conntrack.
    private static readonly Dictionary<string, byte> s_tcpStates = new()
    {
        ["SYN_SENT"] = 1,
        ["SYN_RECV"] = 2,
        ["ESTABLISHED"] = 3,
        ["FIN_WAIT"] = 4,
        ["CLOSE_WAIT"] = 5,
        ["LAST_ACK"] = 6,
        ["TIME_WAIT"] = 7,
        ["CLOSE"] = 8,
        ["CLOSED"] = 8,
        ["LISTEN"] = 9,
    };

    /// <summary>The states in the order of their numbers, one name each.</summary>
    internal static IEnumerable<(byte State, string Name)> TcpStateNames
    {
        get
        {
            // As they were added above; none is ever removed.
            foreach ((string name, byte state) in s_tcpStates)
            {
                if (name != "CLOSED") { yield return (state, name); }
            }
        }
    }

    private readonly FlowFilterBuilder _filter = new();
    private readonly Dictionary<AddressPrefix, int> _filterAddresses = [];   // value: line

    private bool ReadFilter()
    {
        bool isKernelspace = false;
        if (TryWord("From"))
        {
            isKernelspace = TryWord("Kernelspace");
            bool isKnown = isKernelspace || TryWord("Userspace")
                || Expected("Userspace or Kernelspace");
            if (!isKnown && _token.Kind != TokenKind.Open) { return false; }
        }
        return Braces(Block.Filter, "Filter")
            && Set(_options with { IsFilterFromKernelspace = isKernelspace });
    }

    /// <summary>
    /// Reads the policy word that every set must have. False if it is missing and no set follows.
    /// </summary>
    private bool Policy(out FilterPolicy policy)
    {
        policy = TryWord("Accept") ? FilterPolicy.Accept
            : TryWord("Ignore") ? FilterPolicy.Ignore
            : FilterPolicy.None;
        return policy != FilterPolicy.None || Expected("Accept or Ignore")
            || _token.Kind == TokenKind.Open;
    }

    private bool ReadProtocolSet()
    {
        if (!Policy(out FilterPolicy policy)) { return false; }
        _filter.ProtocolPolicy = policy;
        return NameList("Protocol", "a protocol name", AddProtocol);
    }

    private void AddProtocol(Token at, string name)
    {
        if (ProtocolNames.TryGetNumber(name, out byte number))
        {
            _filter.AddProtocol(number);
            return;
        }
        if (byte.TryParse(name, out _))
        {
            Error(at, $"expected a protocol name in 'Protocol', found the number {Found(at)}");
            return;
        }
        string? near = Spelling.Nearest(name, ProtocolNames.All);
        string advice = near is null ? "" : $", did you mean '{near}'";
        Warning(at, $"unknown protocol {Found(at)}, ignoring{advice}");
    }

    private bool ReadAddressSet()
    {
        if (!Policy(out FilterPolicy policy)) { return false; }
        _filter.AddressPolicy = policy;
        return Braces(Block.Address, "Address");
    }

    private bool ReadFilterAddress(AddressFamily family)
    {
        Token at = _token;
        if (!Prefix(family, isHost: false, out AddressPrefix? given)) { return false; }
        if (given is not AddressPrefix prefix) { return true; }

        // Networks that differ only behind the prefix are the same.
        prefix = prefix with { Address = prefix.First };
        if (_filterAddresses.TryGetValue(prefix, out int line))
        {
            Warning(at, $"{Found(at)} is repeated, it stands in line {line} already");
            return true;
        }
        _filterAddresses.Add(prefix, at.Line);
        _filter.AddAddress(prefix);
        return true;
    }

    private bool ReadStateSet()
    {
        int openedAt = _directive.Line;
        if (!Policy(out FilterPolicy policy) || !Open(Block.None)) { return false; }
        _filter.StatePolicy = policy;
        Enter(new OpenBlock(Block.None, "State", openedAt));
        bool needsProtocol = false;             // states were named, "for TCP" is missing
        while (!IsLeaving)
        {
            if (needsProtocol && _token.Kind == TokenKind.Close)
            {
                Error(_token, "expected 'for TCP' after the states, found '}'");
            }
            if (TryClose()) { break; }
            needsProtocol = ReadStateWord(needsProtocol);
        }
        Leave();
        return true;
    }

    /// <summary>Reads a state or "for TCP"; returns whether "for TCP" must still come.</summary>
    private bool ReadStateWord(bool needsProtocol)
    {
        Token at = _token;
        if (TryWord("for"))
        {
            if (TryWord("TCP")) { return false; }
            Error(_token, $"expected TCP after 'for', found {Found(_token)}");
            if (_token.Kind == TokenKind.Word) { Advance(); }
            return false;
        }
        string word = at.Kind == TokenKind.Word ? _source.TextOf(at) : "";
        if (IsMissingBrace(word, out int keep))
        {
            MissingBrace(keep);
            return false;
        }
        if (s_tcpStates.TryGetValue(word, out byte state))
        {
            _filter.AddTcpState(state);
            Advance();
            return true;
        }
        string? near = Spelling.Nearest(word, s_tcpStates.Keys);
        Error(at, $"expected a TCP state, 'for TCP' or '}}' in 'State', found {Found(at)}"
            + (near is null ? "" : $", did you mean '{near}'"));
        if (at.Kind == TokenKind.Open)
        {
            Advance();
            SkipBraces();
        }
        else { SkipWord(); }
        return needsProtocol;
    }

    /// <summary>Reads names in braces, whatever they look like.</summary>
    private bool NameList(string blockName, string what, Action<Token, string> add)
    {
        int openedAt = _directive.Line;
        if (!Open(Block.None)) { return false; }
        Enter(new OpenBlock(Block.None, blockName, openedAt));
        while (!IsLeaving && !TryClose()) { ReadListed(blockName, what, add); }
        Leave();
        return true;
    }

    private void ReadListed(string blockName, string what, Action<Token, string> add)
    {
        // Keywords are names here, unless the file lacks a brace.
        if (_token.Kind == TokenKind.Word && _token.Line != _last.Line && Unclosed > 0
            && IsMissingBrace(_source.TextOf(_token), out int keep))
        {
            MissingBrace(keep);
            return;
        }
        Token name = _lexer.ReadName(_token);
        if (name.Length > 0)
        {
            Advance();
            add(name, _source.TextOf(name));
            return;
        }
        Error(_token, $"expected {what} or '}}' in '{blockName}', found {Found(_token)}");
        if (_token.Kind == TokenKind.Open)
        {
            Advance();
            SkipBraces();
        }
        else { SkipWord(); }
    }
}
