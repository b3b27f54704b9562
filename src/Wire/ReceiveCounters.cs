namespace Conntrackd.Wire;

/// <summary>What was wrong with received messages, one counter per reason; one writer.</summary>
internal sealed class ReceiveCounters
{
    internal ulong BadVersion { get; set; }

    /// <summary>A header that names no kind of message, or none the mode accepts.</summary>
    internal ulong BadHeader { get; set; }

    internal ulong BadPayload { get; set; }

    internal ulong BadType { get; set; }

    internal ulong Truncated { get; set; }

    internal ulong BadSize { get; set; }

    /// <summary>
    /// Attributes of a newer peer that were stepped over; the messages were accepted.
    /// </summary>
    internal ulong UnknownAttributes { get; set; }

    /// <summary>Messages refused for any reason.</summary>
    internal ulong Malformed =>
        BadVersion + BadHeader + BadPayload + BadType + Truncated + BadSize;
}
