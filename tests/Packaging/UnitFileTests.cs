using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>The units of systemd: sound, and the daemon lives with what they forbid.</summary>
public sealed class UnitFileTests
{
    private const string Service = "conntrackd.service", Template = "conntrackd@.service";
    private static readonly string s_folder =
        Path.Combine(Repository.Root, "packaging", "systemd");

    // prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN): no memory is writable and executable, the
    // kernel's own form of MemoryDenyWriteExecute. It outlives the exec.
    private const string DenyWriteExecute =
        "import ctypes, os, sys\n"
        + "if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0:\n"
        + "    sys.exit('no MDWE: errno %d' % ctypes.get_errno())\n"
        + "os.execvp(sys.argv[1], sys.argv[1:])\n";

    private static readonly string[] s_realTime = ["prlimit", "--rtprio=99"];

    // ProcSubset=pid, ProtectProc=invisible.
    private const string HideProcesses =
        "mount -t proc -o subset=pid,hidepid=invisible proc /proc && exec \"$@\"";

    [ProgramFact("systemd-analyze")]
    public void The_units_are_sound()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ctd-units.");
        try
        {
            // The program must exist where the unit says; the machine's own may be another.
            string service = folder.FullName + "/" + Service;
            string instance = folder.FullName + "/conntrackd@fw1.service";
            CopyWithProgram(Service, service);
            CopyWithProgram(Template, folder.FullName + "/" + Template);
            CommandResult result = Shell.Run(
                "systemd-analyze", "verify", "--man=no", service, instance);
            // What systemd before 253 says of a type that it does not know; it ignores the line.
            string[] remarks = [.. result.Error.Split('\n')
                .Where(line => line.Length > 0 && !line.EndsWith(
                    "Failed to parse service type, ignoring: notify-reload",
                    StringComparison.Ordinal))];
            Assert.True(result.ExitCode == 0 && remarks.Length == 0, result.ToString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [ProgramFact("systemd-analyze")]
    public void The_units_are_closed_as_far_as_the_daemon_allows()
    {
        const double ExposureMax = 2.0;
        CommandResult result = Shell.Run(
            "systemd-analyze", "security", "--offline=true", "--no-pager",
            Path.Combine(s_folder, Service)).Checked();
        Match match = Regex.Match(result.Output, @"exposure level for \S+: (\d+\.\d)");
        Assert.True(match.Success, result.Output);
        Assert.InRange(
            double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), 0, ExposureMax);
    }

    [Fact]
    public void The_template_differs_only_by_its_namespace()
    {
        string[] service = Lines(Service), template = Lines(Template);
        Assert.Equal(
            ["Description=Connection tracking daemon in network namespace %i",
                "ExecStart=/usr/sbin/conntrackd -C /etc/conntrackd/%i.conf",
                "NetworkNamespacePath=/run/netns/%i"],
            template.Except(service));
        Assert.Equal(2, service.Except(template).Count());
    }

    /// <summary>The last type that a systemd understands counts.</summary>
    [Fact]
    public void The_unit_waits_for_readiness_and_where_possible_for_reloads() => Assert.Equal(
        ["Type=notify", "Type=notify-reload"],
        Lines(Service).Where(line => line.StartsWith("Type=", StringComparison.Ordinal)));

    [Fact]
    public void The_unit_starts_before_the_addresses_can_move() =>
        Assert.Contains("Before=keepalived.service", Lines(Service));

    [BinaryFact("setpriv")]
    public void The_daemon_lives_with_what_the_unit_forbids()
    {
        // Who may not raise the limit gives the capability that does the same.
        bool canLimit = Shell.Run("prlimit", [.. s_realTime[1..], "true"]).ExitCode == 0;
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig());
        string path = lab.PathOf("notify");
        using var notify = new Socket(
            AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notify.ReceiveTimeout = 10_000;
        notify.Bind(new UnixDomainSocketEndPoint(path));
        Process process = lab.Start(1, lab.PathOf("out"), "env",
            [$"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=200000",
                "unshare", "-m", "sh", "-c", HideProcesses, "sh",
                .. canLimit ? s_realTime : [], "python3", "-c", DenyWriteExecute,
                "setpriv", "--no-new-privs", "--bounding-set", "-all," + Capabilities()
                    + (canLimit ? "" : ",+sys_nice"),
                Requirements.Binary, "-C", daemon.ConfigPath]);
        Expect(notify, "READY=1", lab.PathOf("out"));
        Expect(notify, "WATCHDOG=1", lab.PathOf("out"));
        Assert.Contains("cache internal", daemon.Tell("-s"));
        Assert.DoesNotContain("ERROR", File.ReadAllText(lab.PathOf("out")));
        Assert.DoesNotContain("warning", File.ReadAllText(lab.PathOf("out")));
        daemon.Tell("-k");
        Expect(notify, "STOPPING=1", lab.PathOf("out"));
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, process.ExitCode);
    }

    // The bounding set of the unit, in the words of setpriv.
    private static string Capabilities()
    {
        const string Name = "CapabilityBoundingSet=";
        string line = Lines(Service).Single(l => l.StartsWith(Name, StringComparison.Ordinal));
        IEnumerable<string> names = line[Name.Length..].Split(' ')
            .Select(name => "+" + name["CAP_".Length..].ToLowerInvariant());
        return string.Join(',', names);
    }

    private static void Expect(Socket notify, string message, string logPath)
    {
        var seen = new List<string>();
        byte[] buffer = new byte[512];
        // The watchdog is fed all the time: other messages are passed over.
        while (seen.Count < 200)
        {
            try
            {
                int count = notify.Receive(buffer);
                seen.AddRange(Encoding.ASCII.GetString(buffer, 0, count).Split('\n'));
            }
            catch (SocketException)
            {
                break;
            }
            if (seen.Contains(message)) { return; }
        }
        Assert.Fail($"no {message}, only {string.Join(' ', seen)}: {File.ReadAllText(logPath)}");
    }

    private static void CopyWithProgram(string unit, string target) => File.WriteAllText(target,
        File.ReadAllText(Path.Combine(s_folder, unit))
            .Replace("/usr/sbin/conntrackd", "/bin/true", StringComparison.Ordinal));

    private static string[] Lines(string unit) =>
        [.. File.ReadAllLines(Path.Combine(s_folder, unit))
            .Where(line => line.Length > 0 && line[0] != '#')];
}
