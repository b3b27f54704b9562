namespace Conntrackd.Sync;

/// <summary>Cuts what comes out of the FIFO into lines, however it was cut on its way.</summary>
internal sealed class VrrpLineReader
{
    /// <summary>A name of keepalived is shorter than 256 bytes; more is no line of its.</summary>
    internal const int LineBytesMax = 512;

    private readonly byte[] _partial = new byte[LineBytesMax];
    private int _length;
    private bool _tooLong;

    /// <summary>Lines that were dropped because they never ended.</summary>
    internal ulong TooLong { get; private set; }

    /// <summary>
    /// Takes the next whole line from the front of <paramref name="bytes"/>, without its line
    /// feed. False when all bytes are taken; the start of a line waits here for its rest. The line
    /// is valid until the next call.
    /// </summary>
    internal bool TryNext(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> line)
    {
        line = default;
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> piece = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
            Keep(piece);
            if (end < 0) { return false; }
            bool whole = !_tooLong;
            if (whole) { line = _partial.AsSpan(0, _length); }
            else { TooLong++; }
            _length = 0;
            _tooLong = false;
            if (whole) { return true; }
        }
        return false;
    }

    private void Keep(ReadOnlySpan<byte> piece)
    {
        _tooLong |= piece.Length > LineBytesMax - _length;
        if (_tooLong) { return; }
        piece.CopyTo(_partial.AsSpan(_length));
        _length += piece.Length;
    }
}
