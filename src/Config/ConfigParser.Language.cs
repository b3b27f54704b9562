using System.Collections.Generic;
using System.Linq;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>The language: every directive, where it is allowed, and what it sets.</summary>
internal sealed partial class ConfigParser
{
    private static readonly (Block Block, string Name)[] s_blockNames =
    [
        (Block.File, "top level"),
        (Block.General, "General"),
        (Block.Unix, "UNIX"),
        (Block.Scheduler, "Scheduler"),
        (Block.Filter, "Filter"),
        (Block.Address, "Address"),
        (Block.Sync, "Sync"),
        (Block.Alarm, "Mode ALARM"),
        (Block.Ftfw, "Mode FTFW"),
        (Block.NoTrack, "Mode NOTRACK"),
        (Block.Multicast, "Multicast"),
        (Block.Udp, "UDP"),
        (Block.Tcp, "TCP"),
        (Block.Options, "Options"),
        (Block.Stats, "Stats"),
        (Block.Helper, "Helper"),
        (Block.HelperType, "Type"),
        (Block.HelperPolicy, "Policy"),
        (Block.Vrrp, "VRRP"),
        (Block.Sandbox, "Sandbox"),
    ];

    private static readonly Directive[] s_directives =
    [
        new("General", Block.File, static p => p.ReadGeneral()),
        new("Sync", Block.File, static p => p.ReadSync()),
        new("Stats", Block.File, static p => p.ReadStats()),
        new("Helper", Block.File, static p => p.ReadHelper()),

        new("HashSize", Block.General, static p => p.ReadHashSize()),
        new("HashLimit", Block.General, static p => p.ReadHashLimit()),
        new("LogFile", Block.General, static p => p.ReadLogFile()),
        new("LogFile", Block.Stats, static p => p.ReadStatsLogFile()),
        new("Syslog", Block.General, static p => p.ReadSyslog()),
        new("Syslog", Block.Stats, static p => p.ReadStatsSyslog()),
        new("LockFile", Block.General, static p => p.ReadLockFile()),
        new("NetlinkBufferSize", Block.General, static p => p.ReadNetlinkBuffer()),
        new("SocketBufferSize", Block.General, static p => p.ReadNetlinkBuffer())
            { Canonical = "NetlinkBufferSize" },
        new("NetlinkBufferSizeMaxGrowth", Block.General, static p => p.ReadNetlinkBufferMax()),
        new("SocketBufferSizeMaxGrowth", Block.General, static p => p.ReadNetlinkBufferMax())
            { Canonical = "NetlinkBufferSizeMaxGrowth" },
        new("SocketBufferSizeMaxGrown", Block.General, static p => p.ReadNetlinkBufferMax())
            { Canonical = "NetlinkBufferSizeMaxGrowth" },
        new("NetlinkOverrunResync", Block.General, static p => p.ReadOverrunResync()),
        new("NetlinkEventsReliable", Block.General, static p => p.Bool(out bool on)
            && p.Set(p._options with { NetlinkEventsReliable = on })),
        new("PollSecs", Block.General, static p => p.Number(out uint n, "seconds", 1, NumberMax)
            && p.Set(p._options with { PollSeconds = n })),
        new("EventIterationLimit", Block.General, static p => p.ReadIterationLimit()),
        new("Systemd", Block.General, static p => p.Bool(out bool on)
            && p.Set(p._options with { Systemd = on })),
        new("Nice", Block.General, static p => p.ReadNice()),

        new("UNIX", Block.General, static p => p.Braces(Block.Unix, "UNIX")),
        new("Path", Block.Unix, static p => p.ReadUnixPath()),
        new("Backlog", Block.Unix, static p => p.ReadBacklog()),
        new("Group", Block.Unix, static p => p.ReadUnixGroup()),
        new("GroupAccess", Block.Unix, static p => p.ReadUnixGroupAccess()),

        new("Scheduler", Block.General, static p => p.Braces(Block.Scheduler, "Scheduler")),
        new("Type", Block.Scheduler, static p => p.ReadSchedulerType()),
        new("Priority", Block.Scheduler, static p => p.ReadSchedulerPriority()),

        new("Sandbox", Block.General, static p => p.Braces(Block.Sandbox, "Sandbox")),
        new("Capabilities", Block.Sandbox,
            static p => p.ReadSandboxSwitch(ref p._sandboxCapabilities)),
        new("NoNewPrivileges", Block.Sandbox,
            static p => p.ReadSandboxSwitch(ref p._sandboxPrivileges)),
        new("Files", Block.Sandbox, static p => p.ReadSandboxSwitch(ref p._sandboxFiles)),
        new("SystemCalls", Block.Sandbox, static p => p.ReadSandboxCalls()),

        new("VRRP", Block.General, static p => p.ReadVrrp()),
        new("Notify", Block.Vrrp, static p => p.ReadVrrpNotify()),
        new("Group", Block.Vrrp, static p => p.ReadVrrpGroup(isGroup: true)),
        new("Instance", Block.Vrrp, static p => p.ReadVrrpGroup(isGroup: false)),
        new("TrackFile", Block.Vrrp, static p => p.ReadVrrpTrackFile()),
        new("HoldOffTimeout", Block.Vrrp, static p => p.ReadVrrpHoldOff()),
        new("SyncQuiet", Block.Vrrp, static p => p.ReadVrrpQuiet()),
        new("OnFault", Block.Vrrp, static p => p.ReadVrrpOnFault()),
        new("QueryPid", Block.Vrrp, static p => p.ReadVrrpQueryPid()),
        new("Command", Block.Vrrp, static p => p.ReadVrrpCommand()),

        new("Filter", Block.General, static p => p.ReadFilter()),
        new("Protocol", Block.Filter, static p => p.ReadProtocolSet()),
        new("Address", Block.Filter, static p => p.ReadAddressSet()),
        new("State", Block.Filter, static p => p.ReadStateSet()),
        new("IPv4_address", Block.Address, static p => p.ReadFilterAddress(AddressFamily.Ipv4)),
        new("IPv6_address", Block.Address, static p => p.ReadFilterAddress(AddressFamily.Ipv6)),

        new("Mode", Block.Sync, static p => p.ReadMode()),
        new("RefreshTime", Block.Sync | Block.Alarm, static p => p.ReadRefreshTime()),
        new("CacheTimeout", Block.Sync | Block.Alarm, static p => p.ReadCacheTimeout()),
        new("CommitTimeout", Block.Sync | Block.Modes, static p => p.Seconds(out uint n)
            && p.Set(p.OpenSync with { CommitTimeoutSeconds = n })),
        new("PurgeTimeout", Block.Sync | Block.Modes, static p => p.ReadPurgeTimeout()),
        new("ResendQueueSize", Block.Ftfw, static p => p.ReadResendQueueSize()),
        new("ACKWindowSize", Block.Ftfw, static p => p.ReadAckWindowSize()),
        new("DisableInternalCache", Block.NoTrack, static p => p.Bool(out bool on)
            && p.Set(p.OpenSync with { DisableInternalCache = on })),
        new("DisableExternalCache", Block.Ftfw | Block.NoTrack, static p => p.Bool(out bool on)
            && p.Set(p.OpenSync with { DisableExternalCache = on })),
        new("StartupResync", Block.Ftfw | Block.NoTrack, static p => p.Bool(out bool on)
            && p.Set(p.OpenSync with { StartupResync = on })),

        new("Multicast", Block.Sync, static p => p.ReadLink(LinkKind.Multicast)),
        new("UDP", Block.Sync, static p => p.ReadLink(LinkKind.Udp)),
        new("TCP", Block.Sync, static p => p.ReadLink(LinkKind.Tcp)),
        new("IPv4_address", Block.Links, static p => p.ReadLinkAddress(AddressFamily.Ipv4)),
        new("IPv6_address", Block.Links, static p => p.ReadLinkAddress(AddressFamily.Ipv6)),
        new("IPv4_interface", Block.Multicast, static p => p.ReadLinkInterfaceAddress()),
        new("IPv6_interface", Block.Multicast, static p => p.ReadIgnoredInterfaceAddress()),
        new("IPv4_Destination_Address", Block.Udp | Block.Tcp,
            static p => p.ReadDestination(AddressFamily.Ipv4)),
        new("IPv6_Destination_Address", Block.Udp | Block.Tcp,
            static p => p.ReadDestination(AddressFamily.Ipv6)),
        new("Group", Block.Multicast, static p => p.ReadPort()),
        new("Port", Block.Udp | Block.Tcp, static p => p.ReadPort()),
        new("Interface", Block.Links, static p => p.ReadInterface()),
        new("SndSocketBuffer", Block.Links, static p => p.BufferBytes(out int n)
            && p.Set(p._link with { SendBufferBytes = n })),
        new("RcvSocketBuffer", Block.Links, static p => p.BufferBytes(out int n)
            && p.Set(p._link with { ReceiveBufferBytes = n })),
        new("Checksum", Block.Links, static p => p.Bool(out bool on)
            && p.Set(p._link with { Checksum = on })),
        new("KeyFile", Block.Links, static p => p.Path(out string path, "the path of a key file")
            && p.Set(p._link with { KeyFile = path })),
        new("FrameChecksum", Block.Links, static p => p.Bool(out bool on)
            && p.Set(p._link with { FrameChecksum = on })),
        new("ErrorQueueLength", Block.Tcp, static p => p.ReadErrorQueueLength()),

        new("Options", Block.Sync, static p => p.Braces(Block.Options, "Options")),
        new("TCPWindowTracking", Block.Options, static p => p.Bool(out bool on)
            && p.Set(p.OpenSync with { TcpWindowTracking = on })),
        new("ExpectationSync", Block.Options, static p => p.ReadExpectationSync()),
        new("NodeNumber", Block.Options, static p => p.Number(
            out uint n, "the number of this node", 1, ushort.MaxValue)
            && p.Set(p.OpenSync with { NodeNumber = (ushort)n })),

        new("Setup", Block.Helper, static p => p.Bool(out bool on)
            && p.Set(p._options with { IsHelperSetup = on })),
        new("Type", Block.Helper | Block.HelperType, static p => p.ReadHelperType()),
        new("QueueNum", Block.Helper | Block.HelperType, static p => p.ReadQueueNumber()),
        new("QueueLen", Block.Helper | Block.HelperType, static p => p.ReadQueueLength()),
        new("Policy", Block.Helper | Block.HelperType, static p => p.ReadPolicy()),
        new("ExpectMax", Block.HelperPolicy, static p => p.ReadExpectMax()),
        new("ExpectTimeout", Block.HelperPolicy, static p => p.ReadExpectTimeout()),
    ];

    private static readonly ILookup<string, Directive> s_directivesByName =
        s_directives.ToLookup(static d => d.Name);

    /// <summary>All directives, for tests and the sample file.</summary>
    internal static IReadOnlyList<Directive> Directives => s_directives;

    private static Directive? FindDirective(string name, Block block)
    {
        foreach (Directive directive in s_directivesByName[name])
        {
            if ((directive.Blocks & block) != 0) { return directive; }
        }
        return null;
    }

    // 0 stands for the default in most numbers of the language.
    private static uint Or(uint value, uint fallback) => value == 0 ? fallback : value;
}
