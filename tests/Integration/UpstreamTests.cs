using System.IO;
using System.Linq;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// What the tests that conntrack-tools and Debian's package bring for conntrackd look at, said
/// anew; and those tests themselves, with this program in the place of theirs, where a source tree
/// is at hand.
/// </summary>
/// <remarks>
/// CONNTRACK_TOOLS names the source tree. Its tests want fixed names and paths: they run in mount,
/// network and process namespaces of their own.
/// </remarks>
public sealed class UpstreamTests
{
    private const string Stats = """
        General { HashSize 8192 LockFile {0}.lock UNIX { Path {0}.ctl } }
        Stats { LogFile {0}.flows }
        """;

    private const string BestEffort = """
        Sync {
            Mode NOTRACK { DisableExternalCache on DisableInternalCache on }
            TCP {
                IPv4_address 10.33.0.{1}
                IPv4_Destination_Address 10.33.0.{2}
                Interface sync
                Port 3780
            }
        }
        General { LogFile {0}.log LockFile {0}.lock UNIX { Path {0}.ctl } }
        """;

    // A NOTRACK node that gives no sizes of its tables, the group on the loopback interface.
    private const string Defaults = """
        Sync {
            Mode NOTRACK { }
            Multicast {
                IPv4_address 225.0.0.50
                Group 3780
                IPv4_interface 127.0.0.1
                Interface lo
                SndSocketBuffer 1249280
                RcvSocketBuffer 1249280
                Checksum on
            }
        }
        General {
            LogFile {0}.log Syslog on LockFile {0}.lock UNIX { Path {0}.ctl }
            NetlinkBufferSize 2097152 NetlinkBufferSizeMaxGrowth 8388608
        }
        """;

    // Debian's: a link from the loopback interface to itself, deprecated directives, real time.
    private const string Package = """
        Sync {
            Mode NOTRACK { DisableInternalCache on DisableExternalCache on }
            TCP {
                IPv4_address 127.0.0.1
                IPv4_Destination_Address 127.0.0.1
                Port 3780
                Interface lo
                Checksum on
                SndSocketBuffer 12492800
                RcvSocketBuffer 12492800
            }
            Options { ExpectationSync On }
        }
        General {
            Nice -20
            Scheduler { Type FIFO Priority 99 }
            Syslog on
            LockFile {0}.lock
            UNIX { Path {0}.ctl Backlog 20 }
            NetlinkBufferSize 8000000
            NetlinkBufferSizeMaxGrowth 80000000
            Filter { Address Ignore { IPv4_address 127.0.0.1 IPv6_address ::1 } }
            EventIterationLimit 10
        }
        """;

    [LabFact]
    public void A_statistics_daemon_answers_every_topic()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Background(lab, 1, Stats);
        Assert.Contains("cache stats", daemon.Tell("-s"), StringComparison.Ordinal);
        Assert.Contains("uptime", daemon.Tell("-s", "runtime"), StringComparison.Ordinal);
        Assert.Contains("traffic", daemon.Tell("-s", "ct"), StringComparison.Ordinal);
        foreach (string topic in new[] { "network", "queue", "expect" })
        {
            Assert.Equal("", daemon.Tell("-s", topic));
        }
        daemon.Tell("-s", "process");
        End(daemon);
    }

    [LabFact]
    public void A_flow_reaches_the_kernel_of_the_other_node_over_tcp_without_caches()
    {
        using var lab = new Lab();
        DaemonProcess[] daemons = [Background(lab, 1, BestEffort), Background(lab, 2, BestEffort)];
        foreach (string end in new[] { "server=connected", "client=connected" })
        {
            Wait.Until(end, 5, () => daemons.All(daemon => daemon.Tell("-s").Contains(end)));
        }
        lab.Run(1, "conntrack", "-I", "-p", "icmp", "-s", "192.168.10.2", "-d", "10.0.1.2", "-t",
            "30", "--icmp-type", "8", "--icmp-code", "0", "--icmp-id", "77").Checked();
        Wait.Until("the other kernel has it", 5, () => lab.Run(2, "conntrack", "-L", "-p", "icmp")
            .Output.Contains("src=192.168.10.2"));
        foreach (DaemonProcess daemon in daemons) { End(daemon); }
    }

    [LabTheory]
    [InlineData(Defaults)]
    [InlineData(Package)]
    public void It_starts_answers_and_leaves_nothing_behind(string text)
    {
        using var lab = new Lab();
        DaemonProcess daemon = Background(lab, 1, text);
        Assert.NotEmpty(daemon.Tell("-s"));
        End(daemon);
        Assert.Equal("", Shell.Run("ip", "netns", "pids", lab.Namespace(1)).Output);
    }

    [SourceFact]
    public void The_tests_of_conntrack_tools_pass_with_this_program_in_place()
    {
        // socat is not everywhere: what they want of it is one connection that is not answered.
        const string Script = """
            set -e
            mount --make-rprivate /
            mount -t tmpfs none /run; mkdir -p /run/lock /run/netns /run/bin
            mount -t tmpfs none /var/log
            if [ ! -L /var/lock ]; then mount -t tmpfs none /var/lock; fi
            mount -t tmpfs none /mnt; cp -r "$1/tests/conntrackd" /mnt/tests; cp "$0" /run/bin/
            mount -t tmpfs none /tmp
            printf '%s\n' '#!/usr/bin/env python3' 'import socket' 's = socket.socket()' \
                's.settimeout(9)' 's.connect_ex(("10.0.1.31", 12345))' >/run/bin/socat
            chmod +x /run/bin/socat; export PATH=/run/bin:$PATH:/usr/sbin; ip link set lo up
            cd /mnt/tests
            CONNTRACKD=/run/bin/conntrackd CONNTRACK=conntrack python3 conntrackd-tests.py
            cd netns
            ./conntrackd-netns-test.sh test
            """;
        CommandResult result = Shell.Run("unshare", "-m", "-n", "-p", "-f", "--mount-proc",
            "--kill-child", "bash", "-c", Script, Requirements.Binary, SourceFactAttribute.Tree!);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("failed tests: 0", result.Output, StringComparison.Ordinal);
        Assert.Contains("scenario failure: 0", result.Output, StringComparison.Ordinal);
        Assert.Contains("PASS: Found connection", result.Output, StringComparison.Ordinal);
    }

    private static DaemonProcess Background(Lab lab, int firewall, string text)
    {
        var daemon = new DaemonProcess(lab, firewall, Requirements.Binary, new DaemonConfig
        {
            Text = path => text.Replace("{0}", path, StringComparison.Ordinal)
                .Replace("{1}", $"{firewall}", StringComparison.Ordinal)
                .Replace("{2}", $"{3 - firewall}", StringComparison.Ordinal),
        });
        Assert.Equal("", daemon.Ask("-d").Checked().Output);
        return daemon;
    }

    private static void End(DaemonProcess daemon)
    {
        daemon.Tell("-k");
        Wait.Until("its lock is gone", 5, () => !File.Exists(daemon.LockPath));
        Wait.Until("nobody answers", 5, () => daemon.Ask("-s").ExitCode == 1);
    }

    private sealed class SourceFactAttribute : FactAttribute
    {
        internal static string? Tree => Environment.GetEnvironmentVariable("CONNTRACK_TOOLS");

        public SourceFactAttribute() => Skip = Requirements.MissingForLab()
            ?? (!Shell.Has("ping") ? "integration: no program ping"
            : Tree is null ? "integration: CONNTRACK_TOOLS names no source tree" : null);
    }
}
