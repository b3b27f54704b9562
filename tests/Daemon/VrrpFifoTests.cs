using System.IO;
using System.Text;
using Conntrackd.Daemon;
using Conntrackd.Linux;
using Conntrackd.Tests.Linux;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class VrrpFifoTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private string FifoPath => _folder.File("vrrp.fifo");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_daemon_makes_the_fifo_and_its_folder_for_its_owner_only()
    {
        string path = _folder.File("run/vrrp.fifo");
        using VrrpFifo fifo = Opened(path);
        Assert.Equal(Errno.None, Libc.Inspect(path, out FileFacts facts));
        Assert.Equal(new FileFacts(
            FileKind.Fifo, 0x180, Libc.EffectiveUser, facts.Group), facts);
        Assert.False(fifo.IsReplaced());
    }

    [Fact]
    public void Nothing_to_read_never_blocks_and_there_is_no_end_of_file()
    {
        using VrrpFifo fifo = Opened(FifoPath);
        byte[] buffer = new byte[16];
        Assert.Equal(Errno.Eagain, Libc.Read(fifo.FileDescriptor, buffer, out _));
        Shell("echo hello > " + FifoPath);
        Assert.Equal(Errno.None, Libc.Read(fifo.FileDescriptor, buffer, out int count));
        Assert.Equal("hello\n", Encoding.ASCII.GetString(buffer, 0, count));
        Assert.Equal(Errno.Eagain, Libc.Read(fifo.FileDescriptor, buffer, out _));
    }

    [Fact]
    public void There_is_one_reader_and_the_next_one_only_after_it()
    {
        VrrpFifo first = Opened(FifoPath);
        RefusedBecause("another conntrackd reads it");
        first.Dispose();
        using VrrpFifo next = Opened(FifoPath);
    }

    [Fact]
    public void A_fifo_that_is_there_is_used_with_what_waits_in_it()
    {
        Assert.Equal(Errno.None, Libc.MakeFifo(FifoPath, 0x180));
        Assert.Equal(Errno.None, Libc.Open(
            FifoPath, Libc.OpenReadWrite | Libc.OpenNonBlocking, 0, out int holder));
        Shell("echo history > " + FifoPath);
        using VrrpFifo late = Opened(FifoPath);
        byte[] buffer = new byte[16];
        Assert.Equal(Errno.None, Libc.Read(late.FileDescriptor, buffer, out int count));
        Assert.Equal("history\n", Encoding.ASCII.GetString(buffer, 0, count));
        Libc.Close(holder);
    }

    [Fact]
    public void Another_file_in_its_place_is_noticed()
    {
        using VrrpFifo fifo = Opened(FifoPath);
        File.Delete(FifoPath);
        Assert.True(fifo.IsReplaced());
        Assert.Equal(Errno.None, Libc.MakeFifo(FifoPath, 0x180));
        Assert.True(fifo.IsReplaced());
    }

    [Fact]
    public void A_regular_file_is_refused_and_left_as_it_is()
    {
        File.WriteAllText(FifoPath, "mine");
        RefusedBecause("there is a regular file, expected a FIFO");
        Assert.Equal("mine", File.ReadAllText(FifoPath));
    }

    [Fact]
    public void A_symbolic_link_is_refused_even_to_a_fifo()
    {
        string target = _folder.File("other");
        Assert.Equal(Errno.None, Libc.MakeFifo(target, 0x180));
        File.CreateSymbolicLink(FifoPath, target);
        RefusedBecause("there is a symbolic link, expected a FIFO");
    }

    [Fact]
    public void A_directory_is_refused()
    {
        Directory.CreateDirectory(FifoPath);
        RefusedBecause("there is a directory, expected a FIFO");
    }

    [Fact]
    public void A_fifo_that_others_may_write_to_is_refused()
    {
        Assert.Equal(Errno.None, Libc.MakeFifo(FifoPath, 0x180));
        Assert.Equal(Errno.None, Libc.ChangeMode(FifoPath, 0x1B6));
        RefusedBecause("can be written by others, expected mode 0600");
    }

    [RootFact]
    public void A_fifo_of_another_user_is_refused()
    {
        Assert.Equal(Errno.None, Libc.MakeFifo(FifoPath, 0x180));
        Shell("chown 1 " + FifoPath);
        RefusedBecause("belongs to user 1, expected 0");
    }

    [Fact]
    public void The_track_file_is_replaced_in_one_step_and_read_back()
    {
        string path = _folder.File("run/vrrp.sync");
        var track = new TrackFile(path);
        Assert.Null(track.Read());
        Assert.Null(track.Write(1));
        Assert.Equal("1\n", File.ReadAllText(path));
        Assert.Equal(1, track.Read());
        Assert.Equal(Errno.None, Libc.Identify(path, out FileIdentity before));
        Assert.Null(track.Write(0));
        Assert.Equal("0\n", File.ReadAllText(path));
        Assert.Equal(Errno.None, Libc.Identify(path, out FileIdentity after));
        Assert.NotEqual(before, after);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_track_file_that_cannot_be_written_says_so()
    {
        Directory.CreateDirectory(_folder.File("vrrp.sync"));
        Assert.StartsWith("VRRP: TrackFile", new TrackFile(_folder.File("vrrp.sync")).Write(1));
    }

    private static VrrpFifo Opened(string path)
    {
        Assert.Null(VrrpFifo.TryOpen(path, out VrrpFifo? fifo));
        return fifo!;
    }

    private void RefusedBecause(string reason)
    {
        string? why = VrrpFifo.TryOpen(FifoPath, out VrrpFifo? fifo);
        Assert.Null(fifo);
        Assert.StartsWith($"VRRP: Notify `{FifoPath}': ", why);
        Assert.Contains(reason, why, StringComparison.Ordinal);
    }

    private static void Shell(string command) =>
        Integration.Shell.Run("sh", "-c", command).Checked();
}
