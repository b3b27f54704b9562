using System.Text;
using Conntrackd.Config;

namespace Conntrackd.Daemon;

/// <summary>The lines of keepalived.conf that fit a configuration (--print-keepalived).</summary>
internal static class KeepalivedText
{
    private const string TrackName = "conntrackd_sync";

    // More than the difference of usual priorities, less than what makes FAULT (254).
    private const int Weight = 60;

    /// <summary>Renders; what only the operator knows is a comment.</summary>
    internal static string Render(VrrpOptions vrrp)
    {
        var text = new StringBuilder();
        text.Append("# Merge into keepalived.conf. conntrackd must run as root, and start before\n")
            .Append("# keepalived. No notify scripts are needed for conntrackd.\n")
            .Append("global_defs {\n")
            .Append($"\tvrrp_notify_fifo {vrrp.Notify} root\n")
            .Append("\tfifo_write_vrrp_states_on_reload\n")
            .Append("}\n");
        if (vrrp.TrackFile is string file)
        {
            text.Append("\n# The weight must be larger than the difference of the priorities of\n")
                .Append("# the nodes, so that a node that is not in sync stands back.\n")
                .Append($"track_file {TrackName} {{\n\tfile \"{file}\"\n")
                .Append($"\tweight -{Weight}\n\tinit_file 1\n}}\n");
        }
        foreach (VrrpGroupName group in vrrp.Groups) { Append(text, group, vrrp.TrackFile); }
        return text.ToString();
    }

    private static void Append(StringBuilder text, VrrpGroupName group, string? trackFile)
    {
        string kind = group.IsGroup ? "vrrp_sync_group" : "vrrp_instance";
        text.Append($"\n{kind} {group.Name} {{\n");
        text.Append(group.IsGroup
            ? "\t# group { the instances of this group }\n"
            : "\t# interface, virtual_router_id, priority, addresses: as they are\n");
        if (trackFile is not null) { text.Append($"\ttrack_file {{\n\t\t{TrackName}\n\t}}\n"); }
        text.Append("}\n");
    }
}
