using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>A daemon whose configuration asks for nothing: it answers clients, and ends.</summary>
internal sealed class IdleNode(Options options, ServiceNotifier? notifier, Log log)
    : DaemonLoop(options, notifier, log), ICommandHandler
{
    private readonly KernelCounters _counters = new();

    /// <inheritdoc/>
    protected override ICommandHandler Handler => this;

    /// <inheritdoc/>
    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        switch (request)
        {
            case ControlRequest.StatisticsRuntime:
                Reports.AppendRuntime(session.Text, Status.RuntimeOf(this, _counters));
                break;
            case ControlRequest.StatisticsProcess:
                Server.AppendReaders(session.Text);
                break;
            case ControlRequest.Kill:
                Stop();
                break;
            default:
                // Accepted, no effect, no output: scripts send them whatever the mode is.
                break;
        }
        return CommandReply.Done;
    }

    /// <inheritdoc/>
    protected override string? TryOpen() => null;

    /// <inheritdoc/>
    protected override bool Turn(long now) => false;

    /// <inheritdoc/>
    protected override long NextDeadline(long now) => long.MaxValue;

    /// <inheritdoc/>
    protected override void Close()
    {
    }
}
