namespace Conntrackd.Kernel;

/// <summary>How the event socket is set up.</summary>
/// <param name="BufferBytes">
/// Receive buffer as the kernel counts it (NetlinkBufferSize); 0 keeps the system's. Heeded only up
/// to <paramref name="BufferBytesMax"/>, as the original does.
/// </param>
/// <param name="BufferBytesMax">
/// Up to where the buffer is doubled after overruns (NetlinkBufferSizeMaxGrowth); 0: never.
/// </param>
/// <param name="Reliable">
/// The kernel retries destroy events that did not fit and keeps what a flow missed for its next
/// event (NetlinkEventsReliable).
/// </param>
/// <param name="Expectations">Expectation events are wanted too, and there is a sink.</param>
internal readonly record struct EventSourceOptions(
    int BufferBytes, int BufferBytesMax, bool Reliable, bool Expectations);
