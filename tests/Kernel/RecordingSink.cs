using System.Collections.Generic;
using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Tests.Kernel;

/// <summary>Keeps everything it is told.</summary>
internal sealed class RecordingSink : IKernelSink, IExpectationSink, ITableResultSink
{
    internal List<(FlowEventKind Kind, Flow Flow, EventOrigin Origin)> Events { get; } = [];

    internal List<Flow> Records { get; } = [];

    internal List<(FlowEventKind Kind, Expectation Expectation)> Expectations { get; } = [];

    internal List<Expectation> ExpectationRecords { get; } = [];

    internal List<Errno> DumpEnds { get; } = [];

    internal List<(int Token, Errno Error)> Results { get; } = [];

    internal int Overruns { get; private set; }

    /// <summary>Called for every result, after it was kept.</summary>
    internal Action<int, Errno>? OnResult { get; set; }

    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin) =>
        Events.Add((kind, flow, origin));

    public void OnOverrun() => Overruns++;

    public void OnDumpRecord(ref Flow flow) => Records.Add(flow);

    public void OnExpectation(
        FlowEventKind kind, ref Expectation expectation, EventOrigin origin) =>
        Expectations.Add((kind, expectation));

    public void OnExpectationRecord(ref Expectation expectation) =>
        ExpectationRecords.Add(expectation);

    public void OnDumpEnd(Errno error) => DumpEnds.Add(error);

    public void OnTableResult(int token, Errno error)
    {
        Results.Add((token, error));
        OnResult?.Invoke(token, error);
    }
}

/// <summary>Only counts, and allocates nothing.</summary>
internal sealed class CountingSink : IKernelSink, ITableResultSink
{
    internal int Events { get; private set; }

    internal int Records { get; private set; }

    internal int Overruns { get; private set; }

    internal int Done { get; private set; }

    internal int Failed { get; private set; }

    internal Errno DumpEnd { get; private set; } = Errno.Einprogress;

    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin) => Events++;

    public void OnOverrun() => Overruns++;

    public void OnDumpRecord(ref Flow flow) => Records++;

    public void OnDumpEnd(Errno error) => DumpEnd = error;

    public void OnTableResult(int token, Errno error)
    {
        if (error == Errno.None) { Done++; }
        else { Failed++; }
    }
}
