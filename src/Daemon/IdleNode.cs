using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// A daemon whose configuration asks for nothing: it answers what every mode answers, and ends.
/// </summary>
internal sealed class IdleNode(Options options, ServiceNotifier? notifier, Log log)
    : DaemonLoop(options, notifier, log), ICommandHandler
{
    /// <inheritdoc/>
    internal override KernelCounters KernelCounters { get; } = new();

    /// <inheritdoc/>
    internal override string StatusText => "idle: no Sync and no Stats section";

    /// <inheritdoc/>
    protected override ICommandHandler Handler => this;

    /// <summary>
    /// Accepted, no effect, no output: scripts send requests whatever the mode is.
    /// </summary>
    public CommandReply Execute(ControlRequest request, ControlSession session) =>
        CommandReply.Done;

    /// <inheritdoc/>
    protected override string? TryOpen() => null;

    /// <inheritdoc/>
    protected override string? TryChange(Options options) => null;

    /// <inheritdoc/>
    protected override bool Turn(long now) => false;

    /// <inheritdoc/>
    protected override long NextDeadline(long now) => long.MaxValue;

    /// <inheritdoc/>
    protected override void Close()
    {
    }
}
