namespace Conntrackd.Wire;

/// <summary>What came of a frame.</summary>
internal enum FrameVerdict : byte
{
    /// <summary>It has messages.</summary>
    Messages,

    /// <summary>It was for the framing itself.</summary>
    Beacon,

    /// <summary>Another of several links that carry the same brought it before.</summary>
    Copied,

    // Refused; the order is that of the reports.

    /// <summary>Not a frame of this kind: its sender is configured otherwise.</summary>
    Plain,

    /// <summary>Cut short, or of a wrong length.</summary>
    Malformed,

    /// <summary>The digest differs: damaged on its way.</summary>
    Corrupt,

    /// <summary>No key has this number here.</summary>
    UnknownKey,

    /// <summary>Not sealed with our key, or changed since.</summary>
    Forged,

    /// <summary>Our own, sent back.</summary>
    Reflected,

    /// <summary>From a run of a node that is over, or that has not proven to be now.</summary>
    Unproven,

    /// <summary>Seen before.</summary>
    Replayed,

    /// <summary>Held back for too long.</summary>
    Late,

    /// <summary>More nodes than there is room for.</summary>
    Crowded,
}

/// <summary>An envelope around the messages of a datagram, or of a piece of a stream.</summary>
internal interface IFraming
{
    /// <summary>Bytes before the messages.</summary>
    int HeadBytes { get; }

    /// <summary>Bytes before and behind the messages.</summary>
    int OverheadBytes { get; }

    /// <summary>Frames taken and refused.</summary>
    FrameCounters Counters { get; }

    /// <summary>
    /// Completes a frame whose messages stand behind <see cref="HeadBytes"/> bytes; there is room
    /// for the rest. Returns its length.
    /// </summary>
    int Wrap(Span<byte> frame, int messageBytes);

    /// <summary>
    /// Takes one frame, never trusted, and counts what came of it. The messages are valid until
    /// the next call; <paramref name="from"/> becomes who is known to have sent them.
    /// </summary>
    FrameVerdict Unwrap(
        ReadOnlySpan<byte> frame, long now, ref PeerAddress from,
        out ReadOnlySpan<byte> messages);
}

/// <summary>Frames by what came of them; one writer.</summary>
internal sealed class FrameCounters
{
    private readonly ulong[] _counts = new ulong[(int)FrameVerdict.Crowded + 1];

    internal ulong this[FrameVerdict verdict] => _counts[(int)verdict];

    /// <summary>Frames refused for any reason.</summary>
    internal ulong Refused
    {
        get
        {
            ulong sum = 0;
            foreach (ulong count in _counts.AsSpan((int)FrameVerdict.Plain)) { sum += count; }
            return sum;
        }
    }

    internal void Count(FrameVerdict verdict) => _counts[(int)verdict]++;
}
