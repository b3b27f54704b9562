using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>How a link carries its messages.</summary>
internal enum LinkKind : byte
{
    Udp,
    Multicast,
    Tcp,
}

/// <summary>State of the interface below a link.</summary>
internal enum LinkStatus : byte
{
    /// <summary>The interface is not up.</summary>
    Down,

    /// <summary>Up, but without carrier.</summary>
    NoCarrier,

    /// <summary>Up with carrier.</summary>
    Running,
}

/// <summary>One dedicated link and its counters; packets are datagrams or stream writes.</summary>
/// <param name="Kind">How it carries messages.</param>
/// <param name="Device">Name of the interface.</param>
/// <param name="Status">State of the interface.</param>
/// <param name="Active">True for the link in use.</param>
/// <param name="BytesSent">Bytes sent.</param>
/// <param name="BytesReceived">Bytes received.</param>
/// <param name="PacketsSent">Packets sent.</param>
/// <param name="PacketsReceived">Packets received.</param>
/// <param name="ErrorsSent">Sends that failed.</param>
/// <param name="ErrorsReceived">Receives that failed.</param>
/// <param name="ServerConnected">TCP: the peer is connected to us.</param>
/// <param name="ClientConnected">TCP: we are connected to the peer.</param>
/// <param name="Duplicates">Messages that another link had brought; null if one link sends.</param>
internal readonly record struct LinkReport(
    LinkKind Kind, string Device, LinkStatus Status, bool Active,
    ulong BytesSent, ulong BytesReceived,
    ulong PacketsSent, ulong PacketsReceived,
    ulong ErrorsSent, ulong ErrorsReceived,
    bool ServerConnected = false, bool ClientConnected = false, ulong? Duplicates = null);

/// <summary>What was wrong with messages of peers, and what is missing.</summary>
/// <param name="BadVersion">Wrong protocol version.</param>
/// <param name="BadHeader">Malformed header.</param>
/// <param name="BadPayload">Malformed payload.</param>
/// <param name="BadType">Bad message type.</param>
/// <param name="Truncated">Cut short.</param>
/// <param name="BadSize">Bad message size.</param>
/// <param name="SendMalformed">Messages of ours that could not be built.</param>
/// <param name="Lost">Sequence numbers that never came.</param>
/// <param name="Before">Messages that came after a later one.</param>
internal readonly record struct NetworkReport(
    ulong BadVersion, ulong BadHeader, ulong BadPayload, ulong BadType,
    ulong Truncated, ulong BadSize, ulong SendMalformed, ulong Lost, ulong Before)
{
    /// <summary>All that was received malformed.</summary>
    internal ulong Malformed =>
        BadVersion + BadHeader + BadPayload + BadType + Truncated + BadSize;
}

internal static partial class Reports
{
    /// <summary>
    /// Appends the block of the link in use, for <c>-s</c> and <c>-s network</c>.
    /// </summary>
    internal static void AppendActiveLink(TextBuffer text, in LinkReport link)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendLink(text, link);
            return;
        }
        text.Append(KindName(link.Kind));
        text.Append(" traffic (active device="u8);
        text.Append(link.Device);
        text.Append((byte)')');
        if (link.Kind == LinkKind.Tcp)
        {
            text.Append(" server="u8);
            text.Append(ConnectionName(link.ServerConnected));
            text.Append(" client="u8);
            text.Append(ConnectionName(link.ClientConnected));
        }
        text.Append(":\n"u8);
        AppendLinkCounters(text, link);
    }

    /// <summary>Appends the block of any link, for <c>-s link</c>.</summary>
    internal static void AppendLink(TextBuffer text, in LinkReport link)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendLink(text, link);
            return;
        }
        text.Append(KindName(link.Kind));
        text.Append(" traffic device="u8);
        text.Append(link.Device);
        text.Append(" status="u8);
        text.Append(link.Status switch
        {
            LinkStatus.Running => "RUNNING"u8,
            LinkStatus.NoCarrier => "NO-CARRIER"u8,
            _ => "DOWN"u8,
        });
        text.Append(" role="u8);
        text.Append(link.Active ? "ACTIVE"u8 : "BACKUP"u8);
        text.Append(":\n"u8);
        AppendLinkCounters(text, link);
    }

    /// <summary>Appends the last block of <c>-s</c> in sync mode.</summary>
    internal static void AppendMessages(TextBuffer text, ulong malformed, ulong lost)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendMessages(text, malformed, lost);
            return;
        }
        text.Append("message tracking:\n"u8);
        AppendPair(text, ""u8, malformed, " Malformed msgs "u8, lost, " Lost msgs"u8, Wide);
        text.Append((byte)'\n');
    }

    /// <summary>Appends the first two blocks of <c>-s network</c>.</summary>
    internal static void AppendNetwork(TextBuffer text, in NetworkReport network)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendNetwork(text, network);
            return;
        }
        text.Append("network statistics:\n\trecv:\n"u8);
        AppendLine(text, "\t\tMalformed messages:\t"u8, network.Malformed, Wide);
        AppendLine(text, "\t\tWrong protocol version:\t"u8, network.BadVersion, Wide);
        AppendLine(text, "\t\tMalformed header:\t"u8, network.BadHeader, Wide);
        AppendLine(text, "\t\tMalformed payload:\t"u8, network.BadPayload, Wide);
        AppendLine(text, "\t\tBad message type:\t"u8, network.BadType, Wide);
        AppendLine(text, "\t\tTruncated message:\t"u8, network.Truncated, Wide);
        AppendLine(text, "\t\tBad message size:\t"u8, network.BadSize, Wide);
        text.Append("\tsend:\n"u8);
        AppendLine(text, "\t\tMalformed messages:\t"u8, network.SendMalformed, Wide);
        text.Append("\nsequence tracking statistics:\n\trecv:\n"u8);
        AppendLine(text, "\t\tPackets lost:\t\t"u8, network.Lost, Wide);
        AppendLine(text, "\t\tPackets before:\t\t"u8, network.Before, Wide);
        text.Append((byte)'\n');
    }

    private static void AppendLinkCounters(TextBuffer text, in LinkReport link)
    {
        AppendPair(
            text, ""u8, link.BytesSent, " Bytes sent "u8, link.BytesReceived, " Bytes recv"u8,
            Wide);
        AppendPair(
            text, ""u8, link.PacketsSent, " Pckts sent "u8, link.PacketsReceived, " Pckts recv"u8,
            Wide);
        AppendPair(
            text, ""u8, link.ErrorsSent, " Error send "u8, link.ErrorsReceived, " Error recv"u8,
            Wide);
        if (link.Duplicates is ulong duplicates)
        {
            AppendLine(text, "\tDuplicate messages:\t"u8, duplicates, Wide);
        }
        text.Append((byte)'\n');
    }

    private static ReadOnlySpan<byte> KindName(LinkKind kind) => kind switch
    {
        LinkKind.Multicast => "multicast"u8,
        LinkKind.Tcp => "TCP"u8,
        _ => "UDP"u8,
    };

    private static ReadOnlySpan<byte> ConnectionName(bool connected) =>
        connected ? "connected"u8 : "disconnected"u8;
}
