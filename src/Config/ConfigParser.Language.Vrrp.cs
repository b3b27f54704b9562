namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Block VRRP.</summary>
    private static class VrrpLanguage
    {
        internal static readonly Directive[] Directives =
        [
            new("VRRP", Block.General, static p => p.ReadVrrp())
            {
                Operand = "{ ... }",
                Opens = Block.Vrrp,
                Help = "Follow keepalived without scripts: commit, resync and send everything "
                    + "when a group becomes master, ask the peer when it becomes backup. "
                    + "The command conntrackd --print-keepalived prints the lines that "
                    + "keepalived.conf needs.",
            },
            new("Group", Block.Vrrp, static p => p.ReadVrrpGroup(isGroup: true))
            {
                Operand = "name [{ ... }]",
                Opens = Block.VrrpGroup,
                Example = "FW",
                IsSample = true,
                Help = "A vrrp_sync_group to follow. Repeatable; one of this or 'Instance' is "
                    + "needed. The braces say which flows are its own, for groups that are "
                    + "master on different nodes: what they name is committed with the group, "
                    + "and purged 'PurgeTimeout' after it has left, whatever the other groups "
                    + "do. A flow that no group names belongs to the groups without braces, or "
                    + "else to all of them.",
            },
            new("Mark", Block.VrrpGroup, static p => p.ReadVrrpMark())
            {
                Operand = "mark[/mask]",
                Example = "0x1/0xff",
                Help = "Flows with this mark, decimal or hexadecimal. Repeatable.",
            },
            new("Address", Block.VrrpGroup, static p => p.ReadVrrpAddress())
            {
                Operand = "address[/length]",
                Example = "10.22.0.1",
                Help = "Flows with such a source or target, before or after translation; IPv4 "
                    + "or IPv6. Repeatable.",
            },
            new("Instance", Block.Vrrp, static p => p.ReadVrrpGroup(isGroup: false))
            {
                Operand = "name [{ ... }]",
                Example = "VI_1",
                Help = "A vrrp_instance that is in no group. Repeatable, with braces like a "
                    + "group.",
            },
            new("Notify", Block.Vrrp, static p => p.ReadVrrpNotify())
            {
                Operand = "path",
                Default = VrrpOptions.NotifyDefault,
                Help = "The FIFO that the daemon makes and keepalived writes to, its "
                    + "vrrp_notify_fifo.",
            },
            new("TrackFile", Block.Vrrp, static p => p.ReadVrrpTrackFile())
            {
                Operand = "path",
                Example = "/run/conntrackd/vrrp.sync",
                Help = "A file that keepalived tracks: 0 while this node is in sync, 1 while it "
                    + "is to stand back. Without it keepalived is not told.",
            },
            new("HoldOffTimeout", Block.Vrrp, static p => p.ReadVrrpHoldOff())
            {
                Operand = "seconds",
                Default = $"{VrrpOptions.HoldOffSecondsDefault}",
                Help = "The longest time to stand back; 0 is for ever.",
            },
            new("SyncQuiet", Block.Vrrp, static p => p.ReadVrrpQuiet())
            {
                Operand = "seconds",
                Default = $"{VrrpOptions.SyncQuietSecondsDefault}",
                Help = "So long without growth means that the peer has sent everything; also the "
                    + "least time to stand back.",
            },
            new("OnFault", Block.Vrrp, static p => p.ReadVrrpOnFault())
            {
                Operand = "Purge | Keep",
                Default = "Purge",
                Help = "In FAULT and STOP, empty the kernel's table after 'PurgeTimeout', or keep "
                    + "it.",
            },
            new("QueryPid", Block.Vrrp, static p => p.ReadVrrpQueryPid())
            {
                Operand = "path",
                Example = "/run/keepalived_vrrp.pid",
                Help = "The file with the process id of keepalived's VRRP process. With it, "
                    + "keepalived is asked for its state at start, and its death is noticed.",
            },
            new("Command", Block.Vrrp, static p => p.ReadVrrpCommand())
            {
                Operand = "path",
                Example = "/usr/local/sbin/after-failover",
                Help = "A program to run after each sequence, with GROUP or INSTANCE, the name, "
                    + "the state, and ok or failed.",
            },
        ];
    }
}
