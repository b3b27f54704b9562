using System.Runtime.InteropServices;

namespace Conntrackd.Linux;

/// <summary>Result of a system call: 0, or the number the kernel gave, always positive.</summary>
/// <remarks>
/// Only the numbers somebody decides on have a name; any other value may occur. Source:
/// asm-generic/errno-base.h and errno.h, equal on x86-64 and arm64.
/// </remarks>
internal enum Errno
{
    None = 0,
    Eperm = 1,
    Enoent = 2,
    Esrch = 3,
    Eintr = 4,
    Eio = 5,
    Enxio = 6,
    Ebadf = 9,
    Echild = 10,
    Eagain = 11,
    Enomem = 12,
    Eacces = 13,
    Ebusy = 16,
    Eexist = 17,
    Enodev = 19,
    Enotdir = 20,
    Einval = 22,
    Enospc = 28,
    Epipe = 32,
    Erange = 34,
    Enametoolong = 36,
    Enodata = 61,
    Etime = 62,
    Eproto = 71,
    Emsgsize = 90,
    Enoprotoopt = 92,
    Eopnotsupp = 95,
    Eafnosupport = 97,
    Eaddrinuse = 98,
    Eaddrnotavail = 99,
    Enetdown = 100,
    Enetunreach = 101,
    Econnreset = 104,
    Enobufs = 105,
    Enotconn = 107,
    Etimedout = 110,
    Econnrefused = 111,
    Ehostunreach = 113,
    Einprogress = 115,
}

/// <summary>Words for an <see cref="Errno"/>.</summary>
internal static class ErrnoText
{
    /// <summary>The C library's sentence, for example "No such file or directory".</summary>
    internal static string Describe(this Errno error) =>
        Marshal.GetPInvokeErrorMessage((int)error);
}
