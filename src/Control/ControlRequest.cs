namespace Conntrackd.Control;

/// <summary>
/// What a client may ask of the daemon: the one number it sends, 32 bits in the machine's order.
/// </summary>
/// <remarks>
/// This room is the daemon's UNIX socket, both sides of it, and everything said over it: the
/// command line, the requests and the reports. It decides nothing about flows; what a request does
/// is the handler's business (ICommandHandler). Read <see cref="CommandOptions"/>, then
/// ControlServer, then <see cref="Reports"/>. The numbers are those of conntrack-tools
/// include/conntrackd.h; clients and daemons of both kinds may be mixed. 27 was never used. What
/// the original does not have is numbered from 256 on, and other forms of the answers from 512 on,
/// see <see cref="ReplyForms"/>.
/// </remarks>
internal enum ControlRequest : uint
{
    FlushKernelFlows = 0,               // CT_FLUSH_MASTER
    ResyncFlows = 1,                    // CT_RESYNC_MASTER
    DumpInternal = 16,                  // CT_DUMP_INTERNAL
    DumpExternal = 17,                  // CT_DUMP_EXTERNAL
    CommitFlows = 18,                   // CT_COMMIT
    FlushFlowCaches = 19,               // CT_FLUSH_CACHE: no option sends it any more
    Kill = 20,                          // KILL
    Statistics = 21,                    // STATS
    SendBulk = 22,                      // SEND_BULK
    RequestResync = 23,                 // REQUEST_DUMP
    DumpInternalXml = 24,               // CT_DUMP_INT_XML
    DumpExternalXml = 25,               // CT_DUMP_EXT_XML
    ResetTimers = 26,                   // RESET_TIMERS
    StatisticsNetwork = 28,             // STATS_NETWORK
    StatisticsCache = 29,               // STATS_CACHE
    StatisticsRuntime = 30,             // STATS_RUNTIME
    StatisticsLink = 31,                // STATS_LINK
    StatisticsResendQueue = 32,         // STATS_RSQUEUE
    FlushInternal = 33,                 // CT_FLUSH_INT_CACHE
    FlushExternal = 34,                 // CT_FLUSH_EXT_CACHE
    StatisticsProcess = 35,             // STATS_PROCESS
    StatisticsQueue = 36,               // STATS_QUEUE
    StatisticsExpectations = 37,        // EXP_STATS
    FlushKernelExpectations = 38,       // EXP_FLUSH_MASTER
    ResyncExpectations = 39,            // EXP_RESYNC_MASTER
    DumpInternalExpectations = 40,      // EXP_DUMP_INTERNAL
    DumpExternalExpectations = 41,      // EXP_DUMP_EXTERNAL
    CommitExpectations = 42,            // EXP_COMMIT
    FlushKernel = 43,                   // ALL_FLUSH_MASTER
    Resync = 44,                        // ALL_RESYNC_MASTER
    FlushCaches = 45,                   // ALL_FLUSH_CACHE
    Commit = 46,                        // ALL_COMMIT
    DumpInternalExpectationsXml = 47,   // EXP_DUMP_INT_XML
    DumpExternalExpectationsXml = 48,   // EXP_DUMP_EXT_XML
    Reload = 256,                       // apply the changed configuration file
    StatisticsVrrp = 264,               // of ours: -s vrrp
}
