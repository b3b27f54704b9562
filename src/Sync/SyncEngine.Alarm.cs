using Conntrackd.Cache;

namespace Conntrackd.Sync;

// Mode ALARM: every flow is repeated now and then, and what a peer stops repeating expires.
//
// No timer per flow: ten times a second a tenth of the slots is looked at, so each is seen once a
// second. When an internal flow is due stands in SlotHead.Sequence (no message is in flight in this
// mode), the age of an external one in SlotHead.IdOrTouched. A flow is repeated 1 to RefreshSeconds
// after it was last sent, drawn anew each time, plus up to a second until its slot comes up: the
// original's interval (sync.md 9), and no two nodes or flows stay in step.
internal sealed partial class SyncEngine
{
    private const int TicksPerSecond = 10;
    private const long Tick = Second / TicksPerSecond;
    private const uint SlotsPerStep = 4096;

    /// <summary>Where a walk around a table stands.</summary>
    private struct Walk
    {
        internal uint At;           // slot looked at last
        internal uint Left;         // slots of this tick not yet looked at
    }

    private Walk _refresh;
    private Walk _expiry;
    private long _tickAt;
    private long _tickNow;
    private ulong _drawn;

    private bool IsAlarm => _settings.Mode == SyncMode.Alarm;

    private static uint Ticks(long now) => (uint)(now / Tick);

    private void OnAlarmDeadline(long now)
    {
        if (now < _tickAt) { return; }
        // After a long absence one round is enough.
        _refresh.Left = Share(_refresh.Left, _internal.Slots);
        _expiry.Left = Share(_expiry.Left, _external?.Slots ?? 0);
        _tickNow = now;
        _tickAt = now + Tick;
    }

    private static uint Share(uint left, uint slots) =>
        Math.Min(slots, left + (slots / TicksPerSecond) + 1);

    // When there is something to look at next.
    private long AlarmDeadline() =>
        _internal.Count != 0 || _external is { Count: not 0 } ? _tickAt : long.MaxValue;

    // Draws when a flow that is sent or stored now is to be repeated.
    private void Schedule(uint handle, long now)
    {
        if (!IsAlarm) { return; }
        _internal.Head(handle).Sequence = Ticks(now) + (DrawRefresh() * TicksPerSecond);
    }

    // Knuth's generator; which flow is repeated when need not be a secret.
    private uint DrawRefresh()
    {
        _drawn = (_drawn * 6364136223846793005) + 1442695040888963407;
        return 1 + (uint)((_drawn >> 33) % _settings.RefreshSeconds);
    }

    // A bounded piece of both walks. True if slots of this tick are left.
    private bool StepAlarm()
    {
        if (!IsAlarm) { return false; }
        uint now = Ticks(_tickNow);
        for (uint budget = SlotsPerStep; _refresh.Left != 0 && budget != 0; budget--)
        {
            if (!TryAdvance(_internal, ref _refresh)) { continue; }
            ref SlotHead head = ref _internal.Head(_refresh.At);
            bool due = (int)(now - head.Sequence) >= 0 && (head.Life & SlotLife.Dead) == 0;
            if (!due) { continue; }
            Counters.Refreshed++;
            Announce(_refresh.At);
        }
        uint seconds = Seconds(_tickNow);
        for (uint budget = SlotsPerStep; _expiry.Left != 0 && budget != 0; budget--)
        {
            if (!TryAdvance(_external!, ref _expiry)) { continue; }
            uint age = seconds - _external!.Head(_expiry.At).IdOrTouched;
            if ((int)age <= (int)_settings.CacheTimeoutSeconds) { continue; }
            Counters.Expired++;
            _external.Kill(_expiry.At);
            _external.Remove(_expiry.At);
        }
        return (_refresh.Left | _expiry.Left) != 0;
    }

    // On to the next slot, around the end. False if it holds no flow.
    private static bool TryAdvance(FlowTable table, ref Walk walk)
    {
        walk.Left--;
        walk.At = table.Advance(walk.At);
        if (walk.At == 0) { walk.At = table.Advance(0); }
        if (walk.At != 0) { return table.IsInUse(walk.At); }
        walk.Left = 0;
        return false;
    }
}
