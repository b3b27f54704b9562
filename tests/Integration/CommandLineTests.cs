using System.IO;
using System.Net.Sockets;
using System.Threading;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// The built program as an administrator meets it: wrong calls, crashes, neighbours.
/// </summary>
public sealed class CommandLineTests
{
    [LabFact]
    public void A_wrong_flag_is_an_error()
    {
        CommandResult result = Shell.Run(Requirements.Binary, "-z");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("-z", result.Error, StringComparison.Ordinal);
    }

    [LabFact]
    public void A_missing_configuration_is_an_error_that_names_the_file()
    {
        CommandResult result = Shell.Run(Requirements.Binary, "-C", "/nonexistent/ctd.conf");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("/nonexistent/ctd.conf", result.Error, StringComparison.Ordinal);
    }

    [LabFact]
    public void An_unreadable_configuration_is_an_error_that_names_the_file()
    {
        using var lab = new Lab();
        CommandResult result = lab.Run(1, Requirements.Binary, "-C", lab.Folder);
        // The original ends with 2, which scripts that test for 1 take for success.
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(lab.Folder, result.Error, StringComparison.Ordinal);
    }

    [LabFact]
    public void A_wrong_configuration_is_an_error_that_names_file_line_and_column()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab);
        string text = File.ReadAllText(daemon.ConfigPath);
        File.WriteAllText(daemon.ConfigPath, text.Replace("Port 3780", "Port abc"));
        CommandResult result = daemon.StartInVain();
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"fw1\.conf:\d+:\d+: .*abc", result.Error);
        Assert.False(File.Exists(daemon.LockPath));
    }

    [LabFact]
    public void A_client_without_a_daemon_is_told_so()
    {
        using var lab = new Lab();
        CommandResult result = NewDaemon(lab).Ask("-s");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is conntrackd running?", result.Error, StringComparison.Ordinal);
    }

    [LabFact]
    public void A_second_daemon_is_refused_and_the_first_lives_on()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab).Start();
        CommandResult second = daemon.StartInVain();
        Assert.Equal(1, second.ExitCode);
        Assert.Contains(daemon.LockPath, second.Output + second.Error + daemon.Log);
        Assert.Equal(0, daemon.Ask("-s").ExitCode);
        Assert.True(daemon.IsRunning);
    }

    [MixedPairsFact]
    public void A_running_original_is_not_taken_over_and_keeps_its_lock()
    {
        using var lab = new Lab();
        DaemonProcess original =
            new DaemonProcess(lab, 1, Requirements.Original, new DaemonConfig()).Start();
        CommandResult ours =
            lab.Run(1, Requirements.Binary, "-C", original.ConfigPath);
        Assert.Equal(1, ours.ExitCode);
        Assert.Contains("already running", ours.Output + ours.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(original.LockPath));
        Assert.Equal(0, original.Ask("-s").ExitCode);
        original.Tell("-k");
    }

    [LabFact]
    public void A_check_tells_every_remark_and_starts_nothing()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab);
        CommandResult good = daemon.Ask("--check");
        Assert.Equal(0, good.ExitCode);
        Assert.Equal($"{daemon.ConfigPath}: no errors, warnings: 0\n", good.Output);
        CommandResult settings = daemon.Ask("--print-config");
        Assert.Contains($"HashLimit 524288  # {daemon.ConfigPath}:", settings.Output);
        string text = File.ReadAllText(daemon.ConfigPath);
        File.WriteAllText(daemon.ConfigPath,
            text.Replace("Port 3780", "Port abc").Replace("HashSize 32768", "HashSize many"));
        CommandResult bad = daemon.Ask("--check");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("abc", bad.Error, StringComparison.Ordinal);
        Assert.Contains("many", bad.Error, StringComparison.Ordinal);
        Assert.Equal("", bad.Output);
        Assert.Equal(1, daemon.Ask("--print-config").ExitCode);
        Assert.False(File.Exists(daemon.LockPath));
        Assert.Equal(1, lab.Run(1, Requirements.Binary, "--check", "-C", lab.Folder).ExitCode);
    }

    [LabFact]
    public void A_check_tells_what_a_start_on_this_machine_would_meet()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab);
        daemon.Rewrite($"LockFile {daemon.LockPath}", "LockFile /nonexistent/ctd.lock");
        daemon.Rewrite("Interface sync", "Interface nowhere0");
        CommandResult check = daemon.Ask("--check");
        Assert.Equal(0, check.ExitCode);
        Assert.EndsWith(": no errors, warnings: 2\n", check.Output);
        Assert.Matches(@"fw1\.conf:\d+:\d+: there is no directory '/nonexistent' now, without it "
            + "for 'LockFile' the daemon does not start\n", check.Error);
        Assert.Matches(@"fw1\.conf:\d+:\d+: there is no interface 'nowhere0' now, ", check.Error);
        Assert.Equal(1, daemon.StartInVain().ExitCode);

        File.WriteAllText(
            daemon.ConfigPath, "General { UNIX { Path /run/ctd.ctl } }\nHelper { }\n");
        Assert.Equal(
            $"warning: {daemon.ConfigPath}: no 'Sync' and no 'Stats': the daemon only answers "
                + $"clients\nwarning: {daemon.ConfigPath}: Helper: helpers in user space are not "
                + "run by this version\n",
            daemon.Ask("--check").Checked().Error);
    }

    [LabFact]
    [Trait("Defect", "32")]
    public void A_killed_daemon_starts_again_at_once()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab).Start();
        daemon.Kill();
        daemon.Start();
        Assert.Equal(0, daemon.Stop());
        Assert.False(File.Exists(daemon.SocketPath));
    }

    [LabFact]
    public void The_request_to_stop_ends_it_in_order()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab).Start();
        daemon.Tell("-k");
        Wait.Until("the daemon has ended", 5, () => !daemon.IsRunning);
        Assert.Equal(0, daemon.ExitCode);
    }

    [LabFact]
    public void A_client_that_says_nothing_blocks_nobody()
    {
        using var lab = new Lab();
        DaemonProcess daemon = NewDaemon(lab).Start();
        using var silent = new Socket(
            AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Connect(new UnixDomainSocketEndPoint(daemon.SocketPath));
        Thread.Sleep(200);
        CommandResult result = lab.Run(
            1, "timeout", "3", Requirements.Binary, "-C", daemon.ConfigPath, "-s");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("cache internal", result.Output, StringComparison.Ordinal);
    }

    private static DaemonProcess NewDaemon(Lab lab) =>
        new(lab, 1, Requirements.Binary, new DaemonConfig());
}
