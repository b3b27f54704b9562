using Conntrackd.Config;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// Applies a changed configuration file to a running daemon: on SIGHUP, and for --reload.
/// </summary>
/// <remarks><code>
/// RELOADING=1 -> read the file -> bad: said, nothing changes -----------------> READY=1
///                              -> new logs open -> the node applies its part --> READY=1
/// </code>Caches, peers and clients stay. What cannot change in place is said and kept.</remarks>
internal sealed class Reloader(
    string configPath, DaemonLoop node, ServiceNotifier? notifier, Log log)
{
    private const string Stays = "the old settings stay in force";

    /// <summary>
    /// Null, or why nothing was changed. <paramref name="tell"/> is given what had to be kept.
    /// </summary>
    internal string? Run(Action<string>? tell)
    {
        _ = notifier?.Reloading(Clock.MonotonicMicroseconds());
        string? failed = Apply(tell);
        if (failed is not null) { log.Error($"reload: {failed}, {Stays}"); }
        _ = notifier?.Ready(node.StatusText);
        return failed is null ? null : $"{failed}, {Stays}";
    }

    private string? Apply(Action<string>? tell)
    {
        ConfigLoad load = ConfigFile.Load(configPath);
        if (load.Error is not null) { return load.Error; }
        if (load.IsExhausted) { return $"`{configPath}' is no file, and nothing comes from it"; }
        string? first = null;
        foreach (Diagnostic diagnostic in load.Result?.Diagnostics ?? [])
        {
            if (diagnostic.Severity == Severity.Warning) { log.Warning(diagnostic.Render()); }
            else
            {
                log.Error(diagnostic.Render());
                first ??= diagnostic.ToString();
            }
        }
        if (load.Options is not Options wanted) { return first ?? "the file has errors"; }
        Options old = node.Options;
        ReloadPlan plan = ReloadPlan.Make(old, wanted);
        string? failed = Launcher.Refusal(plan.Options) ?? Launcher.OpenLogs(plan.Options, log);
        if (failed is not null) { return failed; }
        failed = node.TryApply(plan.Options);
        if (failed is not null)
        {
            _ = Launcher.OpenLogs(old, log);
            return failed;
        }
        if (old.Scheduler != plan.Options.Scheduler)
        {
            Launcher.SetScheduler(plan.Options.Scheduler, log);
        }
        foreach (string directive in plan.Kept)
        {
            string line = $"{directive}: cannot change while running, kept until a restart";
            log.Warning($"reload: {line}");
            tell?.Invoke(line);
        }
        log.Notice($"reload: {configPath} applied");
        return null;
    }
}
