using System.Text;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

public sealed class ServiceNotifierTests : IDisposable
{
    public void Dispose()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", null);
        Environment.SetEnvironmentVariable("WATCHDOG_PID", null);
    }

    [Fact]
    public void Without_a_socket_there_is_none()
    {
        Assert.Null(ServiceNotifier.FromEnvironment());
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "relative");
        Assert.Null(ServiceNotifier.FromEnvironment());
    }

    [Fact]
    public void States_reach_a_socket_in_the_file_system()
    {
        using TemporaryDirectory directory = new();
        Exchange(directory.File("notify"));
    }

    [Fact]
    public void States_reach_an_abstract_socket() =>
        Exchange($"@conntrackd-test-{Environment.ProcessId}");

    [Fact]
    public void The_watchdog_is_fed_at_half_its_interval()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "@conntrackd-test-none");
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "5000000");
        Assert.Equal(2_500_000, Interval());
        Environment.SetEnvironmentVariable("WATCHDOG_PID", $"{Environment.ProcessId}");
        Assert.Equal(2_500_000, Interval());
        Environment.SetEnvironmentVariable("WATCHDOG_PID", "1");
        Assert.Equal(0, Interval());
    }

    private static long Interval()
    {
        using ServiceNotifier? notifier = ServiceNotifier.FromEnvironment();
        return notifier!.WatchdogIntervalMicroseconds;
    }

    private static void Exchange(string path)
    {
        byte[] address = new byte[SocketAddress.UnixSizeMax];
        Assert.True(SocketAddress.TryWriteUnix(address, path, out int bytes));
        Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int fd);
        Assert.Equal(Errno.None, Libc.Bind(fd, address.AsSpan(0, bytes)));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", path);
        using ServiceNotifier? notifier = ServiceNotifier.FromEnvironment();
        Assert.Equal(Errno.None, notifier!.Ready("calm"));
        Assert.Equal(Errno.None, notifier.Reloading(7));
        Assert.Equal(Errno.None, notifier.Status("busy"));
        Assert.Equal(Errno.None, notifier.KeepAlive());
        Assert.Equal(Errno.None, notifier.MainProcess(12));
        Assert.Equal(Errno.None, notifier.Stopping());
        string[] all =
        [
            "READY=1\nSTATUS=calm", "RELOADING=1\nMONOTONIC_USEC=7", "STATUS=busy",
            "WATCHDOG=1", "MAINPID=12", "STOPPING=1",
        ];
        foreach (string expected in all)
        {
            byte[] state = new byte[64];
            Assert.Equal(Errno.None, Libc.Receive(fd, state, out int count));
            Assert.Equal(expected, Encoding.ASCII.GetString(state, 0, count));
        }
        Libc.Close(fd);
    }
}
