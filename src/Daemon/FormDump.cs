using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// The text of a cache in a form of ours, made on a reader's thread from snapshots of its slots.
/// </summary>
/// <param name="table">What to list.</param>
/// <param name="form">JSON or extended.</param>
/// <param name="startedMicroseconds">Zero of the engine's seconds.</param>
internal sealed class FormDump(FlowTable table, ReplyForm form, long startedMicroseconds)
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
            ulong active = (ulong)Math.Max(now - head.CreatedSeconds, 0);
            if (form == ReplyForm.Json) { FlowText.AppendJson(text, in _flow, active, wall); }
            else
            {
                FlowText.AppendExtended(text, in _flow, FlowTextSource.Cache, wall);
                FlowText.AppendActiveSince(text, active);
            }
            text.Append((byte)'\n');
        }
        return true;
    }

    public void Dispose()
    {
    }
}
