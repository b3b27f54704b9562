using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// The file by which keepalived learns whether this node may take over: 0 in sync, 1 stand back.
/// </summary>
/// <remarks>
/// keepalived watches it and takes a missing or an empty file for 0. So the new value is written
/// under another name, which then becomes the file in one step.
/// </remarks>
internal sealed class TrackFile(string path)
{
    private const int OwnerWrites = 0x1A4;          // 0644

    /// <summary>What it says now; null if it is not there or says nothing.</summary>
    internal int? Read()
    {
        Errno error = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenNonBlocking, 0, out int fd);
        if (error != Errno.None) { return null; }
        Span<byte> text = stackalloc byte[8];
        error = Libc.Read(fd, text, out int count);
        Libc.Close(fd);
        if (error != Errno.None || count < 1) { return null; }
        return text[0] switch
        {
            (byte)'0' => 0,
            (byte)'1' => 1,
            _ => null,
        };
    }

    /// <summary>Sets the value. Null, or what failed.</summary>
    internal string? Write(int value)
    {
        VrrpFifo.MakeFolderOf(path);
        string next = path + ".new";
        // Whatever a crash left there.
        _ = Libc.Unlink(next);
        Errno error = Libc.Open(
            next, Libc.OpenWriteOnly | Libc.OpenCreate | Libc.NoFollow, OwnerWrites, out int fd);
        if (error == Errno.None)
        {
            error = Libc.WriteAll(fd, value == 0 ? "0\n"u8 : "1\n"u8);
            Libc.Close(fd);
        }
        if (error == Errno.None) { error = Libc.Rename(next, path); }
        return error == Errno.None
            ? null : $"VRRP: TrackFile `{path}' can't be set to {value}: {error.Describe()}";
    }
}
