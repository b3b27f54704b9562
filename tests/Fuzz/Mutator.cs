using System.Buffers.Binary;
using System.Collections.Generic;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Makes inputs out of others: damages bytes as links and bugs do, and builds messages that are
/// sound outside and wrong inside, as a hostile sender does.
/// </summary>
/// <remarks>
/// A length changed alone is refused at the door and nothing behind the door is tried. So where the
/// format is known (<see cref="Shape"/>) attributes are changed, and mostly the lengths around them
/// are set right again.
/// </remarks>
internal sealed class Mutator(Shape shape, List<byte[]> corpus, ulong seed)
{
    /// <summary>Longest input.</summary>
    internal const int BytesMax = 32 * 1024;

    private const int StepsMax = 5, LearnedMax = 3000, LearnedBytesMax = 4096;

    private static readonly uint[] s_numbers =
        [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 1471,
        1472, 16384, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

    private readonly byte[] _bytes = new byte[2 * BytesMax];
    private FuzzRandom _random = new(seed);
    private int _length;
    private int _learned;

    internal int CorpusCount => corpus.Count;

    private Span<byte> Whole => _bytes.AsSpan(0, _length);

    /// <summary>The next input, valid until the one after it.</summary>
    internal ReadOnlySpan<byte> Next()
    {
        byte[] source = corpus[_random.Below(corpus.Count)];
        source.CopyTo(_bytes, 0);
        _length = source.Length;
        for (int steps = 1 + _random.Below(StepsMax); steps > 0; steps--)
        {
            bool isKnown = shape.HeaderSize != 0 && !_random.OneIn(3) && ChangeAttribute();
            bool isText = shape.Words.Length != 0 && _random.OneIn(2);
            if (isText) { ChangeText(); }
            else if (!isKnown) { ChangeBytes(); }
            if (_length > BytesMax) { _length = BytesMax; }
        }
        return Whole;
    }

    /// <summary>An input that did something new is worth to be changed further.</summary>
    internal void Learn(ReadOnlySpan<byte> input)
    {
        if (_learned == LearnedMax || input.Length > LearnedBytesMax) { return; }
        _learned++;
        corpus.Add(input.ToArray());
    }

    private void ChangeBytes()
    {
        int at = _length == 0 ? 0 : _random.Below(_length);
        int count = Math.Min(_length - at, 1 + _random.Below(_random.OneIn(8) ? 512 : 12));
        switch (_random.Below(9))
        {
            case 0 when _length > 0: _bytes[at] ^= (byte)(1 << _random.Below(8)); break;
            case 1 when _length > 0: _bytes[at] = (byte)_random.Next(); break;
            case 2: PutNumber(at); break;
            case 3: Remove(at, count); break;
            case 4: Insert(at, Whole.Slice(at, count).ToArray()); break;
            case 5: _length = at; break;
            case 6: Splice(at); break;
            case 7: Whole.Slice(at, count).Fill((byte)_random.Next()); break;
            default: Copy(at, count); break;
        }
    }

    private void Copy(int at, int count)
    {
        if (_length == 0) { return; }
        int to = _random.Below(_length);
        count = Math.Min(count, _length - to);
        _bytes.AsSpan(at, count).CopyTo(_bytes.AsSpan(to));
    }

    private void PutNumber(int at)
    {
        uint number = s_numbers[_random.Below(s_numbers.Length)];
        Span<byte> four = stackalloc byte[4];
        int size = 1 << _random.Below(3);
        if (_random.OneIn(2)) { BinaryPrimitives.WriteUInt32LittleEndian(four, number); }
        else { BinaryPrimitives.WriteUInt32BigEndian(four, number << (8 * (4 - size))); }
        if (at + size <= _length) { four[..size].CopyTo(_bytes.AsSpan(at)); }
    }

    // A part of another input, or all of it: datagrams of several messages.
    private void Splice(int at)
    {
        byte[] other = corpus[_random.Below(corpus.Count)];
        if (other.Length == 0) { return; }
        if (_random.OneIn(2))
        {
            Insert(_random.OneIn(2) ? _length : at, other);
            return;
        }
        int from = _random.Below(other.Length);
        Insert(at, other.AsSpan(from, 1 + _random.Below(other.Length - from)));
    }

    private void ChangeText()
    {
        byte[] word = shape.Words[_random.Below(shape.Words.Length)];
        int at = _length == 0 ? 0 : _random.Below(_length);
        int line = Whole[..at].LastIndexOf((byte)'\n') + 1;
        int end = Whole[at..].IndexOf((byte)'\n');
        int count = (end < 0 ? _length : at + end + 1) - line;
        switch (_random.Below(5))
        {
            case 0: Insert(at, word); break;
            case 1: Remove(line, count); break;
            case 2: Insert(line, Whole.Slice(line, count).ToArray()); break;
            case 3: Insert(line, word); break;
            default:
                int blank = Whole[at..].IndexOfAny(" \n\t{}"u8);
                Remove(at, blank < 0 ? 0 : blank);
                Insert(at, word);
                break;
        }
    }

    // One attribute of one record; false if the input has none.
    private bool ChangeAttribute()
    {
        if (!TryFindRecord(out int record, out int recordBytes)) { return false; }
        int body = record + shape.HeaderSize;
        Span<int> parents = stackalloc int[4];
        int depth = 0;
        if (!TryFindAttribute(body, record + recordBytes, out int at, out int bytes))
        {
            ChangeHeader(record);
            return true;
        }
        while (shape.Nests && depth < parents.Length && bytes > 8 && !_random.OneIn(3))
        {
            if (!TryFindAttribute(at + 4, at + bytes, out int inner, out int innerBytes)) { break; }
            parents[depth++] = at;
            (at, bytes) = (inner, innerBytes);
        }
        int grown = Change(record, at, bytes);
        // Sometimes the lengths around it stay as they were.
        if (grown == 0 || _random.OneIn(8)) { return true; }
        Grow(record + shape.LengthAt, isRecord: true, grown);
        foreach (int parent in parents[..depth]) { Grow(parent, isRecord: false, grown); }
        return true;
    }

    private void Grow(int at, bool isRecord, int bytes)
    {
        if (at + 4 > _length) { return; }
        int length = shape.ReadLength(Whole[at..], isRecord);
        shape.WriteLength(Whole[at..], isRecord, length + bytes);
    }

    private bool TryFindRecord(out int at, out int bytes)
    {
        at = shape.Prefix;
        bytes = 0;
        int found = -1, foundBytes = 0, count = 0;
        while (at + shape.HeaderSize <= _length)
        {
            bytes = shape.ReadLength(Whole[(at + shape.LengthAt)..], isRecord: true);
            if (bytes < shape.HeaderSize || bytes > _length - at) { break; }
            if (_random.OneIn(++count)) { (found, foundBytes) = (at, bytes); }
            at += (bytes + shape.Alignment - 1) / shape.Alignment * shape.Alignment;
        }
        (at, bytes) = (found, foundBytes);
        return found >= 0;
    }

    private bool TryFindAttribute(int from, int to, out int at, out int bytes)
    {
        int found = -1, foundBytes = 0, count = 0;
        for (at = from; at + 4 <= to; at += (bytes + 3) & ~3)
        {
            bytes = shape.ReadLength(Whole[at..], isRecord: false);
            if (bytes < 4 || bytes > to - at) { break; }
            if (_random.OneIn(++count)) { (found, foundBytes) = (at, bytes); }
        }
        (at, bytes) = (found, foundBytes);
        return found >= 0;
    }

    private void ChangeHeader(int record)
    {
        int at = record + _random.Below(shape.HeaderSize);
        if (_random.OneIn(2)) { _bytes[at] ^= (byte)(1 << _random.Below(8)); }
        else { PutNumber(at); }
    }

    // Returns by how much the record has grown.
    private int Change(int record, int at, int bytes)
    {
        int padded = Math.Min((bytes + 3) & ~3, _length - at);
        switch (_random.Below(9))
        {
            case 0: ChangeHeader(record); return 0;
            case 1: shape.WriteLength(Whole[at..], isRecord: false, _random.Below(80)); return 0;
            case 2: // another number; the bits of a nest are kept
                shape.WriteLength(Whole[(at + 2)..], isRecord: false, _random.Below(72)
                    | (shape.ReadLength(Whole[(at + 2)..], isRecord: false) & 0xc000));
                return 0;
            case 3 or 4 when bytes > 4: // its value
                if (_random.OneIn(2)) { PutNumber(at + 4 + _random.Below(bytes - 4)); }
                else { _bytes[at + 4 + _random.Below(bytes - 4)] = (byte)_random.Next(); }
                return 0;
            case 5:
                Remove(at, padded);
                return -padded;
            case 6:
                return Insert(at, Whole.Slice(at, padded).ToArray());
            case 7:
                return InsertForeign(at);
            default:
                int size = _random.Below(bytes + 8);
                int target = (size + 4 + 3) & ~3;
                shape.WriteLength(Whole[at..], isRecord: false, size + 4);
                if (target <= padded) { Remove(at + target, padded - target); }
                else { Insert(at + padded, new byte[target - padded]); }
                return target - padded;
        }
    }

    // An attribute of another input.
    private int InsertForeign(int at)
    {
        ReadOnlySpan<byte> other = corpus[_random.Below(corpus.Count)];
        int from = shape.Prefix + shape.HeaderSize, count = 0, found = -1, foundBytes = 0;
        while (from + 4 <= other.Length)
        {
            int bytes = (shape.ReadLength(other[from..], isRecord: false) + 3) & ~3;
            if (bytes < 4 || bytes > other.Length - from) { break; }
            if (_random.OneIn(++count)) { (found, foundBytes) = (from, bytes); }
            from += bytes;
        }
        return found < 0 ? 0 : Insert(at, other.Slice(found, foundBytes));
    }

    private int Insert(int at, ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _bytes.Length) { return 0; }
        _bytes.AsSpan(at, _length - at).CopyTo(_bytes.AsSpan(at + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(at));
        _length += bytes.Length;
        return bytes.Length;
    }

    private void Remove(int at, int count)
    {
        _bytes.AsSpan(at + count, _length - at - count).CopyTo(_bytes.AsSpan(at));
        _length -= count;
    }
}
