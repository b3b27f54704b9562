using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>What one receive from the socket of a dump has brought.</summary>
/// <param name="Error">
/// Eagain: nothing there. Any other: parts are missing; the kernel goes on to the end.
/// </param>
/// <param name="Bytes">How many bytes are in the buffer; 0 if another process sent them.</param>
/// <param name="IsForeign">True if another process sent them.</param>
internal readonly record struct DumpPart(Errno Error, int Bytes, bool IsForeign)
{
    /// <summary>The kernel fills 32 KiB at most; a larger buffer costs nothing.</summary>
    internal const int BytesMax = 64 * 1024;

    /// <summary>The kernel answers at once; so long a broken one is waited for.</summary>
    internal const int TimeoutMilliseconds = 5000;

    /// <summary>Receives into a buffer of <see cref="BytesMax"/>, without waiting.</summary>
    internal static DumpPart Receive(int fd, Span<byte> buffer)
    {
        Span<byte> source = stackalloc byte[SocketAddress.NetlinkSize];
        Errno error = Libc.ReceiveFrom(fd, buffer, source, out int bytes, out int sourceBytes);
        if (error != Errno.None) { return new DumpPart(error, 0, IsForeign: false); }
        if (!NetlinkSocket.IsFromKernel(source[..sourceBytes]))
        {
            return new DumpPart(Errno.None, 0, IsForeign: true);
        }
        return bytes > buffer.Length
            ? new DumpPart(Errno.Emsgsize, buffer.Length, IsForeign: false)
            : new DumpPart(Errno.None, bytes, IsForeign: false);
    }
}
