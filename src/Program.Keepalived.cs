using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Daemon;

namespace Conntrackd;

internal static partial class Program
{
    /// <summary>Prints the lines of keepalived.conf that fit the configuration.</summary>
    private static int PrintKeepalived(CommandLine line)
    {
        ConfigLoad load = ConfigFile.Load(line.ConfigPath);
        if (load.Error is not null) { Complain(load.Error); }
        foreach (Diagnostic diagnostic in load.Result?.Diagnostics ?? [])
        {
            if (diagnostic.Severity == Severity.Error) { Complain(diagnostic.Render()); }
        }
        if (load.Options is not Options options) { return ExitFailure; }
        if (options.Vrrp is not VrrpOptions vrrp)
        {
            Complain($"{line.ConfigPath}: no 'VRRP' in 'General': keepalived is not followed");
            return ExitFailure;
        }
        var text = new TextBuffer();
        text.Append(KeepalivedText.Render(vrrp));
        return Print(text);
    }
}
