using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>The text of a cache, made on a reader's thread from snapshots of its slots.</summary>
/// <param name="table">What to list.</param>
/// <param name="line">How.</param>
/// <param name="startedMicroseconds">Zero of the engine's seconds.</param>
/// <param name="expirySeconds">Life of an external flow in ALARM; 0 = they do not expire.</param>
internal sealed class CacheDump(
    FlowTable table, FlowLine line, long startedMicroseconds, uint expirySeconds = 0)
    : IDumpSource
{
    private Flow _flow;
    private uint _at;

    /// <inheritdoc/>
    public string? Failure => null;

    /// <inheritdoc/>
    public bool NextBlock(TextBuffer text)
    {
        long wall = Clock.WallSeconds();
        long now = (Clock.MonotonicMicroseconds() - startedMicroseconds) / 1_000_000;
        while (text.Length < DumpReader.BlockBytes)
        {
            _at = table.Advance(_at);
            if (_at == 0) { return false; }
            if (!table.TrySnapshot(_at, ref _flow, out SlotHead head)) { continue; }
            ulong? expires = expirySeconds == 0
                ? null : (ulong)Math.Max((long)head.IdOrTouched + expirySeconds - now, 0);
            ulong active = (ulong)Math.Max(now - head.CreatedSeconds, 0);
            line.Append(text, in _flow, wall, active, expires);
        }
        return true;
    }

    public void Dispose()
    {
    }
}
