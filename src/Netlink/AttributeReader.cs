namespace Conntrackd.Netlink;

/// <summary>Walks the attributes of a message or a nest.</summary>
/// <remarks>
/// <code>
/// bytes 0-1  length with this header, without padding, host order
/// bytes 2-3  bit 15 nested, bit 14 network byte order, low 14 bits the number
/// </code>Every attribute starts at a multiple of four; the last one needs no padding, and one to
/// three stray bytes at the end are ignored. Source: linux/netlink.h, struct nlattr.
/// </remarks>
internal ref struct AttributeReader
{
    internal const int HeaderSize = 4;
    private const int TypeMask = 0x3fff;        // NLA_TYPE_MASK

    private ReadOnlySpan<byte> _rest;

    internal AttributeReader(ReadOnlySpan<byte> attributes) => _rest = attributes;

    /// <summary>True if the walk ended at an attribute whose length cannot be.</summary>
    internal bool Malformed { get; private set; }

    /// <summary>False at the end or where <see cref="Malformed"/> turns true.</summary>
    internal bool TryNext(out NetlinkAttribute attribute)
    {
        ReadOnlySpan<byte> rest = _rest;
        attribute = default;
        if (rest.Length < HeaderSize) { return false; }
        int length = BitConverter.ToUInt16(rest);
        if (length < HeaderSize || length > rest.Length)
        {
            Malformed = true;
            _rest = default;
            return false;
        }
        attribute = new NetlinkAttribute(
            BitConverter.ToUInt16(rest[2..]) & TypeMask, rest[HeaderSize..length]);
        int step = (length + 3) & ~3;
        _rest = step < rest.Length ? rest[step..] : default;
        return true;
    }
}
