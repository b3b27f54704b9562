using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Daemon;

namespace Conntrackd;

internal static partial class Program
{
    /// <summary>
    /// Reads the configuration as the daemon would and starts nothing. All remarks go to standard
    /// error; standard output has the verdict or the settings. 1 if a daemon would not start.
    /// </summary>
    private static int RunConfig(CommandLine line)
    {
        ConfigLoad load = ConfigFile.Load(line.ConfigPath);
        if (load.Error is not null) { Complain(load.Error); }
        int warnings = 0;
        foreach (Diagnostic diagnostic in load.Result?.Diagnostics ?? [])
        {
            bool isWarning = diagnostic.Severity == Severity.Warning;
            if (isWarning) { warnings++; }
            Complain($"{(isWarning ? "warning" : "error")}: {diagnostic.Render()}");
        }
        if (load.Options is not Options options) { return ExitFailure; }
        foreach (string remark in StartRemarks.Of(options, line.ConfigPath))
        {
            warnings++;
            Complain($"warning: {remark}");
        }
        string? refusal = Launcher.Refusal(options);
        if (refusal is not null) { Complain($"error: {line.ConfigPath}: {refusal}"); }
        var text = new TextBuffer();
        if (line.Kind == CommandKind.PrintConfig)
        {
            text.Append(EffectiveText.Render(options, line.ConfigPath));
        }
        else if (refusal is null)
        {
            text.Append($"{line.ConfigPath}: no errors, warnings: {warnings}\n");
        }
        int status = Print(text);
        return refusal is null ? status : ExitFailure;
    }
}
