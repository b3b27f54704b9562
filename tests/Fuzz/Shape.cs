using System.Buffers.Binary;
using System.Text;

namespace Conntrackd.Tests.Fuzz;

/// <summary>What the mutator knows of a format: where its records and attributes are.</summary>
/// <remarks>
/// A record is a message with a header and attributes behind it. Both begin with, or hold, their
/// length; an attribute's is followed by its number. Attributes begin at multiples of four of the
/// record's body.
/// </remarks>
internal sealed record Shape
{
    /// <summary>Bytes and nothing else.</summary>
    internal static readonly Shape Bytes = new();

    /// <summary>Datagrams and streams of the sync link.</summary>
    internal static readonly Shape Sync = new()
    {
        HeaderSize = 8,
        LengthAt = 2,
        IsBigEndian = true,
    };

    /// <summary>Netlink: header, family header, attributes that nest.</summary>
    internal static readonly Shape Netlink = new()
    {
        HeaderSize = 20,
        LengthAt = 0,
        LengthSize = 4,
        Nests = true,
        Alignment = 4,
    };

    /// <summary>0: no records.</summary>
    internal int HeaderSize { get; init; }

    internal int LengthAt { get; init; }

    /// <summary>Of a record; that of an attribute has two bytes.</summary>
    internal int LengthSize { get; init; } = 2;

    internal bool IsBigEndian { get; init; }

    /// <summary>Records begin at multiples of it.</summary>
    internal int Alignment { get; init; } = 1;

    internal bool Nests { get; init; }

    /// <summary>Bytes before the first record.</summary>
    internal int Prefix { get; init; }

    /// <summary>Pieces of text that mean something.</summary>
    internal byte[][] Words { get; init; } = [];

    /// <summary>A format of lines and words.</summary>
    internal static Shape Text(params string[] words) =>
        new() { Words = Array.ConvertAll(words, Encoding.UTF8.GetBytes) };

    internal int ReadLength(ReadOnlySpan<byte> at, bool isRecord)
    {
        if (isRecord && LengthSize == 4)
        {
            uint length = IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(at)
                : BinaryPrimitives.ReadUInt32LittleEndian(at);
            return (int)Math.Min(length, int.MaxValue);
        }
        return IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(at)
            : BinaryPrimitives.ReadUInt16LittleEndian(at);
    }

    internal void WriteLength(Span<byte> at, bool isRecord, int length)
    {
        if (isRecord && LengthSize == 4)
        {
            if (IsBigEndian) { BinaryPrimitives.WriteInt32BigEndian(at, length); }
            else { BinaryPrimitives.WriteInt32LittleEndian(at, length); }
            return;
        }
        if (IsBigEndian) { BinaryPrimitives.WriteUInt16BigEndian(at, (ushort)length); }
        else { BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)length); }
    }
}
