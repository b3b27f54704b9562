using System.Collections.Generic;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// One flow of a kind: how conntrack(8) creates it, and what a listing of it must contain.
/// </summary>
internal sealed record FlowKind(string Name, string Create, params string[] Listed)
{
    internal string[] CreateArguments =>
        ["-I", .. Create.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-t", "3000"];
}

/// <summary>
/// A flow of every kind that conntrack(8) can create here, each with its own source.
/// </summary>
internal static class FlowKinds
{
    private static readonly string[] s_tcpStates =
    [
        "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
        "CLOSE", "SYN_SENT2",
    ];

    internal static List<FlowKind> All { get; } = Make();

    private static List<FlowKind> Make()
    {
        List<FlowKind> kinds = [];
        foreach (string state in s_tcpStates)
        {
            string source = $"10.50.0.{kinds.Count + 1}";
            kinds.Add(new(
                $"tcp in state {state}",
                $"-p tcp -s {source} -d 10.60.0.1 --sport 1000 --dport 80 --state {state}",
                "tcp", " 6 ", state, $"src={source} dst=10.60.0.1 sport=1000 dport=80"));
        }
        kinds.AddRange(Udp());
        kinds.AddRange(Icmp());
        kinds.AddRange(Translated());
        kinds.AddRange(Others());
        return kinds;
    }

    private static IEnumerable<FlowKind> Udp() =>
    [
        new("udp without answer", "-p udp -s 10.50.1.1 -d 10.60.0.1 --sport 1000 --dport 53",
            "udp", " 17 ", "src=10.50.1.1 dst=10.60.0.1 sport=1000 dport=53", "[UNREPLIED]"),
        new("udp with answer",
            "-p udp -s 10.50.1.2 -d 10.60.0.1 --sport 1000 --dport 53 -u SEEN_REPLY",
            "udp", "src=10.50.1.2 dst=10.60.0.1 sport=1000 dport=53"),
        new("udp stream",
            "-p udp -s 10.50.1.3 -d 10.60.0.1 --sport 1000 --dport 53 -u SEEN_REPLY,ASSURED",
            "udp", "src=10.50.1.3 dst=10.60.0.1 sport=1000 dport=53", "[ASSURED]"),
        new("udp over IPv6", "-p udp -s fd50::1 -d fd60::1 --sport 1000 --dport 53",
            "udp", "src=fd50::1 dst=fd60::1 sport=1000 dport=53", "[UNREPLIED]"),
        new("tcp over IPv6",
            "-p tcp -s fd50::2 -d fd60::1 --sport 1000 --dport 80 --state ESTABLISHED"
            + " -u SEEN_REPLY,ASSURED",
            "tcp", "ESTABLISHED", "src=fd50::2 dst=fd60::1 sport=1000 dport=80", "[ASSURED]"),
        new("udplite", "-p udplite -s 10.50.1.4 -d 10.60.0.1 --sport 1000 --dport 53",
            "udplite", " 136 ", "src=10.50.1.4 dst=10.60.0.1"),
    ];

    private static IEnumerable<FlowKind> Icmp() =>
    [
        new("icmp echo",
            "-p icmp -s 10.50.2.1 -d 10.60.0.1 --icmp-type 8 --icmp-code 0 --icmp-id 99",
            "icmp", " 1 ", "src=10.50.2.1 dst=10.60.0.1 type=8 code=0 id=99"),
        new("icmpv6 echo",
            "-p icmpv6 -s fd50::3 -d fd60::1 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 98",
            "icmpv6", " 58 ", "src=fd50::3 dst=fd60::1 type=128 code=0 id=98"),
    ];

    private static IEnumerable<FlowKind> Translated() =>
    [
        new("tcp behind source translation",
            "-p tcp -s 10.50.3.1 -d 10.60.0.1 --sport 1000 --dport 80 --state ESTABLISHED"
            + " -u SEEN_REPLY,ASSURED --src-nat 10.70.0.1:5555",
            "tcp", "ESTABLISHED", "src=10.50.3.1 dst=10.60.0.1 sport=1000 dport=80"),
        new("tcp to a translated service",
            "-p tcp -s 10.50.3.2 -d 10.60.0.1 --sport 1000 --dport 80 --state ESTABLISHED"
            + " -u SEEN_REPLY,ASSURED --dst-nat 10.70.0.2:8080",
            "tcp", "ESTABLISHED", "src=10.50.3.2 dst=10.60.0.1 sport=1000 dport=80"),
        new("udp translated on both sides, ports kept",
            "-p udp -s 10.50.3.3 -d 10.60.0.1 --sport 1000 --dport 53"
            + " --src-nat 10.70.0.3 --dst-nat 10.70.0.4",
            "udp", "src=10.50.3.3 dst=10.60.0.1 sport=1000 dport=53"),
        new("udp over IPv6 behind source translation",
            "-p udp -s fd50::4 -d fd60::1 --sport 1000 --dport 53 --src-nat fd70::1",
            "udp", "src=fd50::4 dst=fd60::1 sport=1000 dport=53"),
    ];

    private static IEnumerable<FlowKind> Others() =>
    [
        new("tcp with a mark",
            "-p tcp -s 10.50.4.1 -d 10.60.0.1 --sport 1000 --dport 80 --state ESTABLISHED -m 77",
            "tcp", "ESTABLISHED", "src=10.50.4.1 dst=10.60.0.1 sport=1000 dport=80", "mark=77"),
        new("udp in a zone", "-p udp -s 10.50.4.2 -d 10.60.0.1 --sport 1000 --dport 53 -w 7",
            "udp", "src=10.50.4.2 dst=10.60.0.1 sport=1000 dport=53", "zone=7"),
        new("sctp",
            "-p sctp -s 10.50.4.3 -d 10.60.0.1 --sport 1000 --dport 80 --state ESTABLISHED"
            + " --orig-vtag 5 --reply-vtag 6",
            "sctp", "132", "ESTABLISHED", "src=10.50.4.3 dst=10.60.0.1 sport=1000 dport=80"),
        new("gre", "-p gre -s 10.50.4.4 -d 10.60.0.1 --srckey 5 --dstkey 6",
            "gre", " 47 ", "src=10.50.4.4 dst=10.60.0.1"),
        new("a protocol without ports", "-p 50 -s 10.50.4.5 -d 10.60.0.1",
            " 50 ", "src=10.50.4.5 dst=10.60.0.1"),
    ];
}
