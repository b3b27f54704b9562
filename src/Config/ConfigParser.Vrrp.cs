using System.Collections.Generic;
using System.Globalization;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Block VRRP.</summary>
internal sealed partial class ConfigParser
{
    // keepalived's own limit for the names of instances and groups is below this.
    private const int VrrpNameLengthMax = 128;

    private readonly List<VrrpGroupName> _vrrpGroups = [];
    private List<MarkMatch> _vrrpMarks = [];
    private List<AddressPrefix> _vrrpAddresses = [];
    private VrrpOptions? _vrrp;
    private bool _vrrpHasBadGroup;
    private Token _vrrpToken;

    private bool Set(VrrpOptions vrrp)
    {
        _vrrp = vrrp;
        return true;
    }

    private bool ReadVrrp()
    {
        _vrrp ??= new VrrpOptions();
        _vrrpToken = _directive;
        return Braces(Block.Vrrp, "VRRP");
    }

    private bool ReadVrrpNotify() =>
        Path(out string path, "a path") && Set(_vrrp! with { Notify = path });

    private bool ReadVrrpTrackFile() =>
        Path(out string path, "a path") && Set(_vrrp! with { TrackFile = path });

    private bool ReadVrrpQueryPid() =>
        Path(out string path, "a path") && Set(_vrrp! with { QueryPid = path });

    private bool ReadVrrpCommand() =>
        Path(out string path, "the path of a program") && Set(_vrrp! with { Command = path });

    private bool ReadVrrpHoldOff() =>
        Seconds(out uint n) && Set(_vrrp! with { HoldOffSeconds = n });

    private bool ReadVrrpQuiet() =>
        Number(out uint n, "seconds", 1, NumberMax) && Set(_vrrp! with { SyncQuietSeconds = n });

    private bool ReadVrrpOnFault()
    {
        if (TryWord("Purge")) { return Set(_vrrp! with { PurgeOnFault = true }); }
        if (TryWord("Keep")) { return Set(_vrrp! with { PurgeOnFault = false }); }
        return Expected("Purge or Keep");
    }

    private bool ReadVrrpGroup(bool isGroup)
    {
        string what = isGroup ? "the name of a vrrp_sync_group" : "the name of a vrrp_instance";
        (_vrrpMarks, _vrrpAddresses) = ([], []);
        if (!Name(out string name, out Token at, what))
        {
            _vrrpHasBadGroup = true;
            return _token.Kind == TokenKind.Open && Braces(Block.VrrpGroup, _directiveText);
        }
        if (_token.Kind == TokenKind.Open && !Braces(Block.VrrpGroup, name)) { return false; }
        var group = new VrrpGroupName(name, isGroup)
        {
            Marks = _vrrpMarks,
            Addresses = _vrrpAddresses,
        };
        if (name.Length > VrrpNameLengthMax)
        {
            Error(at, $"the name {Found(at)} has {name.Length} letters, "
                + $"at most {VrrpNameLengthMax} are allowed");
        }
        else if (_vrrpGroups.Exists(g => g.Name == name && g.IsGroup == isGroup))
        {
            Warning(at, $"{Found(at)} was named before, ignoring it");
        }
        else if (_vrrpGroups.Count == VrrpOptions.GroupsMax)
        {
            Error(at, $"more than {VrrpOptions.GroupsMax} groups and instances in 'VRRP'");
        }
        else { _vrrpGroups.Add(group); }
        return true;
    }

    private bool ReadVrrpMark()
    {
        const string Wanted = "a mark, as 0x2 or 0x200/0xff00";
        if (!Name(out string text, out Token at, Wanted, mayTouch: true)) { return false; }
        uint mask = uint.MaxValue;
        bool isGood = TryReadMark(text, out uint value);
        if (_token.Kind == TokenKind.Path && _token.Start == at.End)
        {
            isGood &= TryReadMark(_source.TextOf(_token)[1..], out mask) && mask != 0;
            at = at with { Length = _token.End - at.Start };
            Advance();
        }
        if (!isGood) { Error(at, $"expected {Wanted} after 'Mark', found {Found(at)}"); }
        else if ((value & ~mask) != 0)
        {
            Error(at, $"no mark is {Found(at)}: there are bits that its mask does not have");
        }
        else { _vrrpMarks.Add(new MarkMatch(value, mask)); }
        return true;
    }

    private static bool TryReadMark(string text, out uint value) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out value)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private bool ReadVrrpAddress()
    {
        Token at = _token;
        if (at.Kind is not (TokenKind.Ipv4 or TokenKind.Ipv6))
        {
            return Expected("an address or a network");
        }
        AddressFamily family =
            at.Kind == TokenKind.Ipv4 ? AddressFamily.Ipv4 : AddressFamily.Ipv6;
        if (!Prefix(family, isHost: false, out AddressPrefix? prefix)) { return false; }
        if (prefix is AddressPrefix good) { _vrrpAddresses.Add(good); }
        // Ignored, it would leave the group what is not its own.
        else { Error(at, $"'Address' cannot do without {Found(at)}"); }
        return true;
    }

    // Their flows are in one table and one cache.
    private void WarnOfUnclaimed()
    {
        bool isTold = _vrrpGroups.Count < 2 || _sync is { DisableExternalCache: true }
            || _vrrpGroups.Exists(static g => g.Marks.Count + g.Addresses.Count != 0);
        if (isTold) { return; }
        Warning(_vrrpToken, "nothing tells the flows of the groups apart ('Mark', 'Address'): "
            + "each takes over the flows of all, and none is purged while one is master");
    }

    private void CheckVrrp()
    {
        if (_vrrp is null) { return; }
        if (_vrrpGroups.Count == 0 && !_vrrpHasBadGroup)
        {
            Error(_vrrpToken, "no group to follow in 'VRRP', expected 'Group' or 'Instance'");
        }
        if (_sync is not null && _vrrp.TrackFile == _vrrp.Notify)
        {
            Error(_origins["VRRP.TrackFile"],
                "'TrackFile' and 'Notify' are the same file, expected two");
        }
    }

    private void FinishVrrp()
    {
        if (_vrrp is null) { return; }
        if (_sync is null)
        {
            Warning(_vrrpToken, "'VRRP' has no effect without a 'Sync' section, ignoring it");
            return;
        }
        WarnOfUnclaimed();
        _options = _options with { Vrrp = _vrrp with { Groups = _vrrpGroups } };
    }
}
