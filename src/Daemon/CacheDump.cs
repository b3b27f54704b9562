using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>The text of a cache, made on a reader's thread from snapshots of its slots.</summary>
/// <param name="table">What to list.</param>
/// <param name="xml">One element a line instead of the default format.</param>
/// <param name="startedMicroseconds">Zero of the engine's seconds.</param>
/// <param name="expirySeconds">Life of an external flow in ALARM; 0 = they do not expire.</param>
internal sealed class CacheDump(
    FlowTable table, bool xml, long startedMicroseconds, uint expirySeconds) : IDumpSource
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
            if (xml) { FlowText.AppendXml(text, in _flow, FlowTextSource.Cache, wall); }
            else
            {
                FlowText.Append(text, in _flow, FlowTextSource.Cache, wall);
                if (expirySeconds != 0)
                {
                    FlowText.AppendExpiresIn(text, (ulong)Math.Max(
                        (long)head.IdOrTouched + expirySeconds - now, 0));
                }
                FlowText.AppendActiveSince(text, (ulong)Math.Max(now - head.CreatedSeconds, 0));
            }
            text.Append((byte)'\n');
        }
        return true;
    }

    public void Dispose()
    {
    }
}
