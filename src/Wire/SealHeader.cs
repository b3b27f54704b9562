using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>What stands in clear before the cipher text of a sealed frame.</summary>
/// <remarks><code>
/// bytes 0-3    <see cref="FrameHeader"/>
/// bytes 4-15   <see cref="Incarnation"/> of the sender
/// bytes 16-21  counter of the sender's frames, big-endian; the first is 1
/// bytes 22-    cipher text
/// last 16      tag
/// </code>All of the header is authenticated with the text. The key of an incarnation is its own,
/// so the counter alone is the nonce.</remarks>
internal readonly record struct SealHeader(
    FrameKind Kind, byte KeyNumber, ushort Length, Incarnation Sender, ulong Counter)
{
    internal const int Size = CounterAt + CounterSize;
    internal const int TagSize = 16;
    internal const int SenderAt = FrameHeader.Size;
    internal const int CounterAt = SenderAt + Incarnation.Size;
    internal const int CounterSize = 6;

    /// <summary>At a million frames a second nine years.</summary>
    internal const ulong CounterMax = (1UL << (8 * CounterSize)) - 1;

    private const int CounterHighSize = 2;

    /// <summary>
    /// False if it is not exactly one sealed frame with at least one byte of text.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> frame, out SealHeader header)
    {
        header = default;
        if (!FrameHeader.TryRead(frame, out FrameHeader first)
            || first.Kind is not (FrameKind.Sealed or FrameKind.Beacon)
            || first.Length != frame.Length || frame.Length <= Size + TagSize)
        {
            return false;
        }
        ReadOnlySpan<byte> counter = frame.Slice(CounterAt, CounterSize);
        header = new SealHeader(
            first.Kind, first.KeyNumber, first.Length, Incarnation.Read(frame[SenderAt..]),
            (ulong)BinaryPrimitives.ReadUInt16BigEndian(counter) << 32
                | BinaryPrimitives.ReadUInt32BigEndian(counter[CounterHighSize..]));
        return true;
    }

    internal void Write(Span<byte> target)
    {
        new FrameHeader(Kind, KeyNumber, Length).Write(target);
        Sender.Write(target[SenderAt..]);
        BinaryPrimitives.WriteUInt16BigEndian(target[CounterAt..], (ushort)(Counter >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(
            target[(CounterAt + CounterHighSize)..], (uint)Counter);
    }
}
