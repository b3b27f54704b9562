using System.Globalization;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>Datagrams to the service manager, as sd_notify(3) describes them.</summary>
internal sealed class ServiceNotifier : IDisposable
{
    internal const string WatchdogPidVariable = "WATCHDOG_PID";

    private const string SocketVariable = "NOTIFY_SOCKET";
    private const string WatchdogVariable = "WATCHDOG_USEC";

    private readonly int _fd;
    private readonly byte[] _address;

    private ServiceNotifier(int fd, byte[] address)
    {
        _fd = fd;
        _address = address;
        WatchdogIntervalMicroseconds = ReadWatchdog() / 2;
    }

    /// <summary>
    /// How often <see cref="KeepAlive"/> is due; 0: never. Half of what is allowed.
    /// </summary>
    internal long WatchdogIntervalMicroseconds { get; }

    /// <summary>
    /// Null if nobody wants to be notified ($NOTIFY_SOCKET), or it cannot be reached.
    /// </summary>
    internal static ServiceNotifier? FromEnvironment()
    {
        string? path = Environment.GetEnvironmentVariable(SocketVariable);
        if (string.IsNullOrEmpty(path) || path[0] is not ('/' or '@')) { return null; }
        byte[] address = new byte[SocketAddress.UnixSizeMax];
        if (!SocketAddress.TryWriteUnix(address, path, out int bytes)) { return null; }
        Errno error = Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out int fd);
        return error == Errno.None
            ? new ServiceNotifier(fd, address.AsSpan(0, bytes).ToArray()) : null;
    }

    /// <summary>Start-up, or a reload, is complete.</summary>
    internal Errno Ready(string status) =>
        Send(Encoding.UTF8.GetBytes($"READY=1\nSTATUS={status}"));

    /// <summary>
    /// A reload begins (Type=notify-reload); <see cref="Ready"/> ends it. The time tells the
    /// service manager that this one is its doing.
    /// </summary>
    internal Errno Reloading(long monotonicMicroseconds) =>
        Send(Encoding.ASCII.GetBytes($"RELOADING=1\nMONOTONIC_USEC={monotonicMicroseconds}"));

    /// <summary>What the service is doing, one line.</summary>
    internal Errno Status(string status) => Send(Encoding.UTF8.GetBytes($"STATUS={status}"));

    /// <summary>An orderly stop is coming to its end.</summary>
    internal Errno Stopping() => Send("STOPPING=1"u8);

    /// <summary>The loop turns.</summary>
    internal Errno KeepAlive() => Send("WATCHDOG=1"u8);

    /// <summary>The service's process is not the one that was started.</summary>
    internal Errno MainProcess(int pid) => Send(Encoding.ASCII.GetBytes($"MAINPID={pid}"));

    public void Dispose() => Libc.Close(_fd);

    private Errno Send(ReadOnlySpan<byte> state) => Libc.SendTo(_fd, state, _address, out _);

    /// <summary>
    /// Microseconds; 0 if there is no watchdog or it is meant for another process.
    /// </summary>
    private static long ReadWatchdog()
    {
        string? pid = Environment.GetEnvironmentVariable(WatchdogPidVariable);
        string self = Libc.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (!string.IsNullOrEmpty(pid) && pid != self) { return 0; }
        return long.TryParse(
            Environment.GetEnvironmentVariable(WatchdogVariable), NumberStyles.None,
            CultureInfo.InvariantCulture, out long microseconds)
            ? microseconds
            : 0;
    }
}
