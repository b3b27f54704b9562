using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>Takes what a channel received, and hears what became of its connections.</summary>
internal interface IDatagramHandler
{
    /// <summary>
    /// One datagram, or whole messages of a stream; the bytes are valid until the call returns. Not
    /// called for empty datagrams.
    /// </summary>
    void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram);

    /// <summary>
    /// A datagram or a connection was refused because it is not from the configured peer.
    /// </summary>
    void OnForeign(in PeerAddress from);

    /// <summary>
    /// A stream reached the peer. <paramref name="lostSome"/>: what was sent before may not have
    /// arrived.
    /// </summary>
    void OnConnected(bool lostSome);

    /// <summary>A stream that had reached the peer broke.</summary>
    void OnDisconnected(Linux.Errno error);
}
