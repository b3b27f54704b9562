using System.Globalization;

namespace Conntrackd.Linux;

/// <summary>
/// The text of the configuration, in memory that the next images of the program inherit.
/// </summary>
/// <remarks>
/// The program executes itself to go into the background and to be confined. What came out of a
/// pipe is gone by then, and a file may have changed: every image acts upon what the first one
/// has read. Where there is no such memory (kernels before 3.17) each reads for itself.
/// <code>
/// first image   Pass ----- spawned child   Take ----- confined image   TakeLast
/// </code></remarks>
internal static class PassedText
{
    private const string Variable = "CONNTRACKD_CONFIG_FD";

    // Ours: standard descriptors and Readiness.Descriptor are below.
    private const int FirstDescriptor = 10;

    /// <summary>Makes the text known to the images that follow.</summary>
    internal static void Pass(ReadOnlySpan<byte> text)
    {
        Environment.SetEnvironmentVariable(Variable, null);
        if (Libc.MemoryFile("conntrackd.conf", out int made) != Errno.None) { return; }
        Errno error = Libc.DuplicateFrom(made, FirstDescriptor, out int fd);
        Libc.Close(made);
        if (error != Errno.None) { return; }
        if (Libc.WriteAll(fd, text) != Errno.None)
        {
            Libc.Close(fd);
            return;
        }
        Environment.SetEnvironmentVariable(Variable, fd.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Programs started from now on inherit it, whatever was closed for them.</summary>
    internal static void Keep()
    {
        if (TryFind(out int fd)) { Libc.KeepOnExec(fd); }
    }

    /// <summary>The text, which stays for the next image; null if none was passed.</summary>
    internal static byte[]? Take()
    {
        if (!TryFind(out int fd)) { return null; }
        byte[] text = new byte[16 * 1024];
        int bytes = 0;
        while (true)
        {
            Errno error = Libc.ReadAt(fd, text.AsSpan(bytes), bytes, out int count);
            if (error != Errno.None) { return null; }
            if (count == 0) { return text.AsSpan(0, bytes).ToArray(); }
            bytes += count;
            if (bytes == text.Length) { Array.Resize(ref text, 2 * text.Length); }
        }
    }

    /// <summary>The same in the last image: descriptor and variable go.</summary>
    internal static byte[]? TakeLast()
    {
        byte[]? text = Take();
        if (TryFind(out int fd)) { Libc.Close(fd); }
        Environment.SetEnvironmentVariable(Variable, null);
        return text;
    }

    private static bool TryFind(out int fd) => int.TryParse(
        Environment.GetEnvironmentVariable(Variable), NumberStyles.None,
        CultureInfo.InvariantCulture, out fd) && fd >= FirstDescriptor;
}
