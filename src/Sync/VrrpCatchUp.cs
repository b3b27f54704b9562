namespace Conntrackd.Sync;

/// <summary>
/// Finds out when this node knows what its peers know: asks for everything, repeats that until
/// something comes, and sees the end.
/// </summary>
/// <remarks>
/// A peer of our own kind ends its bulk with a mark. From the original there is none, and ordinary
/// traffic never stops, so the end is when the number of flows known stands still. (The original
/// repeats flows that are known; only growth counts.)
/// </remarks>
internal sealed class VrrpCatchUp
{
    private const long RequestInterval = 2 * SyncEngine.Second;

    // Ordinary traffic: so many flows more, or a hundredth, are no sign of a bulk.
    private const long GrowthFew = 20;
    private const int GrowthShare = 100;

    // A peer that has nothing answers nothing; a request may be lost. After three it is believed.
    private const int RequestsUnanswered = 3;

    // Peers are given up after this silence, so before it has passed nobody can be missed.
    private const long PeerSilenceMax = 5 * SyncEngine.Second;

    private long _startedAt;
    private long _askedAt;
    private int _requests;
    private long _quietSince;
    private long _known;
    private ulong _received;
    private ulong _bulks;

    internal bool IsRunning { get; private set; }

    /// <summary>When it began.</summary>
    internal long StartedAt => _startedAt;

    /// <summary>Begins, or begins anew.</summary>
    internal void Start(in VrrpView view, long now)
    {
        IsRunning = true;
        _startedAt = now;
        _askedAt = now - RequestInterval;
        _requests = 0;
        _quietSince = now;
        _known = view.KnownCount;
        _received = view.Received;
        _bulks = view.BulksReceived;
    }

    /// <summary>Nobody waits for it any more.</summary>
    internal void Stop() => IsRunning = false;

    /// <summary>Looks again; not No at the end, which also stops it.</summary>
    /// <param name="settings">Times.</param>
    /// <param name="view">The daemon now.</param>
    /// <param name="now">Time.</param>
    /// <param name="ask">True if the peers are to be asked now.</param>
    internal VrrpSynced Advance(
        VrrpSettings settings, in VrrpView view, long now, out bool ask)
    {
        ask = false;
        VrrpSynced end = FindEnd(settings, in view, now);
        if (end != VrrpSynced.No)
        {
            IsRunning = false;
            return end;
        }
        bool unanswered = view.Received == _received;
        ask = _requests == 0 || (unanswered && now - _askedAt >= RequestInterval);
        if (ask)
        {
            _askedAt = now;
            _requests++;
        }
        return VrrpSynced.No;
    }

    private VrrpSynced FindEnd(VrrpSettings settings, in VrrpView view, long now)
    {
        // Not sooner: a port that has just come up carries nothing for a moment.
        bool settled = now - _startedAt >= settings.QuietMicroseconds;
        if (view.BulksReceived != _bulks && settled) { return VrrpSynced.BulkEnd; }
        if (!view.IsPeerAlive && now >= PeerSilenceMax) { return VrrpSynced.NoPeer; }
        bool isLate = settings.HoldOffMicroseconds != 0 &&
            now - _startedAt >= settings.HoldOffMicroseconds;
        if (isLate) { return VrrpSynced.TimedOut; }
        long growth = Math.Abs(view.KnownCount - _known);
        if (view.IsReceivingBulk || growth > Math.Max(GrowthFew, view.KnownCount / GrowthShare))
        {
            _known = view.KnownCount;
            _quietSince = now;
        }
        bool heard = view.Received != _received ||
            (_requests >= RequestsUnanswered && now - _askedAt >= settings.QuietMicroseconds);
        bool quiet = now - _quietSince >= settings.QuietMicroseconds;
        return view.IsPeerAlive && heard && quiet ? VrrpSynced.Quiet : VrrpSynced.No;
    }
}
