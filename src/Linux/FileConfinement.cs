using System.Collections.Generic;

namespace Conntrackd.Linux;

/// <summary>What may be done with files; bits of linux/landlock.h.</summary>
[Flags]
internal enum FileRights : ulong
{
    None = 0,
    Execute = 1 << 0,
    Write = 1 << 1,
    Read = 1 << 2,
    List = 1 << 3,              // READ_DIR
    RemoveFolder = 1 << 4,
    Remove = 1 << 5,            // REMOVE_FILE
    MakeDevice = (1 << 6) | (1 << 11),
    MakeFolder = 1 << 7,
    MakeFile = 1 << 8,          // MAKE_REG
    MakeSocket = 1 << 9,
    MakeFifo = 1 << 10,
    MakeLink = 1 << 12,         // MAKE_SYM
    Move = 1 << 13,             // REFER: to another folder; since version 2
    Truncate = 1 << 14,         // since version 3
    DeviceControl = 1 << 15,    // IOCTL_DEV; since version 5
    OfFiles = Execute | Write | Read | Truncate | DeviceControl,
    Change = Write | Read | Truncate | MakeFile | Remove,
}

/// <summary>A file, or a folder with all below it, and what may be done there.</summary>
internal readonly record struct FileRule(string Path, FileRights Rights);

/// <summary>
/// Landlock: from here on only the named files, for this thread and what it executes.
/// </summary>
/// <remarks>
/// The rules hang on the files that have the names now: what is put in their place later is found
/// only if its folder is named. Descriptors that are open stay usable. Everything that the kernel
/// can refuse is refused, so a newer kernel refuses more. Source: landlock(7).
/// </remarks>
internal static unsafe class FileConfinement
{
    private const int VersionQuery = 1;         // LANDLOCK_CREATE_RULESET_VERSION
    private const int LogAfterExec = 2;         // LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON
    private const ulong ScopeSignals = 2;       // LANDLOCK_SCOPE_SIGNAL
    private const int PathOnly = 0x200000;      // O_PATH
    private const int RuleBytes = 12;           // struct landlock_path_beneath_attr, packed

    /// <summary>Version of the kernel's interface; 0 without Landlock.</summary>
    internal static int Version =>
        Libc.CreateLandlock(null, 0, VersionQuery, out int version) == Errno.None ? version : 0;

    /// <summary>Enters it; needs no-new-privileges. A rule without a file is none.</summary>
    /// <param name="version">What <see cref="Version"/> has said, not 0.</param>
    /// <param name="rules">All that is allowed.</param>
    /// <param name="signals">False: no signal to processes outside, from version 6 on.</param>
    internal static Errno Enter(int version, IReadOnlyList<FileRule> rules, bool signals)
    {
        // struct landlock_ruleset_attr: file rights, network rights, scopes.
        ulong* attributes = stackalloc ulong[3];
        FileRights handled = Handled(version);
        attributes[0] = (ulong)handled;
        attributes[1] = 0;
        attributes[2] = signals ? 0 : ScopeSignals;
        int bytes = sizeof(ulong) * (version < 4 ? 1 : version < 6 ? 2 : 3);
        Errno error = Libc.CreateLandlock(attributes, bytes, 0, out int ruleset);
        if (error != Errno.None) { return error; }
        foreach (FileRule rule in rules)
        {
            error = Add(ruleset, rule, handled);
            if (error != Errno.None) { break; }
        }
        if (error == Errno.None)
        {
            error = Libc.EnterLandlock(ruleset, version < 7 ? 0 : LogAfterExec);
        }
        Libc.Close(ruleset);
        return error;
    }

    private static FileRights Handled(int version)
    {
        const FileRights First = (FileRights)((1 << 13) - 1);
        FileRights handled = First;
        if (version >= 2) { handled |= FileRights.Move; }
        if (version >= 3) { handled |= FileRights.Truncate; }
        if (version >= 5) { handled |= FileRights.DeviceControl; }
        return handled;
    }

    private static Errno Add(int ruleset, in FileRule rule, FileRights handled)
    {
        // What is not there cannot be allowed, and need not be.
        if (Libc.Open(rule.Path, PathOnly, 0, out int fd) != Errno.None) { return Errno.None; }
        FileRights rights = rule.Rights & handled;
        Errno error = Libc.Inspect(fd, out FileFacts facts);
        if (facts.Kind != FileKind.Directory) { rights &= FileRights.OfFiles; }
        if (error == Errno.None && rights != FileRights.None)
        {
            byte* packed = stackalloc byte[RuleBytes];
            *(ulong*)packed = (ulong)rights;
            *(int*)(packed + sizeof(ulong)) = fd;
            error = Libc.AddLandlockRule(ruleset, packed);
        }
        Libc.Close(fd);
        return error;
    }
}
