using Conntrackd.Cache;
using Conntrackd.Conntrack;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

// Expectations: as flows in every respect (one queue, one numbering, acknowledged and repaired
// alike), but in tables of their own and with an end: nothing stays longer than its timeout.
//
//   own kernel   event, dump -> internal table -> send queue, behind its master -> peers
//   a peer       message -> external table (or injected) -> commit; removed when its time is over
internal sealed partial class SyncEngine
{
    /// <summary>Tells handles of expectations from those of flows in the send queue.</summary>
    private const uint ExpectationBit = 1u << 30;

    /// <summary>
    /// Life in the external cache of one that came without timeout (CommitTimeout at the peer). The
    /// longest of common helpers, SIP registrations, is an hour.
    /// </summary>
    private const uint UnknownTimeoutSeconds = 3600;

    /// <summary>The kernel tells the end of an own one; if it does not come, it is asked.</summary>
    private const uint OverdueSeconds = 2;

    private ExpectationTable? _expectations;
    private ExpectationTable? _externalExpectations;
    private IExpectationInjector? _expectationInjector;
    private Expectation _expectation;
    private Flow _master;
    private bool _dumpingExpectations;
    private bool _announceExpectations;
    private bool _announceExpectationSweep;
    private byte _expectationGeneration;
    private uint _bulkExpectationAt;
    private long _expireAt;

    /// <summary>Switches the replication of expectations on, before anything else is fed.</summary>
    /// <param name="own">The own kernel's.</param>
    /// <param name="external">The peers'; null if they go to the injector.</param>
    /// <param name="injector">Where they go without an external cache.</param>
    internal void ReplicateExpectations(
        ExpectationTable own, ExpectationTable? external, IExpectationInjector? injector)
    {
        _expectations = own;
        _externalExpectations = external;
        _expectationInjector = injector;
    }

    /// <summary>
    /// True if an own expectation is past its time and the kernel has said nothing: a dump is
    /// needed, since the kernel prolongs without an event.
    /// </summary>
    internal bool WantsExpectationDump { get; private set; }

    /// <summary>An event of the own kernel. False if its master is not in the cache.</summary>
    internal bool OnExpectation(
        FlowEventKind kind, ref Expectation expectation, bool announce, long now)
    {
        ExpectationTable table = _expectations!;
        uint handle = table.Find(in expectation);
        if (kind == FlowEventKind.Destroy)
        {
            if (handle == 0 || table.At(handle).IsDead) { table.Counters.DestroyNotFound++; }
            else { DestroyExpectation(handle, announce); }
            return true;
        }
        if (!HasMaster(in expectation)) { return false; }
        if (handle == 0)
        {
            handle = table.Add(in expectation, Seconds(now));
            if (handle == 0) { return true; }
        }
        else if (kind == FlowEventKind.New || table.At(handle).IsDead)
        {
            RenewExpectation(handle, in expectation, now);
        }
        else { table.Update(handle, in expectation, Seconds(now)); }
        table.At(handle).Generation = _expectationGeneration;
        if (announce) { AnnounceExpectation(handle); }
        return true;
    }

    /// <summary>
    /// A read of the kernel's expectations begins; as <see cref="BeginDump"/>, which comes first so
    /// that masters are known.
    /// </summary>
    internal void BeginExpectationDump(bool announce, bool announceSweep)
    {
        _announceExpectations = announce;
        _announceExpectationSweep = announceSweep;
        _expectationGeneration++;
        _dumpingExpectations = true;
        WantsExpectationDump = false;
    }

