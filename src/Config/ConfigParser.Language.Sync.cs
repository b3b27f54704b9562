
namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Section Sync but for its links.</summary>
    private static class SyncLanguage
    {
        internal static readonly Directive[] Directives =
        [
            new("Mode", Block.Sync, static p => p.ReadMode())
            {
                Operand = "FTFW | NOTRACK | ALARM { ... }",
                Opens = Block.Modes,
                Default = "FTFW",
                Help = "How states are made to reach the other nodes, which must use the same "
                    + "mode. 'FTFW': messages are numbered, acknowledged, and sent again when "
                    + "they got lost. 'NOTRACK': every state is sent once. 'ALARM': every state "
                    + "is sent again from time to time. The old names 'NACK' and 'PERSISTENT' "
                    + "are understood for 'FTFW' and 'ALARM'.",
            },
            new("ResendQueueSize", Block.Ftfw, static p => p.ReadResendQueueSize())
            {
                Operand = "number",
                Default = $"{SyncOptions.ResendQueueSizeDefault}",
                Help = "How many flows are kept until they are acknowledged.",
            },
            new("ACKWindowSize", Block.Ftfw, static p => p.ReadAckWindowSize())
            {
                Operand = "number",
                Default = $"{SyncOptions.AckWindowSizeDefault}",
                Help = "After how many messages the receiver acknowledges.",
            },
            new("RefreshTime", Block.Sync | Block.Alarm, static p => p.ReadRefreshTime())
            {
                Operand = "seconds",
                Default = $"{SyncOptions.RefreshSecondsDefault}",
                Tolerated = Block.Sync,
                Help = "A state is sent again after a random time of up to so many seconds.",
            },
            new("CacheTimeout", Block.Sync | Block.Alarm, static p => p.ReadCacheTimeout())
            {
                Operand = "seconds",
                Default = $"{SyncOptions.CacheTimeoutSecondsDefault}",
                Tolerated = Block.Sync,
                Help = "A state of the peer that was not repeated for so long is forgotten.",
            },
            new("CommitTimeout", Block.Sync | Block.Modes, static p => p.Seconds(out uint n)
                && p.Set(p.OpenSync with { CommitTimeoutSeconds = n }))
            {
                Operand = "seconds",
                Example = "180",
                Tolerated = Block.Sync,
                Help = "The timeout of flows that conntrackd -c writes into the kernel. Without "
                    + "it, or with 0: what the peer last told, less the time since. No effect "
                    + "without an external cache.",
            },
            new("PurgeTimeout", Block.Sync | Block.Modes, static p => p.ReadPurgeTimeout())
            {
                Operand = "seconds",
                Default = $"{SyncOptions.PurgeTimeoutSecondsDefault}",
                Tolerated = Block.Sync,
                Help = "From conntrackd -t until the kernel's table is emptied.",
            },
            new("DisableInternalCache", Block.NoTrack, static p => p.Bool(out bool on)
                && p.Set(p.OpenSync with { DisableInternalCache = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Send the events of the kernel without keeping them.",
            },
            new("DisableExternalCache", Block.Ftfw | Block.NoTrack, static p =>
                p.Bool(out bool on) && p.Set(p.OpenSync with { DisableExternalCache = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Write the states of the peer into the kernel at once, instead of keeping "
                    + "them in an external cache. Then there is nothing to commit when this node "
                    + "takes over.",
            },
            new("StartupResync", Block.Ftfw | Block.NoTrack, static p => p.Bool(out bool on)
                && p.Set(p.OpenSync with { StartupResync = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Ask the other nodes for their states right after the start.",
            },
            new("Options", Block.Sync, static p => p.Braces(Block.Options, "Options"))
            {
                Operand = "{ ... }",
                Opens = Block.Options,
                IsSample = true,
                Help = "What is replicated, and how it is written.",
            },
            new("TCPWindowTracking", Block.Options, static p => p.Bool(out bool on)
                && p.Set(p.OpenSync with { TcpWindowTracking = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Off: flows written into the kernel are not checked against the TCP "
                    + "window, since what is known of the window is always a little old.",
            },
            new("ExpectationSync", Block.Options, static p => p.ReadExpectationSync())
            {
                Operand = "bool | { helper ... }",
                Default = "off",
                Help = "Replicate expectations (FTP, SIP and the like): of all helpers, or of "
                    + "those in the list. A name covers all helpers that begin with it.",
            },
            new("NodeNumber", Block.Options, static p => p.Number(
                out uint n, "the number of this node", 1, ushort.MaxValue)
                && p.Set(p.OpenSync with { NodeNumber = (ushort)n }))
            {
                Operand = "number",
                Example = "1",
                Help = "The number of this node, 1 to 65535, on a link with a 'KeyFile'. Every "
                    + "node has another one. Without it: the end, 16 bits, of its own address on "
                    + "the link.",
            },
            new("RedundantLinks", Block.Options, static p => p.Bool(out bool on)
                && p.Set(p.OpenSync with { RedundantLinks = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "With several links: all of them carry all messages at once. What one loses "
                    + "the other brings, and what comes twice is dropped and counted. To be set on "
                    + "all nodes. The original drops what comes twice in 'Mode FTFW'; in the other "
                    + "modes a copy that is late may undo a newer state there for a moment. Blocks "
                    + "'UDP' on one interface, to different addresses, lead to a node each: so "
                    + "three and more nodes are linked without multicast, a port of its own for "
                    + "each two of them, four links at most.",
            },
            new("Restore", Block.Options, static p => p.Braces(Block.Restore, "Restore"))
            {
                Operand = "{ ... }",
                Opens = Block.Restore,
                Help = "Which attributes of a flow are written into the kernel, by a commit or, "
                    + "without an external cache, as they come. What is off is replicated and "
                    + "listed all the same.",
            },
            .. Array.ConvertAll(RestoredAttributes.All, static restored => new Directive(
                restored.Name, Block.Restore, p => p.ReadRestored(restored.Attributes))
            {
                Operand = "bool",
                Default = "on",
                Help = restored.Help,
            }),
        ];
    }
}
