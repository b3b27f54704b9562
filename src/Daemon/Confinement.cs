using System.Collections.Generic;
using System.Globalization;
using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>What the daemon gives up, in two steps, and what came of it.</summary>
/// <remarks><code>
/// first image    configuration -> signals blocked, group joined, no new privileges, files,
///                capabilities -> the program executes itself: its threads are born with all that
/// second image   opens everything -> Complete: system calls, for all threads -> ready
/// </code>
/// A kernel or container that cannot do one of them gets a notice and a daemon without it. What
/// the first image achieved is told to the second in its environment: nobody else can say whether
/// a process is under Landlock.</remarks>
internal sealed class Confinement
{
    private const string Variable = "CONNTRACKD_CONFINED";
    private const int SetNoNewPrivileges = 38;      // PR_SET_NO_NEW_PRIVS
    private const int GetNoNewPrivileges = 39;      // PR_GET_NO_NEW_PRIVS
    private const int ReadIt = 4, ChangeIt = 2 | 1; // access(2)

    private const char Separator = '\n';

    private readonly int _landlockVersion;
    private readonly string[] _notices;
    private SystemCallPolicy _calls;

    private Confinement(int landlockVersion, string[] notices)
    {
        _landlockVersion = landlockVersion;
        _notices = notices;
    }

    /// <summary>What holds now, for <c>-s process</c>.</summary>
    internal ConfinementReport Report => new(
        Linux.Capabilities.Describe(Linux.Capabilities.Effective), HasNoNewPrivileges,
        _landlockVersion, _calls switch
        {
            SystemCallPolicy.Refuse => "refuse",
            SystemCallPolicy.Kill => "kill",
            _ => "off",
        });

    private static bool HasNoNewPrivileges =>
        Libc.ProcessControl(GetNoNewPrivileges, 0, out int value) == Errno.None && value == 1;

    /// <summary>Not null in the second image.</summary>
    internal static Confinement? FromEnvironment()
    {
        string? text = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        string[] parts = text?.Split(Separator) ?? [""];
        bool isValid = int.TryParse(
            parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int version);
        return isValid && SignalMask.IsInPlace
            ? new Confinement(version, [.. parts.AsSpan(1)]) : null;
    }

    /// <summary>The first step. Returns only if the second image cannot be started.</summary>
    internal static Errno Enter(Options options, string configPath)
    {
        SandboxOptions sandbox = options.Sandbox;
        List<string> told = [];
        JoinGroup(options, told);
        CapabilitySet needed = Needed(options);
        if (sandbox.Capabilities && ObstacleTo(options, configPath, needed) is string path)
        {
            told.Add($"`{path}' is not root's, CAP_DAC_OVERRIDE is kept for it");
            needed |= CapabilitySet.DacOverride;
        }
        bool isSealed = sandbox.NoNewPrivileges
            && Libc.ProcessControl(SetNoNewPrivileges, 1, out _) == Errno.None;
        if (sandbox.NoNewPrivileges && !isSealed)
        {
            told.Add("this kernel does not know no-new-privileges, going on without");
        }
        int landlock = sandbox.Files ? ConfineFiles(options, configPath, told) : 0;
        if (sandbox.Capabilities)
        {
            Errno kept = Linux.Capabilities.Keep(needed);
            if (kept != Errno.None)
            {
                told.Add($"can't reduce capabilities: {kept.Describe()}, going on with all");
            }
        }
        string state = string.Join(Separator, [$"{landlock}", .. told]);
        Environment.SetEnvironmentVariable(Variable, state);
        return SignalMask.ExecuteBlocked();
    }

    /// <summary>The second step, when everything is open.</summary>
    internal void Complete(SandboxOptions sandbox, Log log)
    {
        foreach (string notice in _notices) { log.Notice($"sandbox: {notice}"); }
        if (sandbox.SystemCalls == SystemCallPolicy.Off) { return; }
        Errno error = SystemCallFilter.Install(sandbox.SystemCalls == SystemCallPolicy.Kill);
        if (error == Errno.None) { _calls = sandbox.SystemCalls; }
        else
        {
            log.Notice($"sandbox: system calls can't be filtered: {error.Describe()}, " +
                "going on without");
        }
    }

    // The scheduler may be asked for by a reload only if it was asked for at the start.
    private static CapabilitySet Needed(Options options) =>
        options.Scheduler.Policy == SchedulerPolicy.Normal
            ? CapabilitySet.NetAdmin : CapabilitySet.NetAdmin | CapabilitySet.SysNice;

    // A member may give its own socket to the group without any capability.
    private static void JoinGroup(Options options, List<string> told)
    {
        if (options.UnixGroup is not string name) { return; }
        string? failed = GroupFile.TryFind(name, out uint group);
        if (failed is null && Libc.JoinGroup(group) is var error and not Errno.None)
        {
            failed = $"can't join it: {error.Describe()}";
        }
        if (failed is not null) { told.Add($"UNIX Group '{name}': {failed}"); }
    }

    private static int ConfineFiles(
        Options options, string configPath, List<string> told)
    {
        int version = FileConfinement.Version;
        Errno error = version == 0 ? Errno.Eopnotsupp : FileConfinement.Enter(
            version, ConfinedFiles.Of(options, configPath),
            signals: options.Vrrp?.QueryPid is not null);
        if (error == Errno.None) { return version; }
        string why = version == 0 ? "this kernel has no Landlock" : error.Describe();
        told.Add($"files can't be confined: {why}, going on without");
        return 0;
    }

    /// <summary>
    /// A path that root's ownership does not open and CAP_DAC_OVERRIDE would; null if none.
    /// </summary>
    private static string? ObstacleTo(Options options, string configPath, CapabilitySet needed)
    {
        if ((Linux.Capabilities.Permitted & CapabilitySet.DacOverride) == 0) { return null; }
        CapabilitySet before = Linux.Capabilities.Effective;
        if (Linux.Capabilities.Use(needed) != Errno.None) { return null; }
        string? obstacle = null;
        if (Libc.MayAccess(configPath, ReadIt) == Errno.Eacces) { obstacle = configPath; }
        if (ConfinedFiles.KeyFileOf(options) is string keys
            && Libc.MayAccess(keys, ReadIt) == Errno.Eacces)
        {
            obstacle ??= keys;
        }
        foreach (string path in ConfinedFiles.Written(options))
        {
            Errno error = Libc.MayAccess(path, ChangeIt & ~1);
            string folder = ConfinedFiles.FolderOf(path);
            if (error != Errno.Eacces) { error = Libc.MayAccess(folder, ChangeIt); }
            if (error == Errno.Eacces) { obstacle ??= path; }
        }
        _ = Linux.Capabilities.Use(before);
        return obstacle;
    }
}
