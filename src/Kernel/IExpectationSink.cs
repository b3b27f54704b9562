using Conntrackd.Conntrack;

namespace Conntrackd.Kernel;

/// <summary>
/// Takes what the kernel reports about expectations, if somebody wants to know; otherwise as
/// <see cref="IKernelSink"/>, which is told overruns and the end of dumps for both.
/// </summary>
internal interface IExpectationSink
{
    /// <summary>
    /// An expectation came or went; the kernel reports no changes of its timeout.
    /// </summary>
    void OnExpectation(FlowEventKind kind, ref Expectation expectation, EventOrigin origin);

    /// <summary>An expectation of a dump.</summary>
    void OnExpectationRecord(ref Expectation expectation);
}
