using Conntrackd.Conntrack;

namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>The blocks of dedicated links in section Sync.</summary>
    private static class LinkLanguage
    {
        private const string First = " One to four blocks, of any kinds. The first is used "
            + "first, unless the word 'Default' stands before the brace of another. When the "
            + "interface of the link in use goes down, or nobody was heard on any link for three "
            + "seconds, the next takes over. See also 'RedundantLinks'.";
        private const string Rest = " See 'UDP' about several links.";

        internal static readonly Directive[] Directives =
        [
            new("UDP", Block.Sync, static p => p.ReadLink(LinkKind.Udp))
            {
                Operand = "[Default] { ... }",
                Opens = Block.Udp,
                IsSample = true,
                Help = "A dedicated link: datagrams to one other node." + First,
            },
            new("Multicast", Block.Sync, static p => p.ReadLink(LinkKind.Multicast))
            {
                Operand = "[Default] { ... }",
                Opens = Block.Multicast,
                Help = "A dedicated link: datagrams to all nodes of a group." + Rest,
            },
            new("TCP", Block.Sync, static p => p.ReadLink(LinkKind.Tcp))
            {
                Operand = "[Default] { ... }",
                Opens = Block.Tcp,
                Help = "A dedicated link: a stream to one other node." + Rest,
            },
            new("IPv4_address", Block.Udp | Block.Tcp,
                static p => p.ReadLinkAddress(AddressFamily.Ipv4))
            {
                Operand = "address",
                Example = "192.168.100.1",
                IsSample = true,
                Help = "The own address. May be left out: then every own address will do.",
            },
            new("IPv6_address", Block.Udp | Block.Tcp,
                static p => p.ReadLinkAddress(AddressFamily.Ipv6))
            {
                Operand = "address",
                Example = "fd00:100::1",
                Help = "The own address. May be left out.",
            },
            new("IPv4_Destination_Address", Block.Udp | Block.Tcp,
                static p => p.ReadDestination(AddressFamily.Ipv4))
            {
                Operand = "address",
                Example = "192.168.100.2",
                IsSample = true,
                Help = "The address of the other node. This one or the next is needed.",
            },
            new("IPv6_Destination_Address", Block.Udp | Block.Tcp,
                static p => p.ReadDestination(AddressFamily.Ipv6))
            {
                Operand = "address",
                Example = "fd00:100::2",
                Help = "The address of the other node.",
            },
            new("Port", Block.Udp | Block.Tcp, static p => p.ReadPort())
            {
                Operand = "number",
                Example = "3780",
                IsSample = true,
                Help = "The port on both sides. Needed.",
            },
            new("IPv4_address", Block.Multicast,
                static p => p.ReadLinkAddress(AddressFamily.Ipv4))
            {
                Operand = "address",
                Example = "225.0.0.50",
                IsSample = true,
                Help = "The group, the same on all nodes. This one or the next is needed.",
            },
            new("IPv6_address", Block.Multicast,
                static p => p.ReadLinkAddress(AddressFamily.Ipv6))
            {
                Operand = "address",
                Example = "ff05::50",
                Help = "The group, the same on all nodes.",
            },
            new("Group", Block.Multicast, static p => p.ReadPort())
            {
                Operand = "number",
                Example = "3780",
                IsSample = true,
                Help = "The UDP port on all nodes. Needed.",
            },
            new("IPv4_interface", Block.Multicast, static p => p.ReadLinkInterfaceAddress())
            {
                Operand = "address",
                Example = "192.168.100.1",
                IsSample = true,
                Help = "The own address on the interface; without it the system chooses.",
            },
            new("IPv6_interface", Block.Multicast, static p => p.ReadIgnoredInterfaceAddress())
            {
                Operand = "address",
                IsDeprecated = true,
                Help = "Has no effect and is accepted with a warning.",
            },
            new("Interface", Block.Links, static p => p.ReadInterface())
            {
                Operand = "name",
                Example = "eth2",
                IsSample = true,
                Help = "The interface of the link. Needed.",
            },
            new("SndSocketBuffer", Block.Links, static p => p.BufferBytes(out int n)
                && p.Set(p._link with { SendBufferBytes = n }))
            {
                Operand = "bytes",
                Example = "1249280",
                Help = "The send buffer of the socket. Without it the system's default.",
            },
            new("RcvSocketBuffer", Block.Links, static p => p.BufferBytes(out int n)
                && p.Set(p._link with { ReceiveBufferBytes = n }))
            {
                Operand = "bytes",
                Example = "1249280",
                Help = "The receive buffer of the socket. Without it the system's default.",
            },
            new("Checksum", Block.Links, static p => p.Bool(out bool on)
                && p.Set(p._link with { Checksum = on }))
            {
                Operand = "bool",
                Default = "on",
                Help = "Whether sent datagrams have a UDP checksum.",
            },
            new("KeyFile", Block.Links, static p =>
                p.Path(out string path, "the path of a key file")
                && p.Set(p._link with { KeyFile = path }))
            {
                Operand = "path",
                Example = "/etc/conntrackd/link.key",
                Help = "Seal everything on the link with a key of this file: who does not have it "
                    + "can neither read, change, forge nor repeat a message. All links, and all "
                    + "nodes, must have the same file; what is not sealed is refused and counted, "
                    + "that of the original daemon too. The command conntrackd --generate-key "
                    + "makes the file and adds keys to it. Its lines are a number from 1 to 255, "
                    + "64 hexadecimal digits, the word 'aes' if the key is for AES-256-GCM (all "
                    + "nodes need a CPU with AES; otherwise it is for ChaCha20-Poly1305) and, for "
                    + "the one key that is sent with, the word 'active'. The file is refused if "
                    + "others than its owner, which is root or the user of the daemon, can use "
                    + "it. A reload reads it again. Without it "
                    + "messages are as the original's.",
            },
            new("FrameChecksum", Block.Links, static p => p.Bool(out bool on)
                && p.Set(p._link with { FrameChecksum = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "End every datagram, or piece of a stream, with a digest of 64 bits: what "
                    + "was damaged on its way is counted and not read. All nodes must have the "
                    + "same. It keeps no one from changing a message; a 'KeyFile' does, and finds "
                    + "damage too.",
            },
            new("ErrorQueueLength", Block.Tcp, static p => p.ReadErrorQueueLength())
            {
                Operand = "number",
                Default = $"{SyncOptions.ErrorQueueLengthDefault}",
                Help = "Accepted and not needed: while the peer is away flows wait, not messages. "
                    + "After 10 s they are dropped, and all flows are sent when the peer is back.",
            },
        ];
    }
}
