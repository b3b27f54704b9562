using System.Globalization;
using System.IO;
using System.Linq;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// What the L3 agent of OpenStack's Neutron does with conntrackd, one daemon a router: the file it
/// writes, how it starts, finds, watches and stops the process, the script for keepalived.
/// </summary>
/// <remarks>
/// Source: openstack/neutron, neutron/agent/linux/conntrackd.py of 2026: the program is called by
/// its bare name, the process is found by the words of its command line, and is looked for once.
/// </remarks>
public sealed class OpenStackTests
{
    private static DaemonConfig Generated(int firewall) => new()
    {
        Text = path => $$"""

            General {
                HashSize 32768
                HashLimit 131072
                Syslog on
                LockFile {{path}}.lock
                UNIX {
                    Path {{path}}.ctl
                    Backlog 20
                }
                SocketBufferSize 262142
                SocketBufferSizeMaxGrown 655355
                Filter From Kernelspace {
                    Protocol Accept {
                        TCP
                        SCTP
                        DCCP
                        UDP
                        ICMP
                        IPv6-ICMP
                    }
                    Address Ignore {
                        IPv4_address 127.0.0.1
                        IPv6_address ::1
                        IPv4_address {{Lab.SyncAddress(firewall)}}
                    }
                }
            }
            Sync {
                Mode FTFW {
                }
                Multicast Default {
                    IPv4_address 225.0.0.50
                    IPv4_interface {{Lab.SyncAddress(firewall)}}
                    Group 3783
                    Interface sync
                    SndSocketBuffer 24985600
                    RcvSocketBuffer 24985600
                    Checksum on
                }
            }

            """,
    };

    [LabTheory]
    [InlineData("TERM", true)]
    [InlineData("KILL", false)]
    public void The_agent_finds_its_process_and_starts_another_when_it_is_gone(
        string signal, bool isOrderly)
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewRouter(lab, 1);
        string first = Spawn(lab, daemon);
        lab.Run(1, "kill", "-" + signal, first).Checked();
        Wait.Until("the process is gone", 5, () => Found(daemon).Length == 0);
        Assert.Equal(!isOrderly, File.Exists(daemon.LockPath));
        Assert.NotEqual(first, Spawn(lab, daemon));
        daemon.Tell("-k");
        Wait.Until("the process is gone", 5, () => Found(daemon).Length == 0);
    }

    [LabFact]
    public void A_router_changes_its_role_and_the_other_one_has_its_flows()
    {
        using var lab = new Lab();
        DaemonProcess main = NewRouter(lab, 1), backup = NewRouter(lab, 2);
        Spawn(lab, main);
        Spawn(lab, backup);
        ChangeRole(lab, main, "-c", "-f", "-R", "-B");
        ChangeRole(lab, backup, "-s", "-t", "-n");
        lab.Run(1, "conntrack", FlowKinds.All[2].CreateArguments).Checked();
        Wait.Until("the peer has it", 5, () => backup.Tell("-e").Contains("10.50.0.3"));
        ChangeRole(lab, main, "-t");
        ChangeRole(lab, backup, "-c", "-f", "-R", "-B");
        Assert.Contains("10.50.0.3", lab.KernelListing(2), StringComparison.Ordinal);
        Assert.Contains("10.50.0.3", backup.Tell("-i"), StringComparison.Ordinal);
        main.Tell("-k");
        backup.Tell("-k");
    }

    private static DaemonProcess NewRouter(Lab lab, int firewall) =>
        new(lab, firewall, Requirements.Binary, Generated(firewall));

    /// <summary>
    /// As the agent: what an earlier process left is removed, the process is looked for as soon as
    /// the command returns, and a request follows. Returns the process id.
    /// </summary>
    private static string Spawn(Lab lab, DaemonProcess daemon)
    {
        File.Delete(daemon.LockPath);
        File.Delete(daemon.SocketPath);
        string search = Path.GetDirectoryName(Requirements.Binary) + ":/usr/sbin:/usr/bin:/bin";
        CommandResult start = lab.Run(daemon.Firewall, "env", $"PATH={search}",
            Path.GetFileName(Requirements.Binary), "-d", "-C", daemon.ConfigPath);
        Assert.Equal((0, ""), (start.ExitCode, start.Output));
        string found = Assert.Single(Found(daemon));
        string words = File.ReadAllText($"/proc/{found}/cmdline");
        Assert.Equal(Words(daemon).Replace(' ', '\0') + "\0", words);
        CommandResult request = daemon.Ask("-n");
        Assert.Equal((0, "", ""), (request.ExitCode, request.Output, request.Error));
        return found;
    }

    /// <summary>The processes with the words of the start.</summary>
    private static string[] Found(DaemonProcess daemon) =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(path => Path.GetFileName(path))
            .Where(name => int.TryParse(name, NumberStyles.None, null, out _))
            .Where(name => CommandOf(name).Contains(Words(daemon), StringComparison.Ordinal))];

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return "";
        }
    }

    private static string Words(DaemonProcess daemon) =>
        $"{Path.GetFileName(Requirements.Binary)} -d -C {daemon.ConfigPath}";

    /// <summary>The requests of the script for keepalived, whose test is for status 1.</summary>
    private static void ChangeRole(Lab lab, DaemonProcess daemon, params string[] requests)
    {
        foreach (string request in requests)
        {
            lab.Run(daemon.Firewall, "sh", "-c",
                "\"$0\" -C \"$1\" \"$2\" >/dev/null; [ $? -ne 1 ]",
                Requirements.Binary, daemon.ConfigPath, request).Checked();
        }
    }
}
