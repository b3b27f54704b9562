using System.Numerics;
using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Sync;

/// <summary>
/// The walk that puts the external cache into the kernel: what suffers most from being late first,
/// related flows last, so that masters exist. A cursor: the owner takes flows in pieces.
/// </summary>
/// <remarks>
/// The first round counts ages. From that come the limits of the next ones, so that the newest few
/// hundred flows are through within a millisecond, however many came in the same minute:
/// <code>
/// Shiftable    translated, not TCP: a packet that comes too early gets another translation
/// Newest       the youngest 256, or a little more
/// Translated   the rest of them: a firewall may answer their segments itself
/// Newer        the youngest 4096
/// Recent       the youngest 32768
/// Rest         what is left; those about to end anyway (TIME_WAIT, CLOSE) are here only
/// Related      flows with a master
/// </code>
/// A segment that is lost before the commit is repeated after 0.2, 0.4, 0.8 s: where the newest
/// flows came with all others of their minute, 200,000 of them cost one repetition, 0.8 s.
/// </remarks>
/// <param name="external">The cache; it is left unchanged.</param>
/// <param name="commitTimeoutSeconds">Timeout of every flow, 0 = what is left of its own.</param>
/// <param name="isMeant">Says which flows are committed; null: all.</param>
internal sealed class Commit(
    FlowTable external, uint commitTimeoutSeconds, FlowTest? isMeant = null)
{
    /// <summary>Timeout of a flow of which too little is left (sync.md 13.2).</summary>
    private const uint FallbackTimeoutSeconds = 60;

    private const int NewestCount = 256, NewerCount = 4096, RecentCount = 32_768;
    private const byte TcpTimeWait = 7;             // TCP_CONNTRACK_TIME_WAIT; 8 is CLOSE
    private const int AgesMax = 64;                 // seconds told apart; the last is "older"

    private const FlowAttributes Translations =
        FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat | FlowAttributes.Dpat;
    private const FlowAttributes MasterKnown = FlowAttributes.Master | FlowAttributes.MasterL4Keys;

    /// <summary>What is taken in one round through the cache.</summary>
    private enum Pass : byte
    {
        Count,
        Shiftable,
        Newest,
        Translated,
        Newer,
        Recent,
        Rest,
        Related,
    }

    private readonly uint[] _ages = new uint[AgesMax];
    private Pass _pass;
    private uint _at;
    private uint _ageMax;               // of a round that takes by age, seconds

    // A bit for each slot that was taken: a flow may change between the passes, and none is missed.
    private ulong[] _taken = [];

    /// <summary>True when all passes have been taken.</summary>
    internal bool IsDone { get; private set; }

    /// <summary>
    /// Takes the next flow. False if <paramref name="budget"/> slots were looked at in vain or all
    /// is done.
    /// </summary>
    internal bool TryTake(
        ref Flow flow, uint nowSeconds, ref int budget, out uint timeoutSeconds)
    {
        timeoutSeconds = 0;
        while (!IsDone && budget > 0)
        {
            uint handle = external.Next(_at, ref budget);
            _at = handle;
            if (handle == 0)
            {
                BeginNextPass();
                continue;
            }
            if (!external.IsInUse(handle) || !IsDue(handle, nowSeconds)) { continue; }
            external.Load(handle, ref flow);
            if (isMeant is not null && !isMeant(in flow)) { continue; }
            timeoutSeconds = TimeoutOf(in flow, external.Head(handle).IdOrTouched, nowSeconds);
            return true;
        }
        return false;
    }

    private void BeginNextPass()
    {
        IsDone = _pass == Pass.Related;
        _pass++;
        int count = _pass switch
        {
            Pass.Newest => NewestCount,
            Pass.Newer => NewerCount,
            Pass.Recent => RecentCount,
            _ => 0,
        };
        uint sum = 0;
        for (int age = 0; age < AgesMax && count != 0; age++)
        {
            sum += _ages[age];
            _ageMax = (uint)age;
            if (sum >= count) { return; }
        }
    }

    private bool IsDue(uint handle, uint nowSeconds)
    {
        ref SlotHead head = ref external.Head(handle);
        bool related = (head.Present & MasterKnown) == MasterKnown;
        if (related || _pass == Pass.Related) { return related && _pass == Pass.Related; }
        uint age = Math.Min(nowSeconds - head.IdOrTouched, AgesMax - 1);
        bool isTcp = head.Protocol == L4Protocol.Tcp;
        bool isEnding = isTcp && (head.Present & FlowAttributes.ProtocolState) != 0 &&
            head.ProtocolState >= TcpTimeWait;
        if (_pass == Pass.Count)
        {
            if (!isEnding) { _ages[age]++; }
            return false;
        }
        bool translated = (head.Present & Translations) != 0;
        bool due = _pass switch
        {
            Pass.Rest => true,
            Pass.Shiftable => translated && !isTcp,
            Pass.Translated => translated && !isEnding,
            _ => age <= _ageMax && !isEnding,
        };
        return due && Mark(handle);
    }

    // False if it was taken before.
    private bool Mark(uint handle)
    {
        // The highest bit tells IPv4 from IPv6, the others count from 1 in each: interleaved.
        uint index = BitOperations.RotateLeft(handle, 1);
        int word = (int)(index / 64);
        ulong bit = 1ul << (int)(index % 64);
        if (word >= _taken.Length) { Array.Resize(ref _taken, Math.Max(word + 1, 2 * word)); }
        bool taken = (_taken[word] & bit) != 0;
        _taken[word] |= bit;
        return !taken;
    }

    private uint TimeoutOf(in Flow flow, uint touchedSeconds, uint nowSeconds)
    {
        if (commitTimeoutSeconds != 0) { return commitTimeoutSeconds; }
        uint stored = flow.Has(FlowAttributes.Timeout) ? flow.TimeoutSeconds : 0;
        uint elapsed = nowSeconds - touchedSeconds;
        return stored > elapsed ? stored - elapsed : FallbackTimeoutSeconds;
    }
}
