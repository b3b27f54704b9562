using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Conntrack;
using Conntrackd.Kernel;
using Conntrackd.Linux;
using Conntrackd.Tests.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// The network in which the samples of the original were taken, as far as connection tracking of
/// the firewall saw it: hosts whose packets passed, and flows that were written into the table.
/// </summary>
/// <remarks><code>
///   10.1.1.2  fd00:1::2  ---  fw1  ---  10.2.2.2  fd00:2::2
///                          to port 2222: mark 7, seen as 10.2.2.1
///                          to 10.1.1.1:8080: to port 80 of the server
///                          to port 21: helper ftp
/// </code>
/// All other flows of the samples were written.
/// </remarks>
internal sealed class SampleNetwork
{
    private const uint TimeoutSeconds = 600;

    private const string Rules = """
        flush ruleset
        table inet sample {
            ct helper ftp { type "ftp" protocol tcp; }
            chain untracked_in {
                type filter hook prerouting priority raw;
                iifname { "sync", "sync2", "lo" } notrack
            }
            chain untracked_out {
                type filter hook output priority raw;
                oifname { "sync", "sync2", "lo" } notrack
                ip protocol igmp notrack
            }
            chain marks {
                type filter hook output priority mangle;
                tcp dport 2222 ct mark set 7
                tcp dport 21 ct helper set "ftp"
            }
            chain dstnat {
                type nat hook output priority -100;
                ip daddr 10.1.1.1 tcp dport 8080 dnat ip to 10.2.2.2:80
            }
            chain srcnat {
                type nat hook postrouting priority srcnat;
                tcp dport 2222 snat ip to 10.2.2.1
            }
        }

        """;

    private readonly string _namespace;
    private readonly Dictionary<(byte, FlowTuple), SampleTalk> _talks = [];

    /// <summary>Knows from these lines, of flows that have ended, how much was said.</summary>
    internal SampleNetwork(Lab lab, IEnumerable<string> ends)
    {
        _namespace = lab.Namespace(1);
        string rules = lab.PathOf("sample.nft");
        File.WriteAllText(rules, Rules);
        lab.Run(1, "nft", "-f", rules).Checked();
        // Packets to it have passed connection tracking, and are dropped.
        lab.Run(1, "ip", "link", "add", "hosts", "type", "bridge").Checked();
        lab.Run(1, "ip", "link", "set", "hosts", "arp", "off", "up").Checked();
        lab.Run(1, "ip", "route", "add", "10.0.0.0/8", "dev", "hosts").Checked();
        lab.Run(1, "ip", "route", "add", "fd00::/16", "dev", "hosts").Checked();
        foreach (string line in ends.Where(IsReal))
        {
            _talks.Add(Identity(line), new SampleTalk(SampleFlow.ParseText(line)));
        }
    }

    /// <summary>Makes the flows of the lines of a listing as they were then.</summary>
    internal void Make(IEnumerable<string> lines) => NamespaceThread.Run(_namespace, () =>
    {
        using var packets = new RawPackets();
        var results = new Results();
        Assert.Equal(Errno.None, TableWriter.TryOpen(
            results, new KernelCounters(), out TableWriter? writer));
        foreach (string line in lines)
        {
            if (IsReal(line))
            {
                SampleTalk talk = _talks[Identity(line)];
                talk.Begin(packets);
                if (line.Contains(" TIME_WAIT ", StringComparison.Ordinal)) { talk.End(packets); }
                continue;
            }
            results.Line = line;
            Write(writer!, SampleFlow.ParseText(line));
        }
        writer!.Dispose();
    });

    /// <summary>The hosts of these lines say what they still have to say.</summary>
    internal void End(IEnumerable<string> lines) => NamespaceThread.Run(_namespace, () =>
    {
        using var packets = new RawPackets();
        foreach (string line in lines.Where(IsReal))
        {
            if (!line.Contains(" TIME_WAIT ", StringComparison.Ordinal))
            {
                _talks[Identity(line)].End(packets);
            }
        }
    });

    /// <summary>The original tuple, which is the same in every listing.</summary>
    internal static (byte Protocol, FlowTuple Orig) Identity(string line)
    {
        Flow flow = SampleFlow.ParseText(line);
        return (flow.Protocol, flow.Orig);
    }

    private static bool IsReal(string line) => Regex.IsMatch(
        line, "^[^=]*src=(10[.]1[.]1[.]2|fd00:1::2) ");

    private static void Write(TableWriter writer, Flow flow)
    {
        flow.Present |= FlowAttributes.L4Keys | FlowAttributes.SctpVtags;
        (flow.SctpVtagOrig, flow.SctpVtagReply) = (1, 2);
        flow.Status |= FlowStatus.SrcNatDone | FlowStatus.DstNatDone;
        if (!L4Protocol.IsIcmp(flow.Protocol)) { flow.DescribeNat(); }
        Assert.True(writer.AddCreate(0, flow, new CreateOptions(TimeoutSeconds, true)));
        writer.Flush();
    }

    private sealed class Results : ITableResultSink
    {
        internal string Line { get; set; } = "";

        public void OnTableResult(int token, Errno error) =>
            Assert.True(error == Errno.None, $"{error}: {Line}");
    }
}
