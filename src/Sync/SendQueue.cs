namespace Conntrackd.Sync;

/// <summary>Handles of flows that wait to be announced, first in, first out.</summary>
/// <remarks>
/// Flows wait, not bytes: a flow that changes five times before its turn costs one message, and the
/// queue is no longer than the table, because each slot knows whether it waits already. A flow
/// that leaves the queue out of turn only loses its mark; its place is skipped when it comes up.
/// </remarks>
internal sealed class SendQueue
{
    private uint[] _ring = new uint[1024];
    private uint _head;
    private uint _tail;

    /// <summary>Places taken, the abandoned ones included.</summary>
    internal uint Count => _tail - _head;

    /// <summary>Handles ever pushed, wraps.</summary>
    internal uint Pushed => _tail;

    /// <summary>Handles ever popped, wraps.</summary>
    internal uint Popped => _head;

    /// <summary>Appends a handle.</summary>
    internal void Push(uint handle)
    {
        if (Count == _ring.Length) { Grow(); }
        _ring[_tail & (_ring.Length - 1)] = handle;
        _tail++;
    }

    /// <summary>The handle whose turn it is; only if <see cref="Count"/> is not 0.</summary>
    internal uint Peek() => _ring[_head & (_ring.Length - 1)];

    /// <summary>Drops the handle whose turn it was.</summary>
    internal void Pop() => _head++;

    private void Grow()
    {
        uint[] larger = new uint[_ring.Length * 2];
        for (uint at = _head; at != _tail; at++)
        {
            larger[at & (larger.Length - 1)] = _ring[at & (_ring.Length - 1)];
        }
        _ring = larger;
    }
}
