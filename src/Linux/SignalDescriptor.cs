namespace Conntrackd.Linux;

/// <summary>
/// Signals as something to read. They must be blocked: see <see cref="SignalMask"/>.
/// </summary>
internal sealed class SignalDescriptor : IDisposable
{
    // struct signalfd_siginfo, sys/signalfd.h: 128 bytes.
    private const int Size = 128;

    private SignalDescriptor(int fd) => FileDescriptor = fd;

    internal int FileDescriptor { get; }

    internal static Errno TryOpen(in SignalSet signals, out SignalDescriptor? descriptor)
    {
        Errno error = Libc.SignalDescriptor(signals, out int fd);
        descriptor = error == Errno.None ? new SignalDescriptor(fd) : null;
        return error;
    }

    /// <summary>
    /// Takes the next signal; false if none waits. Several of one kind may have become one, so
    /// after a Child reap until nothing is left.
    /// </summary>
    internal bool TryRead(out Signal signal)
    {
        Span<byte> record = stackalloc byte[Size];
        signal = default;
        if (Libc.Read(FileDescriptor, record, out int count) != Errno.None || count != Size)
        {
            return false;
        }
        signal = (Signal)BitConverter.ToUInt32(record);
        return true;
    }

    public void Dispose() => Libc.Close(FileDescriptor);
}
