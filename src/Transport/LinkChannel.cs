using System.Collections.Generic;
using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>One dedicated link, whatever carries it: what is staged leaves in order.</summary>
/// <remarks>
/// A piece is what <see cref="Reserve"/> gave and <see cref="Commit"/> staged: whole messages, a
/// datagram or a part of a stream.
/// </remarks>
internal abstract class LinkChannel(ChannelCounters counters) : IDisposable
{
    internal ChannelCounters Counters { get; } = counters;

    /// <summary>Bytes that a piece should not exceed.</summary>
    internal abstract int PayloadMax { get; }

    /// <summary>True if several pieces of one length cost less than of several.</summary>
    internal virtual bool LikesEqual => false;

    /// <summary>Datagrams, or bytes of a stream, that are staged and have not left.</summary>
    internal abstract int StagedCount { get; }

    /// <summary>TCP: the peer is connected to us.</summary>
    internal virtual bool IsServerConnected => true;

    /// <summary>TCP: we are connected to the peer.</summary>
    internal virtual bool IsClientConnected => true;

    /// <summary>True if a stalled <see cref="Flush"/> makes itself known to the loop.</summary>
    internal virtual bool WakesWhenWritable => false;

    /// <summary>When <see cref="OnDeadline"/> is to be called, monotonic microseconds.</summary>
    internal virtual long NextDeadline => long.MaxValue;

    /// <summary>
    /// Room for the next piece: <see cref="PayloadMax"/> bytes or more. Empty if no more is taken
    /// now: flush, and if that stalls, wait.
    /// </summary>
    internal abstract Span<byte> Reserve();

    /// <summary>Stages the first bytes of what <see cref="Reserve"/> gave.</summary>
    internal abstract void Commit(int bytes);

    /// <summary>Sends what is staged. False if the rest must wait.</summary>
    internal abstract bool Flush();

    /// <summary>
    /// Takes out what is staged and can be sent elsewhere: whole messages, in order.
    /// </summary>
    internal abstract void Unstage(Queue<byte[]> pieces);

    /// <summary>Receives in the loop from now on.</summary>
    internal abstract Errno Register(EventLoop loop, IDatagramHandler handler);

    /// <summary>
    /// The interface has another MTU. False if the channel must be opened anew for it.
    /// </summary>
    internal abstract bool TryFollow(int mtu);

    /// <summary>Does what is due.</summary>
    internal virtual void OnDeadline()
    {
    }

    /// <summary>Leaves the loop and closes everything.</summary>
    public abstract void Dispose();
}