    /// <summary>One record of the table. False if its master is not in the cache.</summary>
    internal bool OnExpectationRecord(ref Expectation expectation, long now)
    {
        if (!HasMaster(in expectation)) { return false; }
        ExpectationTable table = _expectations!;
        uint handle = table.Find(in expectation);
        if (handle == 0)
        {
            handle = table.Add(in expectation, Seconds(now));
            if (handle == 0) { return true; }
            table.At(handle).Generation = _expectationGeneration;
            if (_announceExpectations) { AnnounceExpectation(handle); }
            return true;
        }
        ref ExpectationSlot slot = ref table.At(handle);
        bool same = !expectation.Has(ExpectationAttributes.Id) ||
            !slot.Value.Has(ExpectationAttributes.Id) || slot.Value.Id == expectation.Id;
        // Gone after the kernel wrote this record: the event came first, the record is old.
        if (slot.IsDead && same) { return true; }
        bool differs = slot.IsDead || !same || slot.Value.Differs(in expectation) ||
            expectation.TimeoutSeconds >
                slot.RemainingSeconds(Seconds(now), UnknownTimeoutSeconds) + OverdueSeconds;
        if (slot.IsDead || !same) { RenewExpectation(handle, in expectation, now); }
        else { table.Update(handle, in expectation, Seconds(now)); }
        slot.Generation = _expectationGeneration;
        if (differs && _announceExpectations) { AnnounceExpectation(handle); }
        return true;
    }

    /// <summary>
    /// The table was read: what it did not show is destroyed, unless it was read in part.
    /// </summary>
    internal void OnExpectationDumpEnd(bool complete)
    {
        ExpectationTable table = _expectations!;
        _dumpingExpectations = false;
        for (uint handle = table.Next(0); handle != 0; handle = table.Next(handle))
        {
            ref ExpectationSlot slot = ref table.At(handle);
            if (slot.IsDead) { FreeIfForgottenExpectation(handle); }
            else if (complete && slot.Generation != _expectationGeneration)
            {
                DestroyExpectation(handle, _announceExpectationSweep);
            }
        }
    }

    /// <summary>
    /// A flow that was asked of the kernel because events do not tell all of it. What is new is
    /// announced; a flow that is not in the cache, or another one by now, is left to its events.
    /// </summary>
    internal void OnLookup(ref Flow flow)
    {
        uint handle = _internal.Find(in flow);
        if (handle == 0 || IsDead(handle)) { return; }
        ref SlotHead head = ref _internal.Head(handle);
        bool sameEntry = !flow.Has(FlowAttributes.Id) || head.IdOrTouched == flow.Id ||
            (head.Present & FlowAttributes.Id) == 0;
        if (!sameEntry || !_internal.Differs(handle, in flow)) { return; }
        _internal.Merge(handle, in flow);
        Announce(handle);
    }

    /// <summary>True if the cache has the flow without its sequence adjustment.</summary>
    internal bool LacksAdjustment(in Flow flow)
    {
        uint handle = _internal.Find(in flow);
        return handle != 0 && !IsDead(handle) &&
            (_internal.Head(handle).Present & FlowAttributes.SequenceAdjust) == 0;
    }

    /// <summary>Empties the internal cache of expectations; nothing is announced.</summary>
    internal void FlushInternalExpectations()
    {
        if (_expectations is not ExpectationTable table) { return; }
        for (uint handle = table.Next(0); handle != 0; handle = table.Next(handle))
        {
            WithdrawExpectation(handle);
            table.Remove(handle);
        }
    }

    /// <summary>
    /// Empties the external cache of expectations, or of those whose masters are meant: before
    /// the masters themselves are flushed.
    /// </summary>
    internal void FlushExternalExpectations(FlowTest? isMeant = null)
    {
        if (_externalExpectations is not ExpectationTable table) { return; }
        for (uint handle = table.Next(0); handle != 0; handle = table.Next(handle))
        {
            if (isMeant is not null)
            {
                table.At(handle).Value.DescribeMaster(ref _master);
                uint master = _external!.Find(in _master);
                if (master != 0) { _external.Load(master, ref _master); }
                if (!isMeant(in _master)) { continue; }
            }
            table.Remove(handle);
        }
    }

    private bool HasMaster(in Expectation expectation)
    {
        // The kernel has none without, and there is no cache to look into.
        if (_settings.Bypass) { return true; }
        expectation.DescribeMaster(ref _master);
        uint handle = _internal.Find(in _master);
        return handle != 0 && !IsDead(handle);
    }

