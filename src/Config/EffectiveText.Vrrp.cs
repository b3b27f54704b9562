namespace Conntrackd.Config;

internal sealed partial class EffectiveText
{
    private void WriteVrrp(VrrpOptions vrrp)
    {
        Begin("VRRP");
        foreach (VrrpGroupName group in vrrp.Groups)
        {
            Line($"{(group.IsGroup ? "Group" : "Instance")} {group.Name}");
        }
        Setting("VRRP", "Notify", vrrp.Notify);
        if (vrrp.TrackFile is string trackFile) { Setting("VRRP", "TrackFile", trackFile); }
        else { Comment("TrackFile: not set, keepalived is not told"); }
        Setting("VRRP", "HoldOffTimeout", vrrp.HoldOffSeconds);
        Setting("VRRP", "SyncQuiet", vrrp.SyncQuietSeconds);
        Setting("VRRP", "OnFault", vrrp.PurgeOnFault ? "Purge" : "Keep");
        if (vrrp.QueryPid is string pid) { Setting("VRRP", "QueryPid", pid); }
        else { Comment("QueryPid: not set, keepalived is not asked"); }
        if (vrrp.Command is string command) { Setting("VRRP", "Command", command); }
        End();
    }
}
