using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>Block VRRP.</summary>
internal sealed partial class ConfigParser
{
    // keepalived's own limit for the names of instances and groups is below this.
    private const int VrrpNameLengthMax = 128;

    private readonly List<VrrpGroupName> _vrrpGroups = [];
    private VrrpOptions? _vrrp;
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
        if (!Name(out string name, out Token at, what)) { return false; }
        var group = new VrrpGroupName(name, isGroup);
        if (name.Length > VrrpNameLengthMax)
        {
            Error(at, $"the name {Found(at)} has {name.Length} letters, "
                + $"at most {VrrpNameLengthMax} are allowed");
        }
        else if (_vrrpGroups.Contains(group))
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

    private void FinishVrrp()
    {
        if (_vrrp is null) { return; }
        if (_vrrpGroups.Count == 0)
        {
            Error(_vrrpToken, "no group to follow in 'VRRP', expected 'Group' or 'Instance'");
            return;
        }
        if (_sync is null)
        {
            Warning(_vrrpToken, "'VRRP' has no effect without a 'Sync' section, ignoring it");
            return;
        }
        if (_vrrp.TrackFile == _vrrp.Notify)
        {
            Error(_origins["VRRP.TrackFile"],
                "'TrackFile' and 'Notify' are the same file, expected two");
            return;
        }
        _options = _options with { Vrrp = _vrrp with { Groups = _vrrpGroups } };
    }
}
