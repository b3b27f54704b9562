using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>The text of a cache of expectations, made as <see cref="CacheDump"/>.</summary>
/// <param name="table">What to list.</param>
/// <param name="xml">One element a line instead of the default format.</param>
/// <param name="startedMicroseconds">Zero of the engine's seconds.</param>
/// <param name="expirySeconds">Life of an external one in ALARM; 0 = they do not expire.</param>
internal sealed class ExpectationDump(
    ExpectationTable table, bool xml, long startedMicroseconds, uint expirySeconds) : IDumpSource
{
    private uint _at;

    /// <inheritdoc/>
    public string? Failure => null;

    /// <inheritdoc/>
    public bool NextBlock(TextBuffer text)
    {
        long now = (Clock.MonotonicMicroseconds() - startedMicroseconds) / 1_000_000;
        while (text.Length < DumpReader.BlockBytes)
        {
            _at = table.Advance(_at);
            if (_at == 0) { return false; }
            if (!table.TrySnapshot(_at, out ExpectationSlot slot)) { continue; }
            if (xml) { ExpectationText.AppendXml(text, in slot.Value); }
            else
            {
                ExpectationText.Append(text, in slot.Value);
                if (expirySeconds != 0)
                {
                    FlowText.AppendExpiresIn(text, (ulong)Math.Max(
                        (long)slot.TouchedSeconds + expirySeconds - now, 0));
                }
                FlowText.AppendActiveSince(text, (ulong)Math.Max(now - slot.CreatedSeconds, 0));
            }
            text.Append((byte)'\n');
        }
        return true;
    }

    public void Dispose()
    {
    }
}
