using Conntrackd.Cache;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>A daemon in statistics mode: follows the kernel, logs every flow that ends.</summary>
internal sealed class StatsNode : DaemonLoop
{
    private readonly FlowLog _flowLog;

    internal StatsNode(Options options, ServiceNotifier? notifier, Log log)
        : base(options, notifier, log)
    {
        Table = new FlowTable(Math.Min(options.HashLimit, FlowsMax), Node.RandomSeed());
        _flowLog = new FlowLog();
        Engine = new StatsEngine(Table, _flowLog);
        Kernel = new KernelSide(Engine, options, StartedMicroseconds, log);
    }

    /// <summary>The flows of the kernel.</summary>
    internal FlowTable Table { get; }

    internal StatsEngine Engine { get; }

    internal KernelSide Kernel { get; }

    /// <inheritdoc/>
    internal override KernelCounters KernelCounters => Kernel.Counters;

    /// <inheritdoc/>
    internal override string StatusText => "statistics: logging the flows that end";

    /// <inheritdoc/>
    protected override ICommandHandler Handler => new StatsCommands(this, Log);

    /// <inheritdoc/>
    protected override string? TryOpen() => _flowLog.TryOpen(Options) ?? Kernel.TryStart(Loop);

    /// <inheritdoc/>
    internal override IDumpSource? DumpOf(ControlRequest dump, ReplyForm form) =>
        dump == ControlRequest.DumpInternal
            ? new CacheDump(
                Table, new FlowLine(form, Xml: false, FlowTextSource.Cache),
                StartedMicroseconds)
            : null;

    /// <inheritdoc/>
    internal override void ReopenLogs()
    {
        base.ReopenLogs();
        Errno error = _flowLog.Reopen();
        if (error != Errno.None) { Log.Error($"can't reopen the flow log: {error.Describe()}"); }
    }

    /// <inheritdoc/>
    protected override string? TryChange(Options options)
    {
        string? failed = _flowLog.TryOpen(options);
        if (failed is not null) { return failed; }
        Table.SetLimit(Math.Min(options.HashLimit, FlowsMax));
        Kernel.Change(options);
        return null;
    }

    /// <inheritdoc/>
    protected override bool Turn(long now)
    {
        bool more = Engine.Step();
        Kernel.Turn(now);
        _flowLog.Flush();
        return more;
    }

    /// <inheritdoc/>
    protected override long NextDeadline(long now) => Kernel.NextDeadline;

    /// <inheritdoc/>
    protected override void Close()
    {
        Kernel.Dispose();
        _flowLog.Dispose();
    }
}
