using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>What the daemon gives up, seen from outside.</summary>
public sealed class SandboxTests
{
    [LabFact]
    public void Every_thread_has_only_what_is_needed_and_says_so()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Started(lab, new DaemonConfig());
        foreach (string status in ThreadsOf(daemon))
        {
            Assert.Equal("0000000000801000", Field(status, "CapPrm"));
            Assert.Equal("0000000000801000", Field(status, "CapEff"));
            Assert.Equal("0000000000801000", Field(status, "CapBnd"));
            Assert.Equal("1", Field(status, "NoNewPrivs"));
            Assert.Equal("2", Field(status, "Seccomp"));
        }
        Assert.Matches(
            "(?s)^sandbox:\n\tcapabilities:\t\tnet_admin sys_nice\n\tno new privileges:\ton\n"
            + "\tfiles:\t\t\ton \\(Landlock \\d+\\)\n\tsystem calls:\t\ton \\(seccomp, kill\\)\n"
            + "control socket:\n\tgroup:\t\t\tnone\n\trequests refused:\t0\n$",
            daemon.Tell("-s", "process"));
        Assert.Contains("\"no_new_privileges\":true", daemon.Tell("-s", "process", "-o", "json"));
    }

    [LabFact]
    public void Each_part_can_be_switched_off()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Started(lab, new DaemonConfig
        {
            General = "Scheduler { Type rr }\nSandbox {\nCapabilities off\nNoNewPrivileges off\n"
                + "Files off\nSystemCalls off\n}",
        });
        foreach (string status in ThreadsOf(daemon))
        {
            Assert.Equal(Field(File.ReadAllText("/proc/self/status"), "CapEff"),
                Field(status, "CapEff"));
            Assert.Equal("0", Field(status, "NoNewPrivs"));
            Assert.Equal("0", Field(status, "Seccomp"));
        }
        Assert.Matches("(?s)no new privileges:\toff\n\tfiles:\t\t\toff\n\tsystem calls:\t\toff\n",
            daemon.Tell("-s", "process"));
    }

    [LabFact]
    public void Files_that_the_configuration_does_not_name_are_out_of_reach()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Started(lab, new DaemonConfig());
        string elsewhere = Directory.CreateTempSubdirectory("ctd-elsewhere.").FullName;
        try
        {
            // The file is now a link to one that the daemon was not told of: root may read it.
            string copy = Path.Combine(elsewhere, "copy.conf");
            File.Move(daemon.ConfigPath, copy);
            File.CreateSymbolicLink(daemon.ConfigPath, copy);
            CommandResult result = daemon.Ask("--reload");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("Permission denied", result.Error);
            File.Delete(daemon.ConfigPath);
            File.Move(copy, daemon.ConfigPath);
            daemon.Rewrite($"LogFile {daemon.BasePath}.log", $"LogFile {elsewhere}/log");
            Assert.Contains("LogFile (another directory", daemon.Tell("--reload"));
            Assert.Empty(Directory.GetFiles(elsewhere));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [LabFact]
    public void A_group_reads_and_root_changes()
    {
        using var lab = new Lab();
        DaemonProcess daemon = Started(lab, new DaemonConfig
        {
            General = "UNIX { Group adm }",
        });
        Shell.Run("chmod", "755", lab.Folder).Checked();
        Shell.Run("chmod", "644", daemon.ConfigPath).Checked();
        Assert.Equal("srw-rw---- root adm",
            Shell.Run("stat", "-c", "%A %U %G", daemon.SocketPath).Checked().Output.Trim());
        Assert.Contains("cache internal", AskAs(lab, daemon, "adm", "-s").Checked().Output);
        CommandResult refused = AskAs(lab, daemon, "adm", "-f");
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("not permitted", refused.Error);
        CommandResult stranger = AskAs(lab, daemon, "nogroup", "-s");
        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("can't connect", stranger.Error);
        Assert.Equal("", daemon.Tell("-f"));
        Assert.Contains("requests refused:\t1\n", daemon.Tell("-s", "process"));
    }

    [LabFact]
    public void A_log_of_another_user_keeps_the_capability_for_it()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig());
        File.WriteAllText(daemon.BasePath + ".log", "");
        Shell.Run("chown", "65534", daemon.BasePath + ".log").Checked();
        Shell.Run("chmod", "600", daemon.BasePath + ".log").Checked();
        daemon.Start();
        Assert.Contains("CAP_DAC_OVERRIDE is kept", daemon.Log);
        Assert.Contains("capabilities:\t\tdac_override net_admin", daemon.Tell("-s", "process"));
    }

    [LabFact]
    public void In_the_background_it_is_the_same()
    {
        using var lab = new Lab();
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig());
        lab.Run(1, Requirements.Binary, "-d", "-C", daemon.ConfigPath).Checked();
        Assert.Contains("no new privileges:\ton", daemon.Tell("-s", "process"));
        daemon.Tell("-k");
        Wait.Until("the lock is gone", 5, () => !File.Exists(daemon.LockPath));
    }

    private static DaemonProcess Started(Lab lab, DaemonConfig config) =>
        new DaemonProcess(lab, 1, Requirements.Binary, config).Start();

    private static CommandResult AskAs(Lab lab, DaemonProcess daemon, string group, string word) =>
        lab.Run(1, "setpriv", "--reuid", "65534", "--regid", group, "--clear-groups",
            Requirements.Binary, "-C", daemon.ConfigPath, word);

    private static string[] ThreadsOf(DaemonProcess daemon) =>
        [.. Directory.GetDirectories($"/proc/{daemon.ProcessId}/task")
            .Select(folder => File.ReadAllText(folder + "/status"))];

    private static string Field(string status, string name) =>
        Regex.Match(status, $@"(?m)^{name}:\s+(\w+)").Groups[1].Value;
}
