using System.Collections.Generic;
using Conntrackd.Config;

namespace Conntrackd.Daemon;

/// <summary>
/// What a changed configuration comes to in a running daemon: the settings that will hold, and
/// those that stay as they were until a restart. Pure.
/// </summary>
/// <remarks>
/// Kept is what the caches, the peers or the clients hang on: sections and mode, links, files that
/// are locked or listened on. Everything else is applied in place.
/// </remarks>
internal sealed class ReloadPlan
{
    private readonly Options _old;
    private readonly List<string> _kept = [];

    private ReloadPlan(Options old) => _old = Options = old;

    /// <summary>The settings from now on.</summary>
    internal Options Options { get; private set; }

    /// <summary>Directives whose new value waits for a restart.</summary>
    internal IReadOnlyList<string> Kept => _kept;

    /// <summary>Compares the settings in force with those wanted.</summary>
    internal static ReloadPlan Make(Options old, Options wanted)
    {
        var plan = new ReloadPlan(old);
        Options merged = plan.MergeGeneral(wanted);
        bool sameSections = (old.Sync is null) == (wanted.Sync is null)
            && (old.Stats is null) == (wanted.Stats is null);
        if (!sameSections)
        {
            plan._kept.Add("Sync and Stats (which of them there is)");
            merged = merged with { Sync = old.Sync, Stats = old.Stats };
        }
        else if (wanted.Sync is SyncOptions sync)
        {
            merged = merged with { Sync = plan.MergeSync(old.Sync!, sync) };
        }
        plan.Options = merged;
        return plan;
    }

    private Options MergeGeneral(Options wanted)
    {
        Keep("LockFile", _old.LockFile == wanted.LockFile);
        Keep("UNIX Path", _old.UnixPath == wanted.UnixPath);
        Keep("UNIX Group", (_old.UnixGroup, _old.UnixGroupAccess)
            == (wanted.UnixGroup, wanted.UnixGroupAccess));
        Keep("Sandbox", _old.Sandbox == wanted.Sandbox);
        bool canLog = MayLog(_old, wanted.LogFile);
        Keep("LogFile (another directory, which the sandbox has no access to)", canLog);
        Keep("Systemd", _old.Systemd == wanted.Systemd);
        Keep("PollSecs", _old.PollSeconds == wanted.PollSeconds);
        Keep("Helper", IsSameHelper(_old, wanted));
        Keep("Vrrp", IsSameVrrp(_old.Vrrp, wanted.Vrrp));
        return wanted with
        {
            LockFile = _old.LockFile,
            UnixPath = _old.UnixPath,
            UnixGroup = _old.UnixGroup,
            UnixGroupAccess = _old.UnixGroupAccess,
            Sandbox = _old.Sandbox,
            LogFile = canLog ? wanted.LogFile : _old.LogFile,
            Systemd = _old.Systemd,
            PollSeconds = _old.PollSeconds,
            Vrrp = _old.Vrrp,
            Helpers = _old.Helpers,
            HasHelperSection = _old.HasHelperSection,
            IsHelperSetup = _old.IsHelperSetup,
        };
    }

    private SyncOptions MergeSync(SyncOptions old, SyncOptions wanted)
    {
        Keep("Mode", old.Mode == wanted.Mode);
        Keep("links", IsSameLinks(old.Links, wanted.Links));
        Keep("RedundantLinks", old.RedundantLinks == wanted.RedundantLinks);
        Keep("ErrorQueueLength", old.ErrorQueueLength == wanted.ErrorQueueLength);
        Keep("ResendQueueSize", old.ResendQueueSize == wanted.ResendQueueSize);
        Keep("DisableInternalCache", old.DisableInternalCache == wanted.DisableInternalCache);
        Keep("DisableExternalCache", old.DisableExternalCache == wanted.DisableExternalCache);
        Keep("ExpectationSync", old.ExpectationSync.IsOn == wanted.ExpectationSync.IsOn
            && IsSame(old.ExpectationSync.Helpers, wanted.ExpectationSync.Helpers));
        Keep("NodeNumber", old.NodeNumber == wanted.NodeNumber);
        bool commits = !old.DisableExternalCache;
        return wanted with
        {
            Mode = old.Mode,
            Links = old.Links,
            RedundantLinks = old.RedundantLinks,
            ErrorQueueLength = old.ErrorQueueLength,
            ResendQueueSize = old.ResendQueueSize,
            DisableInternalCache = old.DisableInternalCache,
            DisableExternalCache = old.DisableExternalCache,
            CommitTimeoutSeconds = commits ? wanted.CommitTimeoutSeconds : 0,
            ExpectationSync = old.ExpectationSync,
            NodeNumber = old.NodeNumber,
        };
    }

    private void Keep(string directive, bool isSame)
    {
        if (!isSame) { _kept.Add(directive); }
    }

    // Without Landlock in the kernel it could be opened; then it waits for a restart all the same.
    private static bool MayLog(Options old, string? wanted)
    {
        if (wanted is null || !old.Sandbox.Files) { return true; }
        foreach (string path in ConfinedFiles.Written(old))
        {
            if (ConfinedFiles.FolderOf(path) == ConfinedFiles.FolderOf(wanted)) { return true; }
        }
        return false;
    }

    // Where a block stands in the file makes no difference.
    private static bool IsSameLinks(
        IReadOnlyList<LinkOptions> old, IReadOnlyList<LinkOptions> wanted) =>
        IsSame(old, wanted, static link => link with { Position = default });

    private static bool IsSameVrrp(VrrpOptions? old, VrrpOptions? wanted) =>
        old is null || wanted is null
            ? old is null && wanted is null
            : wanted with { Groups = old.Groups } == old
                && HasLikeGroups(old.Groups, wanted.Groups);

    private static bool HasLikeGroups(
        IReadOnlyList<VrrpGroupName> old, IReadOnlyList<VrrpGroupName> wanted)
    {
        bool same = old.Count == wanted.Count;
        for (int i = 0; same && i < old.Count; i++) { same = old[i].IsLike(wanted[i]); }
        return same;
    }

    private static bool IsSameHelper(Options old, Options wanted) =>
        old.HasHelperSection == wanted.HasHelperSection
        && old.IsHelperSetup == wanted.IsHelperSetup
        && IsSame(old.Helpers, wanted.Helpers, Plain);

    private static string Plain(HelperOptions helper) =>
        (helper with { Position = default, Policies = [] }) + string.Join(';', helper.Policies);

    private static bool IsSame<T>(IReadOnlyList<T> old, IReadOnlyList<T> wanted)
        where T : IEquatable<T> => IsSame(old, wanted, static item => item);

    // Compares what is made of each.
    private static bool IsSame<T, TMade>(
        IReadOnlyList<T> old, IReadOnlyList<T> wanted, Func<T, TMade> made)
        where TMade : IEquatable<TMade>
    {
        bool same = old.Count == wanted.Count;
        for (int i = 0; same && i < old.Count; i++) { same = made(old[i]).Equals(made(wanted[i])); }
        return same;
    }
}
