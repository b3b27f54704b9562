using Conntrackd.Config;
using Conntrackd.Conntrack;

namespace Conntrackd.Daemon;

/// <summary>What the configuration says about flows that are written into the kernel.</summary>
/// <param name="WindowTracking">TCPWindowTracking.</param>
/// <param name="TimeoutSeconds">Of flows that come without a timeout; 0 = 60.</param>
/// <param name="Withheld">What is not written though the peer told it (block Restore).</param>
internal readonly record struct WriterSettings(
    bool WindowTracking, uint TimeoutSeconds, FlowAttributes Withheld)
{
    internal static WriterSettings Of(SyncOptions sync) =>
        new(sync.TcpWindowTracking, sync.CommitTimeoutSeconds, sync.Withheld);
}
