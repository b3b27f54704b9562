using System.Runtime.InteropServices;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Threads of the test that stand in a network namespace of a lab.</summary>
internal static partial class NamespaceThread
{
    /// <summary>Runs a function there, on a thread of its own, to its end.</summary>
    internal static void Run(string namespaceName, Action body) => OwnThread.Run(() =>
    {
        Enter(namespaceName);
        body();
    });

    /// <summary>The calling thread alone; it ends there.</summary>
    internal static void Enter(string namespaceName)
    {
        Assert.Equal(Errno.None, Libc.Open(
            $"/run/netns/{namespaceName}", Libc.OpenReadOnly, 0, out int fd));
        int refused = SetNamespace(fd, 0);
        Libc.Close(fd);
        Assert.Equal(0, refused);
    }

    [LibraryImport("libc", EntryPoint = "setns")]
    private static partial int SetNamespace(int fd, int kind);
}