    private void OnExpectationData(Peer peer, in SyncMessage message, long now)
    {
        if (_expectations is null)
        {
            Counters.ExpectationsIgnored++;
            return;
        }
        if (!ExpectationMessage.TryDecode(message.Body, ref _expectation, out int unknown))
        {
            Received.BadPayload++;
            return;
        }
        Received.UnknownAttributes += (ulong)unknown;
        SyncType type = message.Header.Type;
        _expectationInjector?.Inject(type, ref _expectation);
        if (_externalExpectations is not ExpectationTable table) { return; }
        uint handle = table.Find(in _expectation);
        if (type == SyncType.ExpectDestroy)
        {
            if (handle == 0) { table.Counters.DestroyNotFound++; }
            else { RemoveExternalExpectation(handle); }
            return;
        }
        if (handle == 0) { handle = table.Add(in _expectation, Seconds(now)); }
        else if (type == SyncType.ExpectNew)
        {
            table.Replace(handle, in _expectation, Seconds(now));
        }
        else { table.Update(handle, in _expectation, Seconds(now)); }
        if (handle != 0) { table.At(handle).Sequence = peer.Stamp; }
    }

    private void RemoveExternalExpectation(uint handle)
    {
        _externalExpectations!.Kill(handle);
        _externalExpectations.Remove(handle);
    }

    // Removes what a peer owns and its last bulk did not have.
    private void SweepExternalExpectations(Peer owner)
    {
        if (_externalExpectations is not ExpectationTable table) { return; }
        for (uint handle = table.Next(0); handle != 0; handle = table.Next(handle))
        {
            if (!owner.IsStale(table.At(handle).Sequence)) { continue; }
            Counters.Swept++;
            RemoveExternalExpectation(handle);
        }
    }

    private bool HasExpectations =>
        _expectations is { Count: > 0 } || _externalExpectations is { Count: > 0 };

    // Once a second: peers' expectations whose time is over go, own ones are asked for.
    private void ExpireExpectations(long now)
    {
        if (now < _expireAt) { return; }
        _expireAt = now + Second;
        uint seconds = Seconds(now);
        if (_externalExpectations is ExpectationTable external)
        {
            for (uint handle = external.Next(0); handle != 0; handle = external.Next(handle))
            {
                uint left = external.At(handle).RemainingSeconds(seconds, UnknownTimeoutSeconds);
                bool repeated = !IsAlarm || (int)(seconds - external.At(handle).TouchedSeconds) <=
                    (int)_settings.CacheTimeoutSeconds;
                if (left != 0 && repeated) { continue; }
                Counters.ExpectationsExpired++;
                RemoveExternalExpectation(handle);
            }
        }
        if (_expectations is not ExpectationTable own) { return; }
        for (uint handle = own.Next(0); handle != 0; handle = own.Next(handle))
        {
            ref ExpectationSlot slot = ref own.At(handle);
            WantsExpectationDump |= !slot.IsDead && slot.OverdueSeconds(seconds) > OverdueSeconds;
            if (!IsAlarm || slot.IsDead || (int)(seconds - slot.Sequence) < 0) { continue; }
            // In ALARM nothing is in flight: the second of the next repetition stands there.
            slot.Sequence = seconds + DrawRefresh();
            Counters.Refreshed++;
            AnnounceExpectation(handle);
        }
    }

    // True if the queue's next item is an expectation that has been dealt with, or that does not
    // fit any more (blocked).
    private bool TakeQueuedExpectation(
        uint item, Span<byte> target, ref int length, out bool blocked)
    {
        blocked = false;
        if ((item & ExpectationBit) == 0) { return false; }
        uint handle = item & ~ExpectationBit;
        bool queued = (_expectations!.At(handle).Life & SlotLife.Queued) != 0;
        blocked = queued && !TakeExpectation(handle, target, ref length);
        return true;
    }

