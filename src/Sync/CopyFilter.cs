using System.Collections.Generic;
using Conntrackd.Wire;

namespace Conntrackd.Sync;

/// <summary>
/// Hears one stream of messages on several links at once (RedundantLinks) and gives each message
/// once.
/// </summary>
/// <remarks>
/// Both links carry all, so what one lost the other brings, perhaps a little later. A datagram that
/// is ahead therefore waits up to <see cref="HoldMax"/> for what is missing; the engine, which asks
/// for a repair at once, never sees the gap.
/// <code>
/// sequence:   ... seen, seen, missing, seen | next expected | missing | held | missing | held
///                 4,096 bits               Next
/// known before               dropped, counted
/// next expected              given on, and then what is held behind it
/// ahead                      held, at most 64 datagrams; given on when the time is over
/// behind and not seen        given on: it came late, the engine knows what to do with it
/// far behind                 the node counts anew: so does this
/// </code>What is no message is given on too, to be counted there. Law of the place: without losses
/// nothing is allocated.
/// </remarks>
internal sealed class CopyFilter(ICopySink sink)
{
    /// <summary>Longest wait for the other link, in microseconds.</summary>
    internal const long HoldMax = 20_000;

    internal const int HeldMax = 64;

    private const int WindowBits = 4096;
    private const int WordBits = 64;

    // As for the engine: so far behind, a node has begun anew.
    private const int LateMax = 1 << 16;

    private readonly List<Stream> _streams = [];

    /// <summary>When <see cref="OnDeadline"/> wants to be called.</summary>
    internal long NextDeadline
    {
        get
        {
            long next = long.MaxValue;
            foreach (Stream stream in _streams)
            {
                if (stream.Held.Count != 0) { next = Math.Min(next, stream.HoldUntil); }
            }
            return next;
        }
    }

    /// <summary>How many of those were given on without what was missing; for reports.</summary>
    internal ulong HeldInVain { get; private set; }

    /// <summary>Datagrams that wait for an earlier one; for reports.</summary>
    internal int HeldCount
    {
        get
        {
            int count = 0;
            foreach (Stream stream in _streams) { count += stream.Held.Count; }
            return count;
        }
    }

    /// <summary>One datagram of a node; returns how many messages of it were known.</summary>
    internal int Take(in PeerAddress from, ReadOnlySpan<byte> datagram, long now)
    {
        Stream stream = Find(in from);
        if (!SyncHeader.TryRead(datagram, out SyncHeader first, out _))
        {
            sink.OnDatagram(in from, datagram, now);
            return 0;
        }
        int ahead = stream.IsKnown ? (int)(first.Sequence - stream.Next) : 0;
        if (!stream.IsKnown || ahead < -LateMax) { stream.Begin(first.Sequence); }
        else if (ahead > 0 && ahead <= LateMax)
        {
            if (stream.IsHolding(first.Sequence)) { return Count(datagram); }
            if (stream.Held.Count < HeldMax)
            {
                if (stream.Held.Count == 0) { stream.HoldUntil = now + HoldMax; }
                stream.Hold(first.Sequence, datagram);
                return 0;
            }
            Release(stream, now);
        }
        int known = Give(stream, datagram, now);
        GiveHeld(stream, now);
        return known;
    }

    /// <summary>Gives on what waited in vain.</summary>
    internal void OnDeadline(long now)
    {
        foreach (Stream stream in _streams)
        {
            if (stream.Held.Count != 0 && now >= stream.HoldUntil) { Release(stream, now); }
        }
    }

    private Stream Find(in PeerAddress from)
    {
        foreach (Stream stream in _streams)
        {
            if (stream.From == from) { return stream; }
            bool same = stream.From.Family == from.Family && stream.From.Address == from.Address;
            if (!same) { continue; }
            stream.Renew(in from);
            return stream;
        }
        if (_streams.Count == PeerTable.CountMax) { _streams.RemoveAt(0); }
        var added = new Stream(from);
        _streams.Add(added);
        return added;
    }

    private void Release(Stream stream, long now)
    {
        while (stream.TryTakeHeld(any: true, out byte[] held, out int bytes))
        {
            HeldInVain++;
            Give(stream, held.AsSpan(0, bytes), now);
            stream.Recycle(held);
        }
    }

    private void GiveHeld(Stream stream, long now)
    {
        while (stream.TryTakeHeld(any: false, out byte[] held, out int bytes))
        {
            Give(stream, held.AsSpan(0, bytes), now);
            stream.Recycle(held);
            stream.HoldUntil = now + HoldMax;
        }
    }

