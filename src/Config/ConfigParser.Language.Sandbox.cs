namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Block Sandbox.</summary>
    private static class SandboxLanguage
    {
        internal static readonly Directive[] Directives =
        [
            new("Sandbox", Block.General, static p => p.Braces(Block.Sandbox, "Sandbox"))
            {
                Operand = "{ ... }",
                Opens = Block.Sandbox,
                IsSample = true,
                Help = "What the daemon gives up once it runs. Everything below is on, unless "
                    + "'VRRP' has a 'Command': the program would inherit it, so all is off if not "
                    + "said otherwise. A kernel that lacks one of them gets a notice and a daemon "
                    + "without it. The command conntrackd -s process shows what holds. A reload "
                    + "does not change this block.",
            },
            new("Capabilities", Block.Sandbox,
                static p => p.ReadSandboxSwitch(ref p._sandboxCapabilities))
            {
                Operand = "bool",
                Default = "on",
                Help = "Keep CAP_NET_ADMIN, CAP_SYS_NICE if a scheduler is asked for, and "
                    + "CAP_DAC_OVERRIDE if a file of another user is named, which is told.",
            },
            new("NoNewPrivileges", Block.Sandbox,
                static p => p.ReadSandboxSwitch(ref p._sandboxPrivileges))
            {
                Operand = "bool",
                Default = "on",
                Help = "Executing a file gains nothing. Implied by the two that follow.",
            },
            new("Files", Block.Sandbox, static p => p.ReadSandboxSwitch(ref p._sandboxFiles))
            {
                Operand = "bool",
                Default = "on",
                Help = "Only the directories of the files that are named in the configuration, "
                    + "and the configuration's own, can be reached (Landlock). A log file in "
                    + "another directory then needs a restart.",
            },
            new("SystemCalls", Block.Sandbox, static p => p.ReadSandboxCalls())
            {
                Operand = "bool | Kill",
                Default = "on",
                Help = "Only the system calls of a list can be made (seccomp). With 'on', others "
                    + "fail and the kernel logs them; with 'Kill' they end the daemon.",
            },
        ];
    }
}
