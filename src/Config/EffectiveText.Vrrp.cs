using Conntrackd.Conntrack;

namespace Conntrackd.Config;

// Block VRRP.
internal sealed partial class EffectiveText
{
    private void WriteVrrp(VrrpOptions vrrp)
    {
        Begin("VRRP");
        Setting("VRRP", "Notify", vrrp.Notify);
        foreach (VrrpGroupName group in vrrp.Groups) { WriteVrrpGroup(group); }
        VrrpPath("TrackFile", vrrp.TrackFile);
        Setting("VRRP", "HoldOffTimeout", vrrp.HoldOffSeconds);
        Setting("VRRP", "SyncQuiet", vrrp.SyncQuietSeconds);
        Setting("VRRP", "OnFault", vrrp.PurgeOnFault ? "Purge" : "Keep");
        VrrpPath("QueryPid", vrrp.QueryPid);
        VrrpPath("Command", vrrp.Command);
        End();
    }

    private void WriteVrrpGroup(VrrpGroupName group)
    {
        string head = $"{(group.IsGroup ? "Group" : "Instance")} {group.Name}";
        if (group.Marks.Count + group.Addresses.Count == 0)
        {
            Line(head);
            return;
        }
        Begin(head);
        foreach (MarkMatch mark in group.Marks)
        {
            string mask = mark.Mask == uint.MaxValue ? "" : $"/0x{mark.Mask:x}";
            Line($"Mark 0x{mark.Value:x}{mask}");
        }
        foreach (AddressPrefix network in group.Addresses)
        {
            int all = AddressPrefix.Host(network.Family, network.Address).Length;
            string length = network.Length == all ? "" : $"/{network.Length}";
            Line($"Address {AddressText.Format(network.Family, network.Address)}{length}");
        }
        End();
    }

    private void VrrpPath(string name, string? path)
    {
        if (path is not null) { Setting("VRRP", name, path); }
        else { Comment($"{name}: not set"); }
    }
}
