using System.IO;
using System.Linq;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>
/// The scripts of packaging, with a conntrackd that writes down how it was called, and with the
/// shells of OpenRC and procd played by a few functions.
/// </summary>
public sealed class ScriptTests : IDisposable
{
    private static readonly string s_packaging = Path.Combine(Repository.Root, "packaging");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ctd-scripts.");

    [Theory]
    [InlineData("primary", "-c -f -R -B")]
    [InlineData("backup", "-s -t -n")]
    [InlineData("fault", "-t")]
    public void A_change_of_role_makes_the_requests_in_order(string role, string requests)
    {
        CommandResult result = ChangeRole(role, failing: "");
        Assert.True(result.ExitCode == 0 && result.Error.Length == 0, result.ToString());
        Assert.Equal(requests, Calls());
    }

    [Theory]
    [InlineData("primary", "-c", "-c -f -R -B")]
    [InlineData("primary", "-B", "-c -f -R -B")]
    [InlineData("backup", "-t", "-s -t -n")]
    [InlineData("fault", "-t", "-t")]
    public void A_failed_request_is_told_and_the_rest_still_tried(
        string role, string failing, string requests)
    {
        CommandResult result = ChangeRole(role, failing);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"conntrackd {failing} failed with status 1: no luck", result.Error);
        Assert.Equal(requests, Calls());
    }

    [Fact]
    public void A_backup_node_starts_the_daemon_that_does_not_answer()
    {
        CommandResult result = ChangeRole("backup", failing: "-s");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("-s -d -t -n", Calls());
    }

    [Fact]
    public void An_unknown_role_changes_nothing_and_fails()
    {
        Assert.Equal(1, ChangeRole("master", failing: "").ExitCode);
        Assert.Equal("", Calls());
    }

    [Fact]
    public void OpenRC_starts_in_the_background_and_stops_by_request()
    {
        Assert.Equal(0, RunOpenRc("start", "conntrackd", failing: "").ExitCode);
        Assert.Equal(0, RunOpenRc("stop", "conntrackd", failing: "").ExitCode);
        Assert.Equal(0, RunOpenRc("status", "conntrackd", failing: "").ExitCode);
        Assert.Equal(3, RunOpenRc("status", "conntrackd", failing: "-s").ExitCode);
        Assert.Equal(1, RunOpenRc("start", "conntrackd", failing: "-d").ExitCode);
        Assert.Equal("-d -k -s -s -d", Calls());
        Assert.Contains("-C /etc/conntrackd/conntrackd.conf", LastCall());
    }

    [Fact]
    public void OpenRC_takes_the_configuration_from_the_name_of_the_service()
    {
        RunOpenRc("start", "conntrackd.fw1", failing: "").Checked();
        Assert.Contains("-C /etc/conntrackd/fw1.conf", LastCall());
    }

    [Fact]
    public void Procd_gets_the_command_in_the_foreground_and_the_file_to_watch()
    {
        File.WriteAllText(PathOf("conf"), "");
        const string Play = "procd_open_instance() { :; }; procd_close_instance() { :; }\n"
            + "procd_set_param() { echo \"$*\"; }\n. \"$0\"; CONFIG=$1; start_service";
        CommandResult result = Shell.Run("sh", "-c", Play,
            Path.Combine(s_packaging, "init", "conntrackd.procd"), PathOf("conf")).Checked();
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            [$"command /usr/sbin/conntrackd -C {PathOf("conf")}", $"file {PathOf("conf")}",
                "respawn 3600 5 5", "stdout 1", "stderr 1"],
            lines);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string PathOf(string file) => Path.Combine(_folder.FullName, file);

    /// <summary>The requests that were made so far, in order.</summary>
    private string Calls() => File.Exists(PathOf("calls"))
        ? string.Join(' ', File.ReadLines(PathOf("calls"))
            .Select(call => call.Split(' ').First(word => word is not "-C" && word[0] == '-')))
        : "";

    private string LastCall() => File.ReadLines(PathOf("calls")).Last();

    private string FakeDaemon(string failing)
    {
        string path = PathOf("conntrackd");
        File.WriteAllText(path, "#!/bin/sh\necho \"$@\" >>" + PathOf("calls")
            + "\ncase \" $* \" in\n*\" " + (failing.Length == 0 ? "none" : failing)
            + " \"*) echo no luck >&2; exit 1 ;;\nesac\necho answer\n");
        Shell.Run("chmod", "755", path).Checked();
        return path;
    }

    private CommandResult ChangeRole(string role, string failing) => Shell.Run("env",
        $"CONNTRACKD_BIN={FakeDaemon(failing)}", "CONNTRACKD_CONFIG=/none.conf",
        Path.Combine(s_packaging, "scripts", "primary-backup.sh"), role);

    private CommandResult RunOpenRc(string verb, string service, string failing)
    {
        const string Play = "ebegin() { :; }; eend() { return $1; }\n"
            + "einfo() { :; }; eerror() { :; }\n. \"$0\"; \"$1\"";
        return Shell.Run("env", $"CONNTRACKD_BIN={FakeDaemon(failing)}", $"RC_SVCNAME={service}",
            "sh", "-c", Play, Path.Combine(s_packaging, "init", "conntrackd.openrc"), verb);
    }
}
