using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

/// <remarks>The daemon is a shell script that follows the rules: a byte on descriptor 3.</remarks>
public sealed class DaemoniserTests
{
    private static int Start(string script, out int pid, out string logged)
    {
        using TemporaryDirectory directory = new();
        using Log log = new() { ToConsole = false };
        log.OpenFile(directory.File("log"));
        List<byte[]> arguments = [];
        foreach (string word in (string[])["sh", "-c", script])
        {
            arguments.Add(Encoding.UTF8.GetBytes(word));
        }
        int code = Daemoniser.Start("/bin/sh", arguments, null, log, out pid);
        logged = File.ReadAllText(directory.File("log"));
        return code;
    }

    [Fact]
    public void The_parent_succeeds_when_the_daemon_is_ready_and_the_daemon_goes_on()
    {
        using TemporaryDirectory directory = new();
        string report = directory.File("report");
        string open = directory.File("open");
        string script = $"cut -d' ' -f6 /proc/$$/stat > {report}; "
            + $"echo $CONNTRACKD_READY_FD >> {report}; "
            + $"readlink /proc/$$/fd/0 >> {report}; "
            + $"find /proc/$$/fd -mindepth 1 -fprintf {open} '%f\\n'; "
            + "printf 1 >&3; exec 3>&-; exit 7";
        Assert.Equal(0, Start(script, out int pid, out string logged));
        Assert.Equal("", logged);
        Assert.Equal(Errno.None, Libc.WaitFor(pid, out ChildStatus status));
        Assert.Equal(7, status.ExitCode);
        string[] lines = File.ReadAllLines(report);
        Assert.Equal($"{pid}", lines[0]);           // leads a session of its own
        Assert.Equal("3", lines[1]);
        Assert.Equal("/dev/null", lines[2]);
        // Nothing else was inherited.
        Assert.Equal(["0", "1", "2", "3"], File.ReadAllLines(open).Order());
    }

    /// <remarks>A shell changes its mask, so here the daemon is a copy of /proc's words.</remarks>
    [Fact]
    public void The_daemon_starts_with_its_signals_blocked()
    {
        using TemporaryDirectory directory = new();
        using Log log = new() { ToConsole = false };
        byte[][] arguments =
        [
            "cp"u8.ToArray(), "/proc/self/status"u8.ToArray(),
            Encoding.UTF8.GetBytes(directory.File("status")),
        ];
        Assert.Equal(1, Daemoniser.Start("/bin/cp", arguments, null, log, out _));
        // HUP, INT, USR1, TERM and CHLD.
        Assert.Contains(
            "SigBlk:\t0000000000014203", File.ReadAllText(directory.File("status")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_parent_fails_when_the_daemon_exits_first()
    {
        Assert.Equal(1, Start("exit 3", out _, out string logged));
        Assert.Equal("", logged);
    }

    [Fact]
    public void The_parent_tells_if_the_daemon_was_killed_first()
    {
        Assert.Equal(1, Start("kill -9 $$", out _, out string logged));
        Assert.Contains("ended by signal 9 before", logged, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_cannot_be_started_is_named()
    {
        using TemporaryDirectory directory = new();
        using Log log = new() { ToConsole = false };
        log.OpenFile(directory.File("log"));
        Assert.Equal(1, Daemoniser.Start("/nonexistent/daemon", [], null, log, out _));
        Assert.Contains(
            "cannot start '/nonexistent/daemon', No such file or directory",
            File.ReadAllText(directory.File("log")), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_waiting_parent_there_is_nothing_to_report() =>
        Assert.Null(Readiness.FromEnvironment());

    [Fact]
    public void Our_own_arguments_are_known() =>
        Assert.Equal(
            Environment.GetCommandLineArgs().Length > 0, SelfImage.Arguments().Count > 0);
}
