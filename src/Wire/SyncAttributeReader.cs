using System.Buffers.Binary;

namespace Conntrackd.Wire;

/// <summary>Walks the attributes of a sync message.</summary>
/// <remarks>
/// Four bytes or fewer at the end are ignored, and the last attribute needs no padding, as the
/// original does it. Source: shared spec wire, section 8.
/// </remarks>
internal ref struct SyncAttributeReader
{
    private ReadOnlySpan<byte> _rest;

    internal SyncAttributeReader(ReadOnlySpan<byte> attributes) => _rest = attributes;

    /// <summary>True if the walk ended at an attribute whose length cannot be.</summary>
    internal bool Malformed { get; private set; }

    /// <summary>False at the end or where <see cref="Malformed"/> turns true.</summary>
    internal bool TryNext(out int number, out ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> rest = _rest;
        number = 0;
        payload = default;
        if (rest.Length <= SyncAttributeWriter.HeaderSize) { return false; }
        uint header = BinaryPrimitives.ReadUInt32BigEndian(rest);
        int length = (int)(header >> 16);
        if (length < SyncAttributeWriter.HeaderSize || length > rest.Length)
        {
            Malformed = true;
            _rest = default;
            return false;
        }
        number = (int)(header & 0xffff);
        payload = rest[SyncAttributeWriter.HeaderSize..length];
        int step = (length + 3) & ~3;
        _rest = step < rest.Length ? rest[step..] : default;
        return true;
    }
}
