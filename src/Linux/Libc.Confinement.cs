using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

internal static unsafe partial class Libc
{
    private const int LandlockCreateRuleset = 444;  // __NR_landlock_create_ruleset, everywhere
    private const int LandlockAddRule = 445;        // __NR_landlock_add_rule
    private const int LandlockRestrictSelf = 446;   // __NR_landlock_restrict_self

    internal static bool IsArm64 => RuntimeInformation.ProcessArchitecture is Architecture.Arm64;

    /// <summary>prctl(2) with one argument; what it returns is the value.</summary>
    internal static Errno ProcessControl(int operation, nint argument, out int value) =>
        Finish(Native.prctl(operation, argument, 0, 0, 0), out value);

    internal static Errno ReadCapabilities(uint* header, uint* data) =>
        Finish(Native.capget(header, data));

    internal static Errno WriteCapabilities(uint* header, uint* data) =>
        Finish(Native.capset(header, data));

    internal static Errno CreateLandlock(ulong* attributes, int bytes, int flags, out int value) =>
        Finish(Native.syscall(LandlockCreateRuleset, (nint)attributes, bytes, flags, 0), out value);

    internal static Errno AddLandlockRule(int ruleset, byte* rule)
    {
        const int PathBeneath = 1;      // LANDLOCK_RULE_PATH_BENEATH
        return Finish(Native.syscall(LandlockAddRule, ruleset, PathBeneath, (nint)rule, 0));
    }

    internal static Errno EnterLandlock(int ruleset, int flags) =>
        Finish(Native.syscall(LandlockRestrictSelf, ruleset, flags, 0, 0));

    /// <summary>
    /// Installs a filter in all threads. If one of them cannot take it, Eagain.
    /// </summary>
    internal static Errno InstallSeccomp(int flags, byte* program)
    {
        const int SetModeFilter = 1;    // SECCOMP_SET_MODE_FILTER
        int number = IsArm64 ? 277 : 317;               // __NR_seccomp
        nint result = Native.syscall(number, SetModeFilter, flags, (nint)program, 0);
        return result > 0 ? Errno.Eagain : Finish(result);
    }

    /// <summary>
    /// Whether the effective user and capabilities allow it: 4 read, 2 write, 1 execute or search.
    /// </summary>
    internal static Errno MayAccess(string path, int mode)
    {
        const int Effective = 0x200;    // AT_EACCESS
        fixed (byte* name = Terminated(path))
        {
            return Finish(Native.faccessat(AtFdCwd, name, mode, Effective));
        }
    }

    /// <summary>Gives a file to a group; the owner stays.</summary>
    internal static Errno ChangeGroup(string path, uint group)
    {
        fixed (byte* name = Terminated(path))
        {
            return Finish(Native.chown(name, uint.MaxValue, group));
        }
    }

    /// <summary>Makes this process a member of one more group.</summary>
    internal static Errno JoinGroup(uint group)
    {
        const int GroupsMax = 65536;    // NGROUPS_MAX of the kernel
        int count = Native.getgroups(0, null);
        if (count < 0) { return LastError; }
        count = Math.Min(count, GroupsMax);
        uint[] groups = new uint[count + 1];
        fixed (uint* start = groups)
        {
            if (Native.getgroups(count, start) < 0) { return LastError; }
            if (groups.AsSpan(0, count).Contains(group)) { return Errno.None; }
            groups[count] = group;
            return Finish(Native.setgroups((nuint)(count + 1), start));
        }
    }

    /// <summary>Who has connected a UNIX socket, as the kernel saw it then.</summary>
    internal static Errno ReadPeer(int fd, out uint user)
    {
        Span<byte> credentials = stackalloc byte[12];   // struct ucred: pid, uid, gid
        Errno error = GetOption(fd, SocketOption.PeerCredentials, credentials);
        user = BitConverter.ToUInt32(credentials[4..]);
        return error;
    }

    private static partial class Native
    {
        [LibraryImport(Library)]
        internal static partial int prctl(
            int operation, nint first, nint second, nint third, nint fourth);

        [LibraryImport(Library)]
        internal static partial int capget(uint* header, uint* data);

        [LibraryImport(Library)]
        internal static partial int capset(uint* header, uint* data);

        [LibraryImport(Library)]
        internal static partial int faccessat(int folder, byte* path, int mode, int flags);

        [LibraryImport(Library)]
        internal static partial int chown(byte* path, uint owner, uint group);

        [LibraryImport(Library)]
        internal static partial int getgroups(int count, uint* groups);

        [LibraryImport(Library)]
        internal static partial int setgroups(nuint count, uint* groups);
    }
}
