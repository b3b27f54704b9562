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
                Operand = "name",
                Example = "FW",
                IsSample = true,
                Help = "A vrrp_sync_group to follow. Repeatable; one of this or 'Instance' is "
                    + "needed.",
            },
            new("Instance", Block.Vrrp, static p => p.ReadVrrpGroup(isGroup: false))
            {
                Operand = "name",
                Example = "VI_1",
                Help = "A vrrp_instance that is in no group. Repeatable.",
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