    // Gives on the runs of messages that are not known; streams cut them elsewhere than datagrams.
    private int Give(Stream stream, ReadOnlySpan<byte> datagram, long now)
    {
        int known = 0, start = 0, at = 0;
        while (TryMeasure(datagram[at..], out SyncHeader header))
        {
            if (!stream.Mark(header.Sequence))
            {
                if (at > start) { sink.OnDatagram(in stream.From, datagram[start..at], now); }
                start = at + header.Length;
                known++;
            }
            at += header.Length;
        }
        if (start < datagram.Length) { sink.OnDatagram(in stream.From, datagram[start..], now); }
        return known;
    }

    private static int Count(ReadOnlySpan<byte> datagram)
    {
        int count = 0;
        for (; TryMeasure(datagram, out SyncHeader header); datagram = datagram[header.Length..])
        {
            count++;
        }
        return count;
    }

    private static bool TryMeasure(ReadOnlySpan<byte> rest, out SyncHeader header) =>
        SyncHeader.TryRead(rest, out header, out _)
            && header.Length >= SyncHeader.Size && header.Length <= rest.Length;

    /// <summary>What one node sends.</summary>
    private sealed class Stream(PeerAddress from)
    {
        private readonly ulong[] _seen = new ulong[WindowBits / WordBits];
        private readonly Stack<byte[]> _spare = new();

        internal PeerAddress From = from;

        internal bool IsKnown { get; private set; }

        /// <summary>One behind the highest sequence given on.</summary>
        internal uint Next { get; private set; }

        /// <summary>In order of their first sequence.</summary>
        internal List<(uint First, byte[] Datagram, int Bytes)> Held { get; } = [];

        internal long HoldUntil { get; set; }

        internal void Begin(uint sequence)
        {
            Array.Clear(_seen);
            foreach ((_, byte[] datagram, _) in Held) { Recycle(datagram); }
            Held.Clear();
            Next = sequence;
            IsKnown = true;
        }

        internal void Renew(in PeerAddress from)
        {
            From = from;
            Begin(0);
            IsKnown = false;
        }

        /// <summary>Notes a sequence; false if it was known.</summary>
        internal bool Mark(uint sequence)
        {
            int ahead = (int)(sequence - Next);
            if (ahead < -WindowBits) { return true; }
            if (ahead >= WindowBits) { Array.Clear(_seen); }
            else
            {
                for (uint at = Next; (int)(at - sequence) <= 0; at++) { Set(at, false); }
            }
            if (ahead >= 0) { Next = sequence + 1; }
            if (IsSet(sequence)) { return false; }
            Set(sequence, true);
            return true;
        }

        internal bool IsHolding(uint sequence)
        {
            foreach ((uint first, _, _) in Held)
            {
                if (first == sequence) { return true; }
            }
            return false;
        }

        internal void Hold(uint sequence, ReadOnlySpan<byte> datagram)
        {
            if (!_spare.TryPop(out byte[]? copy) || copy.Length < datagram.Length)
            {
                copy = new byte[Math.Max(datagram.Length, 2048)];
            }
            datagram.CopyTo(copy);
            int place = Held.Count;
            while (place > 0 && (int)(Held[place - 1].First - sequence) > 0) { place--; }
            Held.Insert(place, (sequence, copy, datagram.Length));
        }

        /// <summary>The first of those held, if it is next or any will do.</summary>
        internal bool TryTakeHeld(bool any, out byte[] datagram, out int bytes)
        {
            (datagram, bytes) = ([], 0);
            if (Held.Count == 0 || (!any && (int)(Held[0].First - Next) > 0)) { return false; }
            (_, datagram, bytes) = Held[0];
            Held.RemoveAt(0);
            return true;
        }

        internal void Recycle(byte[] datagram)
        {
            if (_spare.Count < HeldMax) { _spare.Push(datagram); }
        }

        private bool IsSet(uint sequence) =>
            (_seen[Word(sequence)] >> (int)(sequence % WordBits) & 1) != 0;

        private void Set(uint sequence, bool seen)
        {
            ulong bit = 1ul << (int)(sequence % WordBits);
            ref ulong word = ref _seen[Word(sequence)];
            word = seen ? word | bit : word & ~bit;
        }

        private static int Word(uint sequence) => (int)(sequence % WindowBits / WordBits);
    }
}
