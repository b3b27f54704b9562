using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

/// <summary>What kind of file a name stands for.</summary>
internal enum FileKind : byte
{
    Other,
    Fifo,
    Regular,
    Directory,
    Link,
}

/// <summary>What is known of a file without reading it.</summary>
/// <param name="Kind">Its type.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Owner">User.</param>
/// <param name="Group">Group.</param>
internal readonly record struct FileFacts(FileKind Kind, int Mode, uint Owner, uint Group);

internal static unsafe partial class Libc
{
    internal const int OpenNoFollow = 0x20000;      // O_NOFOLLOW, asm-generic (x86-64)
    internal const int OpenNoFollowArm = 0x8000;    // O_NOFOLLOW, arm64

    /// <summary>O_NOFOLLOW of this machine.</summary>
    internal static int NoFollow =>
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm
            ? OpenNoFollowArm : OpenNoFollow;

    /// <summary>The user this process acts as.</summary>
    internal static uint EffectiveUser => Native.geteuid();

    /// <summary>Makes a FIFO; the file mode creation mask applies.</summary>
    internal static Errno MakeFifo(string path, int mode)
    {
        fixed (byte* name = Terminated(path)) { return Finish(Native.mkfifo(name, (uint)mode)); }
    }

    /// <summary>Makes a directory; the file mode creation mask applies.</summary>
    internal static Errno MakeDirectory(string path, int mode)
    {
        fixed (byte* name = Terminated(path)) { return Finish(Native.mkdir(name, (uint)mode)); }
    }

    /// <summary>Gives a file another name, in place of what had it, in one step.</summary>
    internal static Errno Rename(string from, string to)
    {
        fixed (byte* source = Terminated(from))
        fixed (byte* target = Terminated(to))
        {
            return Finish(Native.rename(source, target));
        }
    }

    /// <summary>
    /// A file without a name, in memory, which programs started later inherit. The name is for
    /// /proc only.
    /// </summary>
    internal static Errno MemoryFile(string name, out int fd)
    {
        const uint NeverExecuted = 8;       // MFD_NOEXEC_SEAL, Linux 6.3; a setting may ask for it
        int result;
        fixed (byte* start = Terminated(name))
        {
            result = Native.memfd_create(start, NeverExecuted);
            if (result < 0 && LastError == Errno.Einval)
            {
                result = Native.memfd_create(start, 0);
            }
        }
        return Finish(result, out fd);
    }

    /// <summary>Another descriptor of an open file, the lowest free from a number on.</summary>
    internal static Errno DuplicateFrom(int source, int lowest, out int fd) =>
        Finish(Native.fcntl(source, 0, lowest), out fd);    // F_DUPFD

    /// <summary>Programs started later inherit the descriptor.</summary>
    internal static void KeepOnExec(int fd) => _ = Native.fcntl(fd, 2, 0);   // F_SETFD

    /// <summary>Reads from a place in a file; where the next read begins stays as it is.</summary>
    internal static Errno ReadAt(int fd, Span<byte> target, long at, out int count)
    {
        long result;
        fixed (byte* start = target)
        {
            do { result = Native.pread(fd, start, (nuint)target.Length, at); }
            while (Interrupted(result));
        }
        return Finish(result, out count);
    }

    /// <summary>Looks at what a path names; a symbolic link is not followed.</summary>
    internal static Errno Inspect(string path, out FileFacts facts)
    {
        fixed (byte* name = Terminated(path))
        {
            const int NoFollowLink = 0x100;     // AT_SYMLINK_NOFOLLOW
            return Inspect(AtFdCwd, name, NoFollowLink, out facts);
        }
    }

    /// <summary>Looks at an open file.</summary>
    internal static Errno Inspect(int fd, out FileFacts facts)
    {
        byte empty = 0;
        return Inspect(fd, &empty, AtEmptyPath, out facts);
    }

    private static Errno Inspect(int fd, byte* path, int flags, out FileFacts facts)
    {
        const int Size = 256, OwnerAt = 20, GroupAt = 24, ModeAt = 28;   // struct statx
        const int Wanted = 0x1 | 0x2 | 0x8 | 0x10;          // STATX_TYPE, _MODE, _UID, _GID
        byte* status = stackalloc byte[Size];
        int result = Native.statx(fd, path, flags, Wanted, status);
        facts = default;
        if (result < 0) { return Finish(result); }
        int mode = *(ushort*)(status + ModeAt);
        FileKind kind = (mode & 0xF000) switch              // S_IFMT
        {
            0x1000 => FileKind.Fifo,
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        facts = new FileFacts(
            kind, mode & 0xFFF, *(uint*)(status + OwnerAt), *(uint*)(status + GroupAt));
        return Errno.None;
    }

    private static partial class Native
    {
        [LibraryImport(Library)]
        internal static partial int memfd_create(byte* name, uint flags);

        [LibraryImport(Library)]
        internal static partial int fcntl(int fd, int command, int argument);

        [LibraryImport(Library)]
        internal static partial nint pread(int fd, byte* target, nuint count, long at);

        [LibraryImport(Library)]
        internal static partial int mkfifo(byte* path, uint mode);

        [LibraryImport(Library)]
        internal static partial int mkdir(byte* path, uint mode);

        [LibraryImport(Library)]
        internal static partial int rename(byte* from, byte* to);
    }
}
