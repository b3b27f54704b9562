using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Threads of the test that stand in a network namespace of a lab.</summary>
internal static partial class NamespaceThread
{
    /// <summary>Runs a function there, on a thread of its own, to its end.</summary>
    internal static void Run(string namespaceName, Action body)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(namespaceName);
                body();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e); // rethrown on the test's thread
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

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
