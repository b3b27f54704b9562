using System.Threading;
using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>A thread that writes one dump to one client and ends.</summary>
/// <remarks>
/// It owns connection and source from <see cref="TryStart"/> on and shares nothing with the loop
/// but two flags. A client that stops reading (a pager) holds this thread and nothing else, until
/// it has taken no byte for the given time.
/// </remarks>
internal sealed class DumpReader
{
    /// <summary>What a source should append at a time.</summary>
    internal const int BlockBytes = 32_768;

    private const int StackBytes = 262_144;
    private const int StopCheckMilliseconds = 100;
    private const int OrdinaryPolicy = 0;       // SCHED_OTHER
    private const int OrdinaryNice = 0;

    private readonly int _fd;
    private readonly bool _framed;
    private readonly IDumpSource _source;
    private Thread? _thread;
    private volatile int _stallMilliseconds;
    private volatile bool _stop;
    private volatile bool _ended;
    private volatile int _id;

    private DumpReader(int fd, bool isOwner, bool framed, IDumpSource source, int stallMilliseconds)
    {
        _fd = fd;
        IsOwner = isOwner;
        _framed = framed;
        _source = source;
        _stallMilliseconds = stallMilliseconds;
    }

    /// <summary>Number of the thread, for <c>-s process</c>; 0 until it runs.</summary>
    internal int Id => _id;

    /// <summary>True if the client is root or the daemon's own user.</summary>
    internal bool IsOwner { get; }

    /// <summary>True once connection and source are closed.</summary>
    internal bool HasEnded => _ended;

    /// <summary>
    /// Null if the system has no room for another thread; then nothing was closed.
    /// </summary>
    internal static DumpReader? TryStart(
        int fd, bool isOwner, bool framed, IDumpSource source, int stallMilliseconds)
    {
        var reader = new DumpReader(fd, isOwner, framed, source, stallMilliseconds);
        reader._thread = SideThread.TryStart("dump", StackBytes, reader.Run);
        return reader._thread is null ? null : reader;
    }

    /// <summary>Has less patience from now on with a client that takes nothing.</summary>
    internal void Hurry(int stallMilliseconds) =>
        _stallMilliseconds = Math.Min(_stallMilliseconds, stallMilliseconds);

    /// <summary>Ends the dump where it stands and waits for the thread.</summary>
    internal void Stop()
    {
        _stop = true;
        _thread!.Join();
    }

    private void Run()
    {
        _id = Libc.ThreadId;

        // The loop may run in real time, which a new thread inherits; a dump must not compete.
        _ = Libc.SetScheduler(OrdinaryPolicy, 0);
        _ = Libc.SetPriority(OrdinaryNice);
        var text = new TextBuffer(2 * BlockBytes);
        bool more = true;
        bool delivered = true;
        while (more && delivered)
        {
            more = _source.NextBlock(text);
            if (!more && _framed) { ReplyFrame.AppendEnd(text, _source.Failure); }
            delivered = TryWrite(text.Written);
            text.Clear();
        }
        _source.Dispose();
        Libc.Close(_fd);
        _ended = true;
    }

    /// <summary>False if the client went away or stands still, or the daemon stops.</summary>
    private bool TryWrite(ReadOnlySpan<byte> text)
    {
        int stalledMilliseconds = 0;
        while (!_stop)
        {
            if (text.IsEmpty) { return true; }
            Errno error = Libc.Send(_fd, text, out int count);
            if (error == Errno.None)
            {
                text = text[count..];
                stalledMilliseconds = 0;
                continue;
            }
            bool givenUp = stalledMilliseconds >= _stallMilliseconds;
            if (error != Errno.Eagain || givenUp) { return false; }
            if (Libc.WaitWritable(_fd, StopCheckMilliseconds) == Errno.Etimedout)
            {
                stalledMilliseconds += StopCheckMilliseconds;
            }
        }
        return false;
    }
}
