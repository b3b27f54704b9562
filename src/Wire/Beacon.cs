using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>The text of a beacon: what a node says to prove that it is there now.</summary>
/// <remarks><code>
/// bytes 0-3   number of the beacon, big-endian; the first is 1
/// then, for each node heard of late:
///   bytes 0-11   its <see cref="Incarnation"/>
///   bytes 12-15  number of the last beacon heard from it
/// </code>What follows the last whole entry is of a later version and stepped over.</remarks>
internal static class Beacon
{
    internal const int HeardMax = 16;
    internal const int SizeMax = HeardAt + (HeardMax * EntrySize);
    private const int HeardAt = sizeof(uint);
    private const int EntrySize = Incarnation.Size + sizeof(uint);

    /// <summary>Writes the number; returns the bytes written.</summary>
    internal static int Begin(Span<byte> target, uint number)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, number);
        return HeardAt;
    }

    /// <summary>Writes one entry; returns the bytes written.</summary>
    internal static int Add(Span<byte> target, in Incarnation heard, uint number)
    {
        heard.Write(target);
        BinaryPrimitives.WriteUInt32BigEndian(target[Incarnation.Size..], number);
        return EntrySize;
    }

    /// <summary>
    /// False if it is too short. <paramref name="echo"/> is the number of the last beacon that the
    /// sender heard from <paramref name="self"/>; 0 if it heard none.
    /// </summary>
    internal static bool TryRead(
        ReadOnlySpan<byte> text, in Incarnation self, out uint number, out uint echo)
    {
        (number, echo) = (0, 0);
        if (text.Length < HeardAt) { return false; }
        number = BinaryPrimitives.ReadUInt32BigEndian(text);
        for (text = text[HeardAt..]; text.Length >= EntrySize; text = text[EntrySize..])
        {
            if (Incarnation.Read(text) != self) { continue; }
            echo = BinaryPrimitives.ReadUInt32BigEndian(text[Incarnation.Size..]);
        }
        return true;
    }
}
