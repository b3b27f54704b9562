using Conntrackd.Wire;

namespace Conntrackd.Transport;

/// <summary>Takes what a channel received.</summary>
internal interface IDatagramHandler
{
    /// <summary>
    /// One datagram; the bytes are valid until the call returns. Not called for empty datagrams.
    /// </summary>
    void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram);
}
