using System.IO;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// A configuration out of a pipe or a FIFO is read once, however often the program starts itself.
/// </summary>
public sealed class ConfigSourceTests
{
    [LabTheory]
    [InlineData("cat $1 | $0 -C /dev/stdin -d", "`/dev/stdin' is no file")]
    [InlineData("cat $1 | $0 -C /dev/stdin &", "`/dev/stdin' is no file")]
    [InlineData("mkfifo $1.fifo; (cat $1 >$1.fifo &); $0 -d -C $1.fifo", "nothing came within")]
    [InlineData("mkfifo $1.fifo; $0 -C $1.fifo & cat $1 >$1.fifo", "nothing came within")]
    public void A_pipe_is_read_once_and_a_reload_of_it_changes_nothing(string start, string refusal)
    {
        using var lab = new Lab();
        DaemonProcess daemon = new(lab, 1, Requirements.Binary, new DaemonConfig());
        lab.Run(1, "sh", "-c", $"{{ {start}\n}} >$1.out 2>&1 </dev/null",
            Requirements.Binary, daemon.ConfigPath).Checked();
        Wait.Until("it answers", 10, () => daemon.Ask("-s").ExitCode == 0);
        Assert.Equal(0, daemon.Ask("-i").ExitCode);
        CommandResult reload = daemon.Ask("--reload");
        Assert.Equal(1, reload.ExitCode);
        Assert.Contains(refusal, reload.Error, StringComparison.Ordinal);
        Assert.Contains("the old settings stay in force", reload.Error, StringComparison.Ordinal);
        Assert.Equal(32, daemon.Counter("runtime", "current buffer size (in bytes)") >> 20);
        daemon.Tell("-k");
        Wait.Until("it has ended", 5, () => !File.Exists(daemon.LockPath));
    }

    [LabFact]
    public void A_file_that_changes_during_the_start_counts_as_it_was_read_first()
    {
        using var lab = new Lab();
        DaemonProcess daemon = new(lab, 1, Requirements.Binary, new DaemonConfig());
        // A client too: it reads once and asks.
        CommandResult check = lab.Run(1, "sh", "-c",
            "cat $1 | $0 -C /dev/stdin --check", Requirements.Binary, daemon.ConfigPath);
        Assert.Equal("/dev/stdin: no errors, warnings: 0\n", check.Checked().Output);
        lab.Run(1, "sh", "-c", "cp $1 $1.once; $0 -d -C $1.once & p=$!; "
            + "while [ ! -s $1.once ]; do :; done; wait $p && rm $1.once",
            Requirements.Binary, daemon.ConfigPath).Checked();
        CommandResult reload = daemon.Ask("--reload");
        Assert.Equal(1, reload.ExitCode);
        Assert.Contains("No such file or directory", reload.Error, StringComparison.Ordinal);
        daemon.Tell("-k");
    }
}
