using System.Linq;

namespace Conntrackd.Tests.Integration;

/// <summary>The links of a daemon of the lab as text of its configuration.</summary>
/// <remarks>
/// Names: udp, udp6, tcp, tcp6, multicast, multicast6, and udp-local and tcp-local, which have
/// link-local addresses; with "-twice" behind it for a link on each cable. Joined by "+": links of
/// different kinds, the first on the first cable, the rest on the second.
/// </remarks>
internal static class LinkConfig
{
    private const string Twice = "-twice";

    /// <summary>Of three firewalls: UDP to each of the others, a port for each two.</summary>
    internal const string ToEach = "udp-to-each";

    internal static string Render(string link, int firewall, string more)
    {
        if (link == ToEach) { return RenderToEach(firewall, more); }
        string[] kinds = link.Split('+');
        if (kinds.Length > 1)
        {
            return string.Join("\n    ", kinds.Select((kind, i) => One(
                kind, firewall, i == 0 ? 33 : 34, i == 0 ? " Default" : "", more, 3780 + i)));
        }
        if (!link.EndsWith(Twice, StringComparison.Ordinal))
        {
            return One(link, firewall, 33, "", more);
        }
        string kind = link[..^Twice.Length];
        return $"{One(kind, firewall, 33, " Default", more)}\n"
            + $"    {One(kind, firewall, 34, "", more)}";
    }

    private static string RenderToEach(int firewall, string more) => string.Join(
        "\n    ", Enumerable.Range(1, 3).Where(peer => peer != firewall).Select((peer, i) => $$"""
            UDP{{(i == 0 ? " Default" : "")}} {
                    IPv4_address {{Lab.SyncAddress(firewall)}}
                    IPv4_Destination_Address {{Lab.SyncAddress(peer)}}
                    Port {{3780 + firewall + peer}}
                    Interface sync
                    SndSocketBuffer 4194304
                    RcvSocketBuffer 4194304
                    Checksum on
                    {{more}}
                }
            """));

    private static string One(
        string kind, int firewall, int network, string mark, string more, int port = 3780)
    {
        int peer = 3 - firewall;
        string addresses = kind switch
        {
            "udp" or "tcp" => $"""
                        IPv4_address 10.{network}.0.{firewall}
                        IPv4_Destination_Address 10.{network}.0.{peer}
                        Port {port}
                """,
            "udp6" or "tcp6" => $"""
                        IPv6_address fd{network}::{firewall}
                        IPv6_Destination_Address fd{network}::{peer}
                        Port {port}
                """,
            "udp-local" or "tcp-local" => $"""
                        IPv6_address fe80::{firewall}
                        IPv6_Destination_Address fe80::{peer}
                        Port {port}
                """,
            "multicast" => $"""
                        IPv4_address 225.0.{network}.50
                        IPv4_interface 10.{network}.0.{firewall}
                        Group {port}
                """,
            // The original wants the group before the interface (wire.md 12.2).
            "multicast6" => $"""
                        IPv6_address ff05::{network}
                        Group {port}
                """,
            _ => throw new InvalidOperationException($"unknown link {kind}"),
        };
        string block = kind[..3] switch { "udp" => "UDP", "tcp" => "TCP", _ => "Multicast" };
        string device = network == 33 ? "sync" : "sync2";
        return $"{block}{mark} {{\n{addresses}\n"
            + $"        Interface {device}\n"
            + "        SndSocketBuffer 4194304\n"
            + "        RcvSocketBuffer 4194304\n"
            + $"        Checksum on\n        {more}\n    }}";
    }
}
