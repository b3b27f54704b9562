namespace Conntrackd.Transport;

/// <summary>What went over one channel; "packets" are datagrams, "bytes" their payload.</summary>
internal sealed class ChannelCounters
{
    // Shown by "-s link" and "-s network" under the names of the original.
    internal ulong BytesSent;
    internal ulong BytesReceived;
    internal ulong PacketsSent;
    internal ulong PacketsReceived;
    internal ulong ErrorsSent;              // datagrams dropped because sending failed
    internal ulong ErrorsReceived;          // failed receive calls, truncated datagrams included

    // Ours.
    internal ulong SendStalls;              // flushes that left datagrams for later (EAGAIN)
    internal ulong Truncated;               // longer than a slot
    internal ulong Duplicates;              // messages that another link had brought already
    internal ulong Foreign;                 // not from the peer's address, dropped

    // What the kernel gave of the buffers that were asked for; 0 if none was.
    internal int SendBufferBytes;
    internal int ReceiveBufferBytes;
}
