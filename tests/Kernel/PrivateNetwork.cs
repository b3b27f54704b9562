using System.Diagnostics;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Kernel;

/// <summary>
/// Runs a test on a thread with a network namespace of its own, with nothing in it but "lo", which
/// is up. It has no name and vanishes with the thread and its sockets.
/// </summary>
internal static class PrivateNetwork
{
    internal static void Run(Action body) => OwnThread.Run(() =>
    {
        Assert.Equal(Errno.None, Libc.UnshareNetwork());
        Assert.Equal(
            Errno.None,
            NetworkInterface.AddFlags("lo", InterfaceFlags.Up | InterfaceFlags.Multicast));
        body();
    });

    /// <summary>Runs a program in the namespace of the calling thread; it must succeed.</summary>
    internal static void Command(string program, string arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}: exit {process.ExitCode}");
    }
}
