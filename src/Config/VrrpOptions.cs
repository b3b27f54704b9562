using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>A sync group or an instance of keepalived, by its name there.</summary>
internal readonly record struct VrrpGroupName(string Name, bool IsGroup)
{
    /// <summary>Marks that tell its flows from those of other groups.</summary>
    internal IReadOnlyList<MarkMatch> Marks { get; init; } = [];

    /// <summary>Hosts and networks that do.</summary>
    internal IReadOnlyList<AddressPrefix> Addresses { get; init; } = [];

    /// <summary>True if all of it is the same, lists by their content.</summary>
    internal bool IsLike(VrrpGroupName other) =>
        (Name, IsGroup) == (other.Name, other.IsGroup)
        && AreEqual(Marks, other.Marks) && AreEqual(Addresses, other.Addresses);

    private static bool AreEqual<T>(IReadOnlyList<T> list, IReadOnlyList<T> other)
        where T : IEquatable<T>
    {
        if (list.Count != other.Count) { return false; }
        for (int i = 0; i < list.Count; i++)
        {
            if (!list[i].Equals(other[i])) { return false; }
        }
        return true;
    }
}

/// <summary>Block VRRP of section General: the daemon follows keepalived by itself.</summary>
internal sealed record VrrpOptions
{
    internal const string NotifyDefault = "/run/conntrackd/vrrp.fifo";
    internal const uint HoldOffSecondsDefault = 60;
    internal const uint SyncQuietSecondsDefault = 1;
    internal const int GroupsMax = 32;

    /// <summary>FIFO that the daemon makes and keepalived writes to (vrrp_notify_fifo).</summary>
    internal string Notify { get; init; } = NotifyDefault;

    /// <summary>In the order of the file, at least one, none twice.</summary>
    internal IReadOnlyList<VrrpGroupName> Groups { get; init; } = [];

    /// <summary>File that keepalived tracks: 0 in sync, 1 stand back. Null: none.</summary>
    internal string? TrackFile { get; init; }

    /// <summary>Longest time to stand back; 0: for ever.</summary>
    internal uint HoldOffSeconds { get; init; } = HoldOffSecondsDefault;

    /// <summary>So long without growth means that a peer has sent everything.</summary>
    internal uint SyncQuietSeconds { get; init; } = SyncQuietSecondsDefault;

    /// <summary>FAULT and STOP arm the purge of the kernel's table.</summary>
    internal bool PurgeOnFault { get; init; } = true;

    /// <summary>File with the process id of keepalived's VRRP process; null: not asked.</summary>
    internal string? QueryPid { get; init; }

    /// <summary>Program to run after each sequence; null: none.</summary>
    internal string? Command { get; init; }
}
