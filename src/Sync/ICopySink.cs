using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>Takes what a <see cref="CopyFilter"/> gives on.</summary>
internal interface ICopySink
{
    /// <summary>
    /// Messages that no link brought before; the bytes are valid during the call.
    /// </summary>
    void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> messages, long now);
}
