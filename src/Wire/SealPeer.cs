namespace Conntrackd.Wire;

/// <summary>A node that has proven to be there, and which of its frames were seen.</summary>
internal sealed class SealPeer(int slot)
{
    private ulong _mark;            // counter of a beacon, some time ago
    private ulong _floor;           // of one before it
    private long _markedAt;

    /// <summary>Of the cipher.</summary>
    internal int Slot => slot;

    internal Incarnation Id { get; private set; }

    /// <summary>False: the place is free.</summary>
    internal bool IsUsed { get; private set; }

    /// <summary>What the engine knows it by: where it was heard first, this incarnation.</summary>
    internal PeerAddress Name { get; private set; }

    /// <summary>Until when its last proof holds.</summary>
    internal long LeaseUntil { get; set; }

    /// <summary>Number of the latest beacon heard.</summary>
    internal uint Number { get; private set; }

    /// <summary>When that was.</summary>
    internal long HeardAt { get; private set; }

    internal ReplayWindow Window { get; } = new();

    /// <summary>A node takes the place; only what it sends from now on is good.</summary>
    internal void Begin(in Incarnation id, in PeerAddress name, ulong counter, long now)
    {
        Id = id;
        Name = name with { Port = id.Port };
        IsUsed = true;
        Number = 0;
        LeaseUntil = long.MinValue;
        Window.Start(counter);
        (_mark, _floor, _markedAt) = (counter, counter, now);
    }

    /// <summary>Whether a frame with this counter may be new.</summary>
    internal FrameVerdict Look(ulong counter) =>
        counter < _floor || Window.IsBehind(counter) ? FrameVerdict.Late
        : Window.IsSeen(counter) ? FrameVerdict.Replayed : FrameVerdict.Messages;

    /// <summary>
    /// A beacon of it came: what it sent before the one <paramref name="delayMax"/> to twice that
    /// ago is too late from now on.
    /// </summary>
    internal void OnBeacon(uint number, ulong counter, long now, long delayMax)
    {
        if ((int)(number - Number) <= 0) { return; }
        Number = number;
        HeardAt = now;
        if (now - _markedAt < delayMax) { return; }
        (_floor, _mark, _markedAt) = (_mark, counter, now);
    }
}
