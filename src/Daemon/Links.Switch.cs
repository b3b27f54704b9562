using System.Collections.Generic;
using Conntrackd.Linux;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

// Which link is sent on, and links that go and return.
//
//   current link down, another up with carrier ------> that one
//   a message of the peer on another link -----------> that one (so both ends meet)
//   TCP: no connection for a second, another has one -> that one
//   nobody heard on any link for three seconds ------> the next, each once, until somebody speaks
//
// Nobody switches back because the first link has returned. What was staged on the old link leaves
// on the new one, before anything else.
internal sealed partial class Links
{
    private const long Second = 1000 * Millisecond;
    internal const int StrandedMax = 256;

    private readonly Queue<byte[]> _stranded = new();
    private readonly ReceiveCounters _ignored = new();
    private readonly bool _speaks;
    private bool _saidNone;
    private long _followAt;

    // A cable can be dead beyond a switch while both interfaces have carrier. Nodes speak once a
    // second, so silence is a sign; but a peer that is switched off is silent, too, and then one
    // round is enough.
    private const long SilenceMax = 3 * Second;

    // Of TCP, as long as it is not connected.
    private const long AttemptInterval = Second;

    private long _heardAt, _heardFirstAt;
    private int _silentLinksLeft;

    /// <inheritdoc/>
    public void OnLinkChanged(string name, in NetworkInterface before, in NetworkInterface now)
    {
        foreach (Link link in _links)
        {
            if (link.Options.InterfaceName != name) { continue; }
            if (now.Index != before.Index) { OnReplaced(link, in before, in now); }
            else if (link.Channel is not null && !link.Channel.TryFollow(now.Mtu))
            {
                Close(link);
                Reopen(link, Now());
            }
        }
        Reconsider();
    }

    private void OnReplaced(Link link, in NetworkInterface before, in NetworkInterface now)
    {
        Close(link);
        if (now.Index != 0) { Reopen(link, Now()); }
        else if (before.Index != 0)
        {
            _log.Warning($"device `{link.Options.InterfaceName}' is gone, waiting for it");
        }
    }

    private void Reopen(Link link, long now)
    {
        link.ReopenAt = now + ReopenInterval;
        if (StateOf(link).Index == 0) { return; }
        Errno error = link.TryOpen(_loop, _engine.Received, out string at);
        string name = link.Options.InterfaceName;
        if (error == Errno.None)
        {
            _log.Notice($"device `{name}': dedicated link opened");
            Reconsider();
        }
        else if (!IsWorthWaiting(error) && link.Refusals.TryTake(now, out _))
        {
            _log.Error($"device `{name}': {at}: {error.Describe()}, trying again");
        }
    }

    private void Close(Link link)
    {
        if (link.Channel is LinkChannel channel) { Strand(channel); }
        link.Close();
    }

    // Takes a link that can carry something if the current one cannot.
    private void Reconsider()
    {
        if (IsUsable(Current))
        {
            _saidNone = false;
            return;
        }
        Link? next = null;
        foreach (Link link in _links)
        {
            if (!IsUsable(link)) { continue; }
            if (next is null || (!IsConnected(next) && IsConnected(link))) { next = link; }
        }
        if (next is not null)
        {
            Switch(next);
            return;
        }
        if (_saidNone) { return; }
        _saidNone = true;
        _log.Error("no dedicated links available!");
    }

    private static bool IsConnected(Link link) => link.Channel is { IsClientConnected: true };

    private bool IsUsable(Link link) => link.Channel is not null && StateOf(link).IsRunning;

    // The peer sends there, so it hears there. Two nodes that follow each other at the same time
    // would change places for ever: how long a node stays after following is left to chance.
    private void Follow(Link link, long now)
    {
        if (now < _followAt && IsUsable(Current)) { return; }
        _followAt = now + Random.Shared.NextInt64(100 * Millisecond, 500 * Millisecond);
        Switch(link);
    }

    private bool MayLeaveSilence => _speaks && _silentLinksLeft > 0 && _copies is null;

    private void Hear(long now)
    {
        if (_heardAt == 0) { _heardFirstAt = now; }
        _heardAt = now;
        _silentLinksLeft = _links.Count;
    }

    private void LeaveSilence(long now)
    {
        if (!MayLeaveSilence || now - _heardAt < SilenceMax) { return; }
        _heardAt = now;
        for (int step = 1; _silentLinksLeft > 0; step++)
        {
            _silentLinksLeft--;
            Link link = _links[(_current + step) % _links.Count];
            if (link == Current || !IsUsable(link)) { continue; }
            _log.Warning($"device `{Current.Options.InterfaceName}': nobody heard for "
                + $"{SilenceMax / Second} s, trying another link");
            Switch(link);
            return;
        }
    }

    private void PreferConnected(long now)
    {
        if (_links.Count == 1 || Current.Channel is not { IsClientConnected: false }) { return; }
        // A peer that has not spoken yet is not there yet, on whatever link; then there is an
        // attempt a second. With copies on the way nobody need wait.
        long since = Math.Max(Current.DisconnectedAt, _heardFirstAt + AttemptInterval);
        if (_copies is null && (_heardAt == 0 || now - since < Second)) { return; }
        foreach (Link link in _links)
        {
            if (!IsUsable(link) || !link.Channel!.IsClientConnected) { continue; }
            Switch(link);
            return;
        }
    }

    private void Switch(Link to)
    {
        if (Current.Channel is LinkChannel old) { Strand(old); }
        _current = to.Index;
        _saidNone = false;
        _log.Notice($"device `{to.Options.InterfaceName}' becomes dedicated link");
    }

    private void Strand(LinkChannel channel)
    {
        channel.Unstage(_stranded);
        for (; _stranded.Count > StrandedMax; StrandedDropped++) { _stranded.Dequeue(); }
    }

    private bool SendStranded(LinkChannel channel)
    {
        while (_stranded.TryPeek(out byte[]? piece))
        {
            Span<byte> room = channel.Reserve();
            if (room.IsEmpty)
            {
                if (!channel.Flush()) { return false; }
                continue;
            }
            // One that is longer came from a link with giant frames; the engine repairs.
            if (piece.Length <= room.Length)
            {
                piece.CopyTo(room);
                channel.Commit(piece.Length);
            }
            else { StrandedDropped++; }
            _stranded.Dequeue();
        }
        return true;
    }

    // Noise on a link is no reason to use it.
    private bool IsMessage(ReadOnlySpan<byte> datagram)
    {
        var reader = new SyncMessageReader(datagram, _ignored);
        return reader.TryNext(out SyncMessage message) && message.Header.Class != SyncClass.Bad;
    }
}
