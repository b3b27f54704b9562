using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>How an answer to our own client tells whether the request succeeded.</summary>
/// <remarks>
/// The original's answer is bare text up to the end of the stream, without a status; its client
/// gets exactly that. Our client makes itself known by binding its socket to a name the kernel
/// chooses, which the original's daemon never looks at and its client never does. Such a client is
/// answered
/// <code>
/// 0x00 | text, without any 0x00 | 0x00 | status, one digit | what went wrong, if it did
/// </code>
/// The first zero tells the client that a status will come: an answer that ends without one is cut
/// short. A text that begins otherwise comes from a daemon that knows no status.
/// </remarks>
internal static class ReplyFrame
{
    internal const byte Mark = 0;
    internal const byte Success = (byte)'0';
    internal const byte Failed = (byte)'1';

    /// <summary>Appends the end of a framed answer.</summary>
    internal static void AppendEnd(TextBuffer text, string? failure)
    {
        text.Append(Mark);
        text.Append(failure is null ? Success : Failed);
        if (failure is not null) { text.Append(failure); }
    }
}

/// <summary>The client's half: takes an answer in pieces, as they arrive.</summary>
internal sealed class ReplyReader
{
    private const int EndBytesMax = 1024;

    private readonly TextBuffer _end = new();
    private Part _part;

    /// <summary>The part of the answer that comes next.</summary>
    private enum Part : byte
    {
        Start,
        PlainText,
        FramedText,
        End,
    }

    /// <summary>
    /// Takes the next bytes and returns those of them that are the answer's text.
    /// </summary>
    internal ReadOnlySpan<byte> Take(ReadOnlySpan<byte> piece)
    {
        if (_part == Part.Start && !piece.IsEmpty)
        {
            bool framed = piece[0] == ReplyFrame.Mark;
            _part = framed ? Part.FramedText : Part.PlainText;
            if (framed) { piece = piece[1..]; }
        }
        if (_part == Part.PlainText) { return piece; }
        if (_part == Part.End)
        {
            TakeEnd(piece);
            return default;
        }
        int textBytes = piece.IndexOf(ReplyFrame.Mark);
        if (textBytes < 0) { return piece; }
        _part = Part.End;
        TakeEnd(piece[(textBytes + 1)..]);
        return piece[..textBytes];
    }

    /// <summary>
    /// Says, after the stream has ended, why the request failed; null if it succeeded or the daemon
    /// knows no status.
    /// </summary>
    internal string? Finish()
    {
        if (_part is Part.Start or Part.PlainText) { return null; }
        if (_end.Length == 0) { return "the daemon went away before the answer was complete"; }
        if (_end.Written[0] == ReplyFrame.Success) { return null; }
        return _end.Length > 1
            ? Encoding.UTF8.GetString(_end.Written[1..])
            : "the daemon could not do it";
    }

    private void TakeEnd(ReadOnlySpan<byte> piece)
    {
        int room = EndBytesMax - _end.Length;
        _end.Append(piece[..Math.Min(piece.Length, room)]);
    }
}
