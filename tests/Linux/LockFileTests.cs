using System.Diagnostics;
using System.IO;
using System.Runtime.Versioning;
using System.Text;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

[SupportedOSPlatform("linux")]
public sealed class LockFileTests
{
    [Fact]
    public void The_file_holds_our_process_id_and_is_gone_afterwards()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("lock");
        Assert.Equal(Errno.None, LockFile.TryTake(path, out LockFile? file, out _));
        Assert.Equal($"{Environment.ProcessId}\n", Read(path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        file!.Dispose();
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_second_one_is_refused_and_told_the_holder()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("lock");
        LockFile.TryTake(path, out LockFile? file, out _);
        Assert.Equal(Errno.Eagain, LockFile.TryTake(path, out LockFile? second, out int holder));
        Assert.Null(second);
        Assert.Equal(Environment.ProcessId, holder);
        file!.Dispose();
        Assert.Equal(Errno.None, LockFile.TryTake(path, out file, out _));
        file!.Dispose();
    }

    [Fact]
    public void The_empty_file_that_the_original_leaves_is_taken_over()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("lock");
        File.WriteAllText(path, "");
        Assert.Equal(Errno.None, LockFile.TryTake(path, out LockFile? file, out _));
        file!.Dispose();
    }

    [Fact]
    public void A_killed_holder_leaves_a_file_but_no_lock()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("lock");
        const string Script = "exec 9<>\"$0\"; flock -n 9 || exit 1; echo 4711 >&9; "
            + "echo locked; exec sleep 60";
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        start.ArgumentList.Add(path);
        using Process holder = Process.Start(start)!;
        Assert.Equal("locked", holder.StandardOutput.ReadLine());
        Assert.Equal(Errno.Eagain, LockFile.TryTake(path, out _, out int pid));
        Assert.Equal(4711, pid);
        holder.Kill();
        holder.WaitForExit();
        Assert.True(File.Exists(path));
        Assert.Equal(Errno.None, LockFile.TryTake(path, out LockFile? file, out _));
        Assert.Equal($"{Environment.ProcessId}\n", Read(path));
        file!.Dispose();
    }

    [Fact]
    public void A_missing_directory_is_an_error() =>
        Assert.Equal(Errno.Enoent, LockFile.TryTake("/nonexistent/lock", out _, out _));

    /// <summary>File.ReadAllText asks for a lock itself.</summary>
    private static string Read(string path)
    {
        byte[] text = new byte[64];
        Assert.Equal(Errno.None, Libc.Open(path, Libc.OpenReadOnly, 0, out int fd));
        Assert.Equal(Errno.None, Libc.Read(fd, text, out int count));
        Libc.Close(fd);
        return Encoding.ASCII.GetString(text, 0, count);
    }
}
