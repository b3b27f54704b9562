using System.Collections.Generic;
using System.IO;
using System.Text;
using Conntrackd.Config;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// The files of a confined daemon: those that its configuration names, and a few more.
/// </summary>
/// <remarks>
/// Folders, not files: a rotated log and a replaced configuration are new files under the old
/// name. A new option that names a file belongs into <see cref="Of"/>.
/// </remarks>
internal static class ConfinedFiles
{
    private const FileRights ReadOnly = FileRights.Read | FileRights.List;

    /// <summary>What may be done where.</summary>
    internal static List<FileRule> Of(Options options, string configPath)
    {
        List<FileRule> rules =
        [
            // The program, once more; a dynamic build needs its libraries for that.
            new(SelfImage.Path, FileRights.Execute | FileRights.Read),
            new("/lib", FileRights.Execute | ReadOnly),
            new("/lib64", FileRights.Execute | ReadOnly),
            new("/usr/lib", FileRights.Execute | ReadOnly),
            new("/etc/ld.so.cache", FileRights.Read),
            // The runtime looks for processors, memory and limits, the C library for the zone.
            new("/proc", ReadOnly),
            new("/sys", ReadOnly),
            new("/dev/null", FileRights.Read | FileRights.Write),
            new("/dev/urandom", FileRights.Read),
            new("/etc/localtime", FileRights.Read),
            new("/usr/share/zoneinfo", ReadOnly),
            new(GroupFile.Path, FileRights.Read),
            // nf_conntrack_events is switched on if it is off.
            new("/proc/sys/net/netfilter", FileRights.Write),
            new(FolderOf(configPath), ReadOnly),
            new(FolderOf(Target(configPath)), ReadOnly),
        ];
        if (KeyFileOf(options) is string keys)
        {
            // A reload reads it again.
            rules.Add(new(FolderOf(keys), FileRights.Read));
            rules.Add(new(FolderOf(Target(keys)), FileRights.Read));
        }
        foreach (string path in Written(options))
        {
            rules.Add(new(FolderOf(path), FileRights.Change | FileRights.MakeSocket));
            rules.Add(new(FolderOf(Target(path)), FileRights.Change));
        }
        if (options.Vrrp is VrrpOptions vrrp) { AddVrrp(rules, vrrp); }
        return rules;
    }

    /// <summary>Files that the daemon makes, changes or removes.</summary>
    internal static IEnumerable<string> Written(Options options)
    {
        yield return options.LockFile;
        yield return options.UnixPath;
        if (options.LogFile is string log) { yield return log; }
        if (options.Stats?.LogFile is string flows) { yield return flows; }
    }

    /// <summary>The keys of sealed links; null if there are none.</summary>
    internal static string? KeyFileOf(Options options) =>
        options.Sync is { Links.Count: > 0 } sync ? sync.Links[0].KeyFile : null;

    internal static string FolderOf(string path) =>
        Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";

    private static void AddVrrp(List<FileRule> rules, VrrpOptions vrrp)
    {
        // A folder that is made later would not be among those that are allowed.
        VrrpFifo.MakeFolderOf(vrrp.Notify);
        rules.Add(new(FolderOf(vrrp.Notify), FileRights.Change | FileRights.MakeFifo));
        if (vrrp.TrackFile is string track)
        {
            VrrpFifo.MakeFolderOf(track);
            rules.Add(new(FolderOf(track), FileRights.Change));
        }
        if (vrrp.QueryPid is string pid)
        {
            rules.Add(new(FolderOf(pid), FileRights.Read));
            rules.Add(new(KeepalivedQuery.AnswerFolder, FileRights.Read | FileRights.Remove));
        }
        if (vrrp.Command is string command)
        {
            rules.Add(new(FolderOf(command), FileRights.Execute | FileRights.Read));
        }
    }

    // Where a symbolic link leads in the end; the path itself if it is none or leads nowhere.
    private static string Target(string path)
    {
        const int PathOnly = 0x200000;      // O_PATH
        if (Libc.Open(path, PathOnly, 0, out int fd) != Errno.None) { return path; }
        Span<byte> target = stackalloc byte[4096];
        Errno error = Libc.ReadLink($"/proc/self/fd/{fd}", target, out int length);
        Libc.Close(fd);
        // Pipes have a target too, but no place.
        return error == Errno.None && target[0] == '/'
            ? Encoding.UTF8.GetString(target[..length]) : path;
    }
}
