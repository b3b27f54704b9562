namespace Conntrackd.Linux;

/// <summary>Lets another thread wake the loop (eventfd).</summary>
internal sealed class Wakeup : IDisposable
{
    private static readonly byte[] s_one = BitConverter.GetBytes(1ul);

    private Wakeup(int fd) => FileDescriptor = fd;

    /// <summary>Readable from a <see cref="Signal"/> to the next <see cref="Clear"/>.</summary>
    internal int FileDescriptor { get; }

    internal static Errno TryCreate(out Wakeup? wakeup)
    {
        Errno error = Libc.EventDescriptor(out int fd);
        wakeup = error == Errno.None ? new Wakeup(fd) : null;
        return error;
    }

    /// <summary>Any thread may call it; several calls before a Clear are one.</summary>
    internal void Signal() => _ = Libc.Write(FileDescriptor, s_one, out _);

    /// <summary>To be called before looking at what the other thread left.</summary>
    internal void Clear()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = Libc.Read(FileDescriptor, count, out _);
    }

    public void Dispose() => Libc.Close(FileDescriptor);
}
