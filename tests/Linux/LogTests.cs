using System.IO;
using System.Runtime.Versioning;
using System.Text;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

[SupportedOSPlatform("linux")]
public sealed class LogTests
{
    private const string When =
        @"(Sun|Mon|Tue|Wed|Thu|Fri|Sat) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
        + @"[ 123]\d [012]\d:[0-5]\d:[0-6]\d \d{4}";

    [Fact]
    public void Lines_have_the_form_of_the_original()
    {
        using TemporaryDirectory directory = new();
        using Log log = new() { ToConsole = false };
        Assert.Equal(Errno.None, log.OpenFile(directory.File("log")));
        log.Info("one");
        log.Notice("two");
        log.Warning("three");
        log.Error("four");
        string[] lines = File.ReadAllLines(directory.File("log"));
        Assert.Equal(4, lines.Length);
        Assert.Matches($@"^\[{When}\] \(pid={Environment.ProcessId}\) \[info\] one$", lines[0]);
        Assert.Matches(@"\[notice\] two$", lines[1]);
        Assert.Matches(@"\[warning\] three$", lines[2]);
        Assert.Matches(@"\[ERROR\] four$", lines[3]);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(directory.File("log")));
    }

    [Fact]
    public void Lines_are_appended_and_after_a_rotation_go_to_the_new_file()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.File("log"), "old\n");
        using Log log = new() { ToConsole = false };
        log.OpenFile(directory.File("log"));
        log.WriteRaw(LogLevel.Info, "first\n"u8);
        File.Move(directory.File("log"), directory.File("log.1"));
        log.WriteRaw(LogLevel.Info, "second\n"u8);
        Assert.Equal(Errno.None, log.Reopen());
        log.WriteRaw(LogLevel.Info, "third\n"u8);
        Assert.Equal("old\nfirst\nsecond\n", File.ReadAllText(directory.File("log.1")));
        Assert.Equal("third\n", File.ReadAllText(directory.File("log")));
    }

    [Fact]
    public void A_missing_directory_is_an_error()
    {
        using Log log = new();
        Assert.Equal(Errno.Enoent, log.OpenFile("/nonexistent/conntrackd.log"));
        Assert.Equal("No such file or directory", Errno.Enoent.Describe());
    }

    [Fact]
    public void Syslog_gets_priority_time_name_and_pid_and_survives_a_restart_of_its_daemon()
    {
        using TemporaryDirectory directory = new();
        using Syslog syslog = new(3, directory.File("dev-log"));
        syslog.Write(LogLevel.Notice, "lost"u8);
        Assert.Equal(1ul, syslog.Lost);
        for (int start = 0; start < 2; start++)
        {
            int fd = Listen(directory.File("dev-log"));
            syslog.Write(LogLevel.Notice, "initialization completed"u8);
            byte[] line = new byte[2048];
            Assert.Equal(Errno.None, Libc.Receive(fd, line, out int count));
            Assert.Matches(
                @"^<29>\w{3} [ 123]\d \d\d:\d\d:\d\d conntrack-tools\["
                + $@"{Environment.ProcessId}\]: initialization completed$",
                Encoding.UTF8.GetString(line.AsSpan(0, count)));
            Libc.Close(fd);
            File.Delete(directory.File("dev-log"));
        }
        Assert.Equal(1ul, syslog.Lost);
    }

    [Fact]
    public void The_time_is_that_of_ctime()
    {
        Span<byte> target = stackalloc byte[LogTime.Size];
        LogTime.Write(target, 1_000_000_000);
        string text = Encoding.ASCII.GetString(target);
        Assert.Matches($"^{When}$", text);
        DateTime local = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000).LocalDateTime;
        Assert.Equal($"{local:ddd MMM} {local.Day,2} {local:HH:mm:ss yyyy}", text);
    }

    [Fact]
    public void A_throttle_lets_one_line_through_and_counts_the_rest()
    {
        LogThrottle throttle = new(10);
        Assert.True(throttle.TryTake(1_000_000, out ulong suppressed));
        Assert.Equal(0ul, suppressed);
        Assert.False(throttle.TryTake(2_000_000, out _));
        Assert.False(throttle.TryTake(10_999_999, out _));
        Assert.True(throttle.TryTake(11_000_000, out suppressed));
        Assert.Equal(2ul, suppressed);
        Assert.False(throttle.TryTake(11_000_001, out _));
    }

    private static int Listen(string path)
    {
        byte[] address = new byte[SocketAddress.UnixSizeMax];
        Assert.True(SocketAddress.TryWriteUnix(address, path, out int bytes));
        Assert.Equal(
            Errno.None, Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int fd));
        Assert.Equal(Errno.None, Libc.Bind(fd, address.AsSpan(0, bytes)));
        return fd;
    }
}
