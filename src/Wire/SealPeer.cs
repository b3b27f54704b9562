namespace Conntrackd.Wire;

/// <summary>A node that has proven to be there, and which of its frames were seen.</summary>
/// <param name="slot">Of the cipher.</param>
/// <param name="links">That carry the same frames; 1 if no two do.</param>
internal sealed class SealPeer(int slot, int links)
{
    // What each link has brought: a frame comes once on each of them.
    private readonly ReplayWindow[] _byLink = WindowsFor(links);

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

    private ReplayWindow Window { get; } = new();

    /// <summary>A node takes the place; only what it sends from now on is good.</summary>
    internal void Begin(in Incarnation id, in PeerAddress name, ulong counter, long now)
    {
        Id = id;
        Name = name with { Port = id.Port };
        IsUsed = true;
        Number = 0;
        LeaseUntil = long.MinValue;
        Window.Start(counter);
        foreach (ReplayWindow window in _byLink) { window.Start(counter); }
        (_mark, _floor, _markedAt) = (counter, counter, now);
    }

    /// <summary>Whether a frame with this counter may be new.</summary>
    internal FrameVerdict Look(ulong counter, int link) =>
        counter < _floor || Window.IsBehind(counter) ? FrameVerdict.Late
        : !Window.IsSeen(counter) ? FrameVerdict.Messages
        : IsCopy(counter, link) ? FrameVerdict.Copied : FrameVerdict.Replayed;

    /// <summary>The frame with this counter was authentic.</summary>
    internal void Mark(ulong counter, int link)
    {
        Window.Mark(counter);
        if (_byLink.Length != 0) { _byLink[link].Mark(counter); }
    }

    // Seen, but not on this link: once more it is a replay.
    private bool IsCopy(ulong counter, int link)
    {
        if (_byLink.Length == 0) { return false; }
        ReplayWindow window = _byLink[link];
        if (window.IsBehind(counter) || window.IsSeen(counter)) { return false; }
        window.Mark(counter);
        return true;
    }

    private static ReplayWindow[] WindowsFor(int links)
    {
        var windows = new ReplayWindow[links > 1 ? links : 0];
        for (int i = 0; i < windows.Length; i++) { windows[i] = new ReplayWindow(); }
        return windows;
    }

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
