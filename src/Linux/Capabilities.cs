namespace Conntrackd.Linux;

/// <summary>Sets of capabilities; bit n is capability n of linux/capability.h.</summary>
[Flags]
internal enum CapabilitySet : ulong
{
    None = 0,
    DacOverride = 1ul << 1,     // CAP_DAC_OVERRIDE
    NetAdmin = 1ul << 12,       // CAP_NET_ADMIN
    SysNice = 1ul << 23,        // CAP_SYS_NICE
}

/// <summary>What the calling thread may do beyond an ordinary user.</summary>
/// <remarks>
/// The kernel keeps these sets for each thread, and the runtime has threads before Main: a
/// reduction counts for the whole process only after the program has executed itself. Root gets
/// back at an exec whatever the bounding set has, so that is reduced as well.
/// Source: capabilities(7), "transformation of capabilities during execve".
/// </remarks>
internal static unsafe class Capabilities
{
    private const uint Version = 0x20080522;    // _LINUX_CAPABILITY_VERSION_3
    private const int Words = 2;                // of 32 bits, in struct __user_cap_data_struct
    private const int LastPossible = 63;

    // sys/prctl.h
    private const int ReadBounding = 23;        // PR_CAPBSET_READ
    private const int DropBounding = 24;        // PR_CAPBSET_DROP

    // In the order of linux/capability.h.
    private static readonly string[] s_names =
    [
        "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
        "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
        "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace",
        "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
        "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
        "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
        "perfmon", "bpf", "checkpoint_restore",
    ];

    /// <summary>What this thread may do now.</summary>
    internal static CapabilitySet Effective
    {
        get
        {
            _ = Read(out CapabilitySet effective, out _, out _);
            return effective;
        }
    }

    /// <summary>What the thread may take up again.</summary>
    internal static CapabilitySet Permitted
    {
        get
        {
            _ = Read(out _, out CapabilitySet permitted, out _);
            return permitted;
        }
    }

    /// <summary>Takes up some of what is permitted; the rest stays permitted.</summary>
    internal static Errno Use(CapabilitySet wanted)
    {
        Errno error = Read(out _, out CapabilitySet permitted, out CapabilitySet inheritable);
        return error == Errno.None ? Write(wanted & permitted, permitted, inheritable) : error;
    }

    /// <summary>
    /// Gives up all others, also for what is executed. Where the bounding set may not be reduced
    /// (no CAP_SETPCAP) it stays, which counts only without no-new-privileges.
    /// </summary>
    internal static Errno Keep(CapabilitySet wanted)
    {
        for (int capability = 0; capability <= LastPossible; capability++)
        {
            bool isWanted = (((ulong)wanted >> capability) & 1) != 0;
            if (isWanted || Libc.ProcessControl(ReadBounding, capability, out _) != Errno.None)
            {
                continue;
            }
            _ = Libc.ProcessControl(DropBounding, capability, out _);
        }
        Errno error = Read(out _, out CapabilitySet permitted, out CapabilitySet inheritable);
        if (error != Errno.None) { return error; }
        CapabilitySet kept = wanted & permitted;
        // Under a service manager that has done it, changing them may be forbidden altogether.
        if (kept == permitted && (inheritable & ~wanted) == CapabilitySet.None)
        {
            return Errno.None;
        }
        return Write(kept, kept, wanted & inheritable);
    }

    /// <summary>The names without CAP_, in small letters, a blank between; "none".</summary>
    internal static string Describe(CapabilitySet set)
    {
        string text = "";
        for (int capability = 0; capability <= LastPossible; capability++)
        {
            if ((((ulong)set >> capability) & 1) == 0) { continue; }
            string name = capability < s_names.Length ? s_names[capability] : $"{capability}";
            text += text.Length == 0 ? name : " " + name;
        }
        return text.Length == 0 ? "none" : text;
    }

    private static Errno Read(
        out CapabilitySet effective, out CapabilitySet permitted, out CapabilitySet inheritable)
    {
        // struct __user_cap_data_struct: effective, permitted, inheritable, for each word of bits.
        uint* data = stackalloc uint[3 * Words];
        new Span<uint>(data, 3 * Words).Clear();
        uint* header = stackalloc uint[2] { Version, 0 };
        Errno error = Libc.ReadCapabilities(header, data);
        effective = (CapabilitySet)(data[0] | ((ulong)data[3] << 32));
        permitted = (CapabilitySet)(data[1] | ((ulong)data[4] << 32));
        inheritable = (CapabilitySet)(data[2] | ((ulong)data[5] << 32));
        return error;
    }

    private static Errno Write(
        CapabilitySet effective, CapabilitySet permitted, CapabilitySet inheritable)
    {
        uint* data = stackalloc uint[3 * Words]
        {
            (uint)effective, (uint)permitted, (uint)inheritable,
            (uint)((ulong)effective >> 32), (uint)((ulong)permitted >> 32),
            (uint)((ulong)inheritable >> 32),
        };
        uint* header = stackalloc uint[2] { Version, 0 };
        return Libc.WriteCapabilities(header, data);
    }
}
