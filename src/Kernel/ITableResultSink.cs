using Conntrackd.Linux;

namespace Conntrackd.Kernel;

/// <summary>Is told what became of each request of a <see cref="TableWriter"/>.</summary>
internal interface ITableResultSink
{
    /// <summary>
    /// The request given this token was executed (None) or refused. Enobufs or Etimedout: its
    /// answer was lost, it may have been executed. New requests may be added from here, but not
    /// flushed.
    /// </summary>
    void OnTableResult(int token, Errno error);
}
