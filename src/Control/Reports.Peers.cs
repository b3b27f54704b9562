using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>One other node, as the forms of ours tell of it.</summary>
/// <param name="Family">Of its address.</param>
/// <param name="Address">Where it sends from.</param>
/// <param name="IsAlive">Heard lately.</param>
/// <param name="IsInSync">Greeted, and neither side owes the other a bulk.</param>
/// <param name="InFlight">Messages it has not acknowledged.</param>
/// <param name="Lost">Messages of it that never came.</param>
/// <param name="Before">Messages of it that came after a later one.</param>
/// <param name="SilentSeconds">Since it was heard last.</param>
/// <param name="RoundTripMicroseconds">To a peer of our own kind and back; 0 if not known.</param>
/// <param name="BehindMicroseconds">Since it last acknowledged anything, while more waits.</param>
/// <param name="BulkMissing">Flows of our last bulk that found no place there.</param>
internal readonly record struct PeerReport(
    AddressFamily Family, Address Address, bool IsAlive, bool IsInSync, int InFlight,
    ulong Lost, ulong Before, long SilentSeconds, long RoundTripMicroseconds,
    long BehindMicroseconds, uint BulkMissing);

internal static partial class Reports
{
    /// <summary>
    /// Appends a block of our own, for <c>-s</c> and <c>-s network</c> in our forms.
    /// </summary>
    internal static void AppendPeer(TextBuffer text, in PeerReport peer)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendPeer(text, peer);
            return;
        }
        text.Append("peer "u8);
        AddressText.Append(text, peer.Family, peer.Address);
        text.Append(peer.IsAlive ? " status=ALIVE sync="u8 : " status=SILENT sync="u8);
        text.Append(peer.IsInSync ? "IN-SYNC:\n"u8 : "CATCHING-UP:\n"u8);
        AppendLine(text, "\tmessages in flight:\t"u8, (ulong)peer.InFlight, Wide);
        AppendLine(text, "\tmessages lost:\t\t"u8, peer.Lost, Wide);
        AppendLine(text, "\tmessages before:\t"u8, peer.Before, Wide);
        AppendLine(text, "\tseconds silent:\t\t"u8, (ulong)Math.Max(peer.SilentSeconds, 0), Wide);
        AppendLine(text, "\tround trip, us:\t"u8, (ulong)peer.RoundTripMicroseconds, Wide);
        AppendLine(text, "\tbehind, us:\t\t"u8, (ulong)peer.BehindMicroseconds, Wide);
        AppendLine(text, "\tmissing of last bulk:\t"u8, peer.BulkMissing, Wide);
        text.Append((byte)'\n');
    }
}
