using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>The FIFO that keepalived writes to, made and kept open by the daemon.</summary>
/// <remarks>
/// Opened for both directions: so there is never an end of file, keepalived finds a reader, and
/// its lines wait in the pipe while the loop is busy. It is left in place at the end: keepalived
/// keeps its end open, and what it says meanwhile is read by the next daemon. If somebody removed
/// it (keepalived does so at a reload with a FIFO that it had made itself) it is made anew.
/// </remarks>
internal sealed class VrrpFifo : IDisposable
{
    private const int OwnerOnly = 0x180;            // 0600
    private const int WritableByOthers = 0x12;      // 0022
    private const int DirectoryMode = 0x1ED;        // 0755

    private readonly string _path;
    private FileIdentity _identity;

    private VrrpFifo(string path) => _path = path;

    internal int FileDescriptor { get; private set; } = -1;

    /// <summary>Opens it, making it if nothing is there. Null, or why it cannot be used.</summary>
    internal static string? TryOpen(string path, out VrrpFifo? fifo)
    {
        var opened = new VrrpFifo(path);
        string? failed = opened.Open();
        fifo = failed is null ? opened : null;
        return failed;
    }

    /// <summary>True if the path does not name the open FIFO any more.</summary>
    internal bool IsReplaced() =>
        Libc.Identify(_path, out FileIdentity named) != Errno.None || named != _identity;

    /// <summary>Makes the directory of a file; one that exists is left as it is.</summary>
    internal static void MakeFolderOf(string path)
    {
        string? folder = System.IO.Path.GetDirectoryName(path);
        if (string.IsNullOrEmpty(folder)) { return; }
        // The mask of the daemon is for files; keepalived must be able to pass.
        if (Libc.MakeDirectory(folder, DirectoryMode) == Errno.None)
        {
            _ = Libc.ChangeMode(folder, DirectoryMode);
        }
    }

    public void Dispose() => Libc.Close(FileDescriptor);

    private string? Open()
    {
        MakeFolderOf(_path);
        Errno error = Libc.MakeFifo(_path, OwnerOnly);
        if (error is not (Errno.None or Errno.Eexist))
        {
            return Failed($"can't be made: {error.Describe()}");
        }
        error = Libc.Inspect(_path, out FileFacts facts);
        if (error != Errno.None) { return Failed(error.Describe()); }
        // Looked at before it is opened: to open some devices has effects.
        if (ObjectionTo(in facts) is string objection) { return Failed(objection); }
        error = Libc.Open(
            _path, Libc.OpenReadWrite | Libc.OpenNonBlocking | Libc.NoFollow, 0, out int fd);
        if (error != Errno.None) { return Failed($"can't be opened: {error.Describe()}"); }
        FileDescriptor = fd;
        // And again what was opened, for it may be another file by now.
        error = Libc.Inspect(fd, out facts);
        if (error == Errno.None) { error = Libc.Identify(fd, out _identity); }
        string? failed = error == Errno.None ? ObjectionTo(in facts) : error.Describe();
        // Two readers would take each other's lines. Other programs know nothing of the lock.
        if (failed is null && Libc.TryLock(fd) != Errno.None)
        {
            failed = "another conntrackd reads it, expected to be the only reader";
        }
        if (failed is null) { return null; }
        Libc.Close(fd);
        FileDescriptor = -1;
        return Failed(failed);
    }

    private string Failed(string why) => $"VRRP: Notify `{_path}': {why}";

    private static string? ObjectionTo(in FileFacts facts)
    {
        const string Remove = "remove it, the daemon makes a FIFO there";
        if (facts.Kind != FileKind.Fifo)
        {
            string what = facts.Kind switch
            {
                FileKind.Link => "a symbolic link",
                FileKind.Regular => "a regular file",
                FileKind.Directory => "a directory",
                _ => "a special file",
            };
            return $"there is {what}, expected a FIFO; {Remove}";
        }
        if (facts.Owner != Libc.EffectiveUser)
        {
            return $"the FIFO belongs to user {facts.Owner}, expected {Libc.EffectiveUser}; " +
                Remove;
        }
        return (facts.Mode & WritableByOthers) == 0
            ? null : $"the FIFO can be written by others, expected mode 0600; {Remove}";
    }
}
