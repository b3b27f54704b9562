using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>Who may use the socket, and for what.</summary>
/// <remarks>
/// The mode of the socket file decides who connects: the owner (0600), and a group if one is named
/// (0660). The kernel tells who has connected (SO_PEERCRED): root and the daemon's own user may ask
/// for everything, all others read, unless the group was given full access. So a mode that somebody
/// opened by hand lets nobody flush a firewall.
/// </remarks>
/// <param name="Group">Null: the owner only.</param>
/// <param name="OthersMayChange">The group may ask for everything.</param>
internal readonly record struct ControlAccess(uint? Group, bool OthersMayChange)
{
    private const uint Root = 0;

    /// <summary>True if the other end is root or the user that this process acts as.</summary>
    internal static bool IsOwner(int connection) =>
        Libc.ReadPeer(connection, out uint user) == Errno.None
        && (user == Root || user == Libc.EffectiveUser);

    /// <summary>Whether those who are not the owner may ask for this.</summary>
    internal bool AllowsOthers(ControlRequest request) =>
        OthersMayChange || OnlyReads(request);

    /// <summary>True for what changes nothing: dumps and statistics.</summary>
    internal static bool OnlyReads(ControlRequest request) => request
        is ControlRequest.DumpInternal or ControlRequest.DumpInternalXml
        or ControlRequest.DumpExternal or ControlRequest.DumpExternalXml
        or ControlRequest.DumpInternalExpectations or ControlRequest.DumpInternalExpectationsXml
        or ControlRequest.DumpExternalExpectations or ControlRequest.DumpExternalExpectationsXml
        or ControlRequest.Statistics or ControlRequest.StatisticsNetwork
        or ControlRequest.StatisticsCache or ControlRequest.StatisticsRuntime
        or ControlRequest.StatisticsLink or ControlRequest.StatisticsResendQueue
        or ControlRequest.StatisticsProcess or ControlRequest.StatisticsQueue
        or ControlRequest.StatisticsExpectations or ControlRequest.StatisticsVrrp;
}
