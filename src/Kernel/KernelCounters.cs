namespace Conntrackd.Kernel;

/// <summary>What happened between the kernel and us; one reason, one counter.</summary>
internal sealed class KernelCounters
{
    // Shown by "-s runtime" under the names of the original.
    internal ulong EventsReceived;
    internal ulong EventsFiltered;          // by the sink's filter
    internal ulong EventsUnknownType;
    internal ulong CatchEventFailed;        // receive failed, overruns included
    internal ulong DumpUnknownType;
    internal ulong Overruns;                // ENOBUFS, or drops seen in reliable mode
    internal ulong FlushKernel;             // requests to flush, counted by who makes them
    internal ulong ResyncKernel;            // resyncs with the table, likewise
    internal int BufferBytes;               // of the event socket, as the kernel counts it

    // Ours.
    internal ulong EventsMalformed;         // not decodable
    internal ulong EventsTruncated;         // longer than a slot; treated as an overrun
    internal ulong DatagramsForeign;        // not sent by the kernel
    internal ulong DumpMalformed;
    internal ulong DumpsFailed;             // ended by an error or inconsistent
    internal ulong AnswersLost;             // batches of which not every answer arrived
    internal ulong AnswersUnknown;          // answers to no request of the batch
}
