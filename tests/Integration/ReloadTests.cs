using System.IO;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// A changed configuration file in a running daemon, and what a service manager hears meanwhile.
/// </summary>
public sealed class ReloadTests
{
    private const string Other = "IPv4_address 127.0.0.1";

    [LabFact]
    public void A_changed_filter_holds_here_and_at_the_peer_and_nothing_else_is_lost()
    {
        using var pair = new Pair(Pairs.OursOurs, "udp");
        DaemonProcess active = pair.Active, backup = pair.Backup;
        pair.Lab.Run(1, "conntrack", FlowKinds.All[0].CreateArguments).Checked();
        pair.Lab.Run(1, "conntrack", FlowKinds.All[1].CreateArguments).Checked();
        Wait.Until("the peer has both", 5, () => Shown(backup, "-e") == (true, true));
        active.Rewrite(Other, Other + "\nIPv4_address 10.50.0.1");
        Assert.Equal("", active.Tell("--reload"));
        Wait.Until("the flow has left the cache", 5, () => Shown(active, "-i") == (false, true));
        Wait.Until("the peer was told", 5, () => Shown(backup, "-e") == (false, true));
        // Until then the end of the flow is known here, and its old record would not count.
        Wait.Until("the end is acknowledged", 5, () =>
            active.Tell("-s", "rsqueue").StartsWith("resent queue (len=0)"));
        active.Rewrite(Other + "\nIPv4_address 10.50.0.1", Other);
        active.Signal("HUP");
        Wait.Until("the flow is back", 5, () => Shown(active, "-i") == (true, true));
        Wait.Until("the peer has it", 5, () => Shown(backup, "-e") == (true, true));
        Assert.Equal(0, backup.Counter("network", "Packets lost"));
        Assert.True(active.IsRunning);
    }

