using System.Threading;

namespace Conntrackd.Linux;

/// <summary>Threads beside the loop's, each for one piece of work.</summary>
internal static class SideThread
{
    /// <summary>
    /// Starts a thread; it does not keep the process alive. Null if the system has no room for
    /// another one.
    /// </summary>
    /// <param name="name">As the runtime and the kernel show it.</param>
    /// <param name="stackBytes">Address space; what is touched is used.</param>
    /// <param name="run">What it does.</param>
    internal static Thread? TryStart(string name, int stackBytes, ThreadStart run)
    {
        var thread = new Thread(run, stackBytes) { IsBackground = true, Name = name };
        try
        {
            thread.Start();
            return thread;
        }
        catch (OutOfMemoryException)
        {
            // The runtime's word for EAGAIN of pthread_create.
            return null;
        }
    }
}
