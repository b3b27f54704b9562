using System.Collections.Generic;
using System.IO;
using Conntrackd.Config;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What a start on this machine would meet, for those who check before.</summary>
internal static class StartRemarks
{
    /// <summary>One line each, file and place first.</summary>
    internal static List<string> Of(Options options, string configPath)
    {
        var remarks = new List<string>();
        if (options.Sync is null && options.Stats is null)
        {
            remarks.Add($"{configPath}: no 'Sync' and no 'Stats': the daemon only answers clients");
        }
        if (options.HasHelperSection) { remarks.Add($"{configPath}: {Launcher.NoHelpers}"); }
        AddFolder(remarks, options, configPath, "General.LogFile", options.LogFile);
        AddFolder(remarks, options, configPath, "General.LockFile", options.LockFile);
        AddFolder(remarks, options, configPath, "UNIX.Path", options.UnixPath);
        AddFolder(remarks, options, configPath, "Stats.LogFile", options.Stats?.LogFile);
        foreach (LinkOptions link in options.Sync?.Links ?? [])
        {
            if (NetworkInterface.TryFind(link.InterfaceName, out _) != Errno.Enodev) { continue; }
            remarks.Add($"{Place(configPath, link.Position)}: there is no interface "
                + $"'{link.InterfaceName}' now, the link waits for it");
        }
        return remarks;
    }

    // It may come before the start: no reason to refuse the file.
    private static void AddFolder(
        List<string> remarks, Options options, string configPath, string key, string? path)
    {
        if (path is null || Directory.Exists(ConfinedFiles.FolderOf(path))) { return; }
        string place = options.Origins.TryGetValue(key, out SourcePosition position)
            ? Place(configPath, position) : configPath;
        string directive = key[(key.IndexOf('.') + 1)..];
        remarks.Add($"{place}: there is no directory '{ConfinedFiles.FolderOf(path)}' now, "
            + $"without it for '{directive}' the daemon does not start");
    }

    private static string Place(string configPath, SourcePosition position) =>
        $"{configPath}:{position.Line}:{position.Column}";
}
