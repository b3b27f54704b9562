using System.Runtime.ExceptionServices;
using System.Threading;

namespace Conntrackd.Tests;

/// <summary>For what changes the thread it runs on, as entering a network namespace does.</summary>
internal static class OwnThread
{
    /// <summary>
    /// Runs a function on a new thread to its end; what it throws is thrown here.
    /// </summary>
    internal static void Run(Action body)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e); // rethrown on the caller's thread
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
