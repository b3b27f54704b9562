using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// What follows the own kernel's table: told of every event and of reads of the whole table.
/// </summary>
internal interface IKernelMirror
{
    /// <summary>True while a dump or its sweep is under way.</summary>
    bool IsReconciling { get; }

    /// <summary>An event of the own kernel that passed the filter.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="flow">What the event said of the flow.</param>
    /// <param name="announce">False for what this daemon did itself (commit, flush).</param>
    /// <param name="now">Microseconds of the engine's clock.</param>
    void OnEvent(FlowEventKind kind, ref Flow flow, bool announce, long now);

    /// <summary>A hint that an event or a record of this flow comes soon.</summary>
    void Expect(in Flow flow);

    /// <summary>
    /// A read of the whole kernel table begins. Flows that are in the cache and not in the table
    /// when <see cref="OnDumpEnd"/> comes have ended; events that come meanwhile count as seen.
    /// </summary>
    /// <param name="announce">Tell peers of flows that are new or differ (overrun).</param>
    /// <param name="announceSweep">Tell of flows that are gone.</param>
    void BeginDump(bool announce, bool announceSweep);

    /// <summary>One record of the table.</summary>
    void OnDumpRecord(ref Flow flow, long now);

    /// <summary>The table was read; if not <paramref name="complete"/>, nothing is swept.</summary>
    void OnDumpEnd(bool complete);

    /// <summary>Goes on with long walks, a bounded piece. True if there is more to do.</summary>
    bool Step();
}