    [LabFact]
    public void What_cannot_change_is_told_and_a_bad_file_changes_nothing()
    {
        using var lab = new Lab();
        DaemonProcess daemon =
            new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig()).Start();
        lab.Run(1, "conntrack", FlowKinds.All[0].CreateArguments).Checked();
        daemon.Rewrite("Port 3780", "Port 3781");
        daemon.Rewrite("HashLimit 524288", "HashLimit 1");
        CommandResult kept = daemon.Ask("--reload");
        Assert.Equal(0, kept.ExitCode);
        Assert.Equal("links: cannot change while running, kept until a restart\n", kept.Output);
        lab.Run(1, "conntrack", FlowKinds.All[1].CreateArguments).Checked();
        Wait.Until("the new limit holds", 5, () =>
            daemon.Counter("cache", "no space left in cache") == 1);
        daemon.Rewrite("HashLimit 1", "HashLimit many");
        CommandResult bad = daemon.Ask("--reload");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("many", bad.Error, StringComparison.Ordinal);
        Assert.Contains("the old settings stay in force", bad.Error, StringComparison.Ordinal);
        // The client finds the error first; by the signal the daemon does.
        daemon.Signal("HUP");
        Wait.Until("it is logged", 5, () => daemon.Log.Contains("the old settings stay in force"));
        daemon.Rewrite("HashLimit many", "HashLimit 524288");
        Assert.Contains("10.50.0.1", daemon.Tell("-i"), StringComparison.Ordinal);
        daemon.Tell("--reload");
        lab.Run(1, "conntrack", "-D", "-s", "10.50.0.2").Checked();
        lab.Run(1, "conntrack", FlowKinds.All[1].CreateArguments).Checked();
        Wait.Until("the old limit holds again", 5, () => daemon.Tell("-i").Contains("10.50.0.2"));
        daemon.Kill();
    }

    [LabFact]
    public void Log_files_change_by_a_reload_and_are_opened_anew_by_a_signal()
    {
        using var lab = new Lab();
        DaemonProcess daemon =
            new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig()).Start();
        string log = daemon.BasePath + ".log", second = daemon.BasePath + ".second";
        File.Move(log, log + ".1");
        daemon.Signal("USR1");
        Wait.Until("the file is back", 5, () => File.Exists(log));
        daemon.Tell("-B");
        Assert.Contains("sending bulk update", File.ReadAllText(log));
        daemon.Rewrite($"LogFile {log}", $"LogFile {second}");
        daemon.Tell("--reload");
        daemon.Tell("-n");
        Assert.Contains("resync requested", File.ReadAllText(second));
        Directory.CreateDirectory(daemon.BasePath + ".folder");
        daemon.Rewrite($"LogFile {second}", $"LogFile {daemon.BasePath}.folder");
        Assert.Equal(1, daemon.Ask("--reload").ExitCode);
        daemon.Tell("-B");
        Assert.Contains("sending bulk update", File.ReadAllText(second));
    }

    [LabFact]
    public void The_service_manager_hears_of_start_reload_watchdog_state_and_stop()
    {
        using var lab = new Lab();
        string path = lab.PathOf("notify");
        using var manager = new ServiceManager(path);
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig())
        {
            Variables = [$"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=1000000"],
        };
        daemon.Launch();
        Assert.Equal("READY=1\nSTATUS=no peer is heard", manager.Next("READY"));
        // Ready means that clients are answered.
        Assert.Equal(0, daemon.Ask("-n").ExitCode);
        Assert.Equal("WATCHDOG=1", manager.Next("WATCHDOG"));
        daemon.Signal("HUP");
        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", manager.Next("RELOADING"));
        Assert.StartsWith("READY=1\nSTATUS=", manager.Next("READY"));
        File.AppendAllText(daemon.ConfigPath, "nonsense\n");
        daemon.Signal("HUP");
        Assert.StartsWith("RELOADING=1", manager.Next("RELOADING"));
        Assert.StartsWith("READY=1", manager.Next("READY"));
        new DaemonProcess(lab, 2, Requirements.Binary, new DaemonConfig()).Start();
        Assert.Equal("STATUS=in sync with 1 peer", manager.Next("STATUS=in sync with 1 "));
        File.WriteAllText(daemon.ConfigPath, File.ReadAllText(daemon.ConfigPath)
            .Replace("nonsense\n", "", StringComparison.Ordinal));
        daemon.Tell("-k");
        Assert.Equal("STOPPING=1", manager.Next("STOPPING"));
    }

    /// <remarks>A manager that hears its own process only would miss the rest otherwise.</remarks>
    [LabFact]
    public void The_service_manager_hears_of_a_daemon_in_the_background_before_it_is_ready()
    {
        using var lab = new Lab();
        string path = lab.PathOf("notify");
        using var manager = new ServiceManager(path);
        var daemon = new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig());
        lab.Run(1, "env", $"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=1000000", Requirements.Binary,
            "-C", daemon.ConfigPath, "-d").Checked();
        string pid = lab.Run(1, "cat", daemon.LockPath).Checked().Output.Trim();
        Assert.Equal($"MAINPID={pid}", manager.Next(""));
        Assert.StartsWith("READY=1\n", manager.Next(""));
        Assert.Equal("WATCHDOG=1", manager.Next("WATCHDOG"));
        Assert.Equal("/", File.ResolveLinkTarget($"/proc/{pid}/cwd", false)!.FullName);
        daemon.Tell("-k");
        Assert.Equal("STOPPING=1", manager.Next("STOPPING"));
    }

    [LabFact]
    public void Without_internal_cache_another_filter_counts_for_bulks_too()
    {
        using var lab = new Lab();
        var bypass = new DaemonConfig { Mode = "NOTRACK { DisableInternalCache on }" };
        DaemonProcess active =
            new DaemonProcess(lab, 1, Requirements.Binary, bypass).Start();
        DaemonProcess backup = new DaemonProcess(
            lab, 2, Requirements.Binary, new DaemonConfig { Mode = "NOTRACK { }" }).Start();
        active.Rewrite("IPv4_address 127.0.0.1", "IPv4_address 10.50.0.1");
        active.Tell("--reload");
        lab.Run(1, "conntrack", FlowKinds.All[0].CreateArguments).Checked();
        lab.Run(1, "conntrack", FlowKinds.All[1].CreateArguments).Checked();
        Wait.Until("one is told", 5, () => Shown(backup, "-e") == (false, true));
        Assert.Equal((false, true), Shown(active, "-i"));
        active.Rewrite("IPv4_address 10.50.0.1", "IPv4_address 127.0.0.1");
        active.Signal("HUP");
        Wait.Until("the other one follows", 5, () => Shown(backup, "-e") == (true, true));
        Assert.Equal((true, true), Shown(active, "-i"));
    }

    [LabFact]
    public void The_times_of_alarm_change()
    {
        using var lab = new Lab();
        var alarm = new DaemonConfig { Mode = "ALARM { RefreshTime 1 CacheTimeout 600 }" };
        DaemonProcess active = new DaemonProcess(lab, 1, Requirements.Binary, alarm).Start();
        DaemonProcess backup = new DaemonProcess(lab, 2, Requirements.Binary, alarm).Start();
        lab.Run(1, "conntrack", FlowKinds.All[0].CreateArguments).Checked();
        Wait.Until("the flow is told", 5, () => Shown(backup, "-e").First);
        active.Kill();
        backup.Rewrite("CacheTimeout 600", "CacheTimeout 1");
        Assert.Equal("", backup.Tell("--reload"));
        Wait.Until("it expires", 5, () => !Shown(backup, "-e").First);
    }

    private static (bool First, bool Second) Shown(DaemonProcess daemon, string option)
    {
        string text = daemon.Tell(option);
        return (text.Contains("src=10.50.0.1 ", StringComparison.Ordinal),
            text.Contains("src=10.50.0.2 ", StringComparison.Ordinal));
    }
}