    // One message with the latest state and the time that is left. False if it does not fit.
    private bool TakeExpectation(uint handle, Span<byte> target, ref int length)
    {
        if (Reliable && !MakeRoom()) { return false; }
        ref ExpectationSlot slot = ref _expectations!.At(handle);
        SyncType type = slot.IsDead ? SyncType.ExpectDestroy
            : (slot.Life & SlotLife.Updated) != 0 ? SyncType.ExpectUpdate : SyncType.ExpectNew;
        _expectation = slot.Value;
        _expectation.TimeoutSeconds = Math.Max(1, slot.RemainingSeconds(
            Seconds(_transmitAt), UnknownTimeoutSeconds));
        SyncFlags flags = PeekFlags();
        int bytes = ExpectationMessage.Encode(
            target[length..], in _expectation, type, flags, _ring.Next, _messageOptions);
        if (bytes == 0) { return false; }
        length += bytes;
        ForgetHelloBack(flags);
        slot.Life &= ~SlotLife.Queued;
        byte peers = Reliable ? WaitedFor() : (byte)0;
        if (peers == 0)
        {
            _ring.Skip();
            FreeIfForgottenExpectation(handle);
            return true;
        }
        slot.Life |= SlotLife.InFlight;
        slot.Sequence = _ring.Add(new ResendRing.Entry
        {
            Kind = SentKind.Expectation,
            Item = handle,
            Peers = peers,
        });
        return true;
    }

    // The expectations of a bulk, behind its flows. True when all have been sent.
    private bool TakeBulkExpectations(Span<byte> target, ref int length, long now)
    {
        if (_expectations is not ExpectationTable table) { return true; }
        while (true)
        {
            uint next = table.Next(_bulkExpectationAt);
            if (next == 0) { return true; }
            if ((table.At(next).Life & (SlotLife.Dead | SlotLife.Queued)) == 0)
            {
                if (!CanSendData(now)) { return false; }
                WithdrawExpectation(next);
                if (!TakeExpectation(next, target, ref length)) { return false; }
            }
            _bulkExpectationAt = next;
        }
    }

    // The same identity, another one of the kernel: announced as new, in its old place.
    private void RenewExpectation(uint handle, in Expectation expectation, long now)
    {
        WithdrawExpectation(handle);
        SlotLife queued = _expectations!.At(handle).Life & SlotLife.Queued;
        _expectations.Replace(handle, in expectation, Seconds(now));
        _expectations.At(handle).Life |= queued;
    }

    private void DestroyExpectation(uint handle, bool announce)
    {
        _expectations!.Kill(handle);
        if (announce)
        {
            AnnounceExpectation(handle);
            return;
        }
        WithdrawExpectation(handle);
        _expectations.At(handle).Life &= ~SlotLife.Queued;
        FreeIfForgottenExpectation(handle);
    }

    private void AnnounceExpectation(uint handle)
    {
        WithdrawExpectation(handle);
        ref ExpectationSlot slot = ref _expectations!.At(handle);
        if ((slot.Life & SlotLife.Queued) != 0) { return; }
        slot.Life |= SlotLife.Queued;
        _queue.Push(handle | ExpectationBit);
    }

    private void WithdrawExpectation(uint handle)
    {
        ref ExpectationSlot slot = ref _expectations!.At(handle);
        if ((slot.Life & SlotLife.InFlight) == 0) { return; }
        slot.Life &= ~SlotLife.InFlight;
        ReleaseInFlight(slot.Sequence);
    }

    private void OnExpectationAcknowledged(uint handle)
    {
        _expectations!.At(handle).Life &= ~SlotLife.InFlight;
        FreeIfForgottenExpectation(handle);
    }

    private void FreeIfForgottenExpectation(uint handle)
    {
        ref ExpectationSlot slot = ref _expectations!.At(handle);
        bool waits = (slot.Life & (SlotLife.Queued | SlotLife.InFlight)) != 0;
        if (slot.IsDead && !waits && !_dumpingExpectations) { _expectations.Remove(handle); }
    }
}
