using Conntrackd.Linux;
using Conntrackd.Netlink;

namespace Conntrackd.Kernel;

/// <summary>
/// Requests that go to the kernel in one send, and which message belongs to which.
/// </summary>
/// <remarks><code>
/// messages   | delete | delete | create | create | delete |     sequence = base + index
/// requests   |  0     |  0     |  0     |  1     |  2     |     a token and a result each
/// tolerated  | ENOENT | ENOENT | -      | -      | -      |     is no error there
/// </code></remarks>
internal sealed class RequestBatch : IDisposable
{
    /// <summary>64 to 128 a send are as fast as any number; more only needs more memory.</summary>
    internal const int RequestsMax = 128;

    /// <summary>A replacement takes three messages.</summary>
    internal const int MessagesMax = 3 * RequestsMax;

    /// <summary>128 ordinary creates (240 bytes) and room for larger ones.</summary>
    internal const int BytesMax = 48 * 1024;

    private readonly NativeBuffer _buffer = new(BytesMax);
    private readonly byte[] _requestOf = new byte[MessagesMax];
    private readonly Errno[] _tolerated = new Errno[MessagesMax];
    private readonly int[] _tokens = new int[RequestsMax];
    private readonly Errno[] _results = new Errno[RequestsMax];
    private int _length;
    private int _lastAt;

    internal int Messages { get; private set; }

    internal int Requests { get; private set; }

    /// <summary>Sequence number of the first message.</summary>
    internal uint BaseSequence { get; private set; }

    /// <summary>How often not every answer came.</summary>
    internal uint AnswersLost { get; set; }

    /// <summary>Datagrams and answers that belong to no request of the batch.</summary>
    internal uint AnswersUnknown { get; set; }

    internal bool IsFull(int messages) =>
        Requests == RequestsMax || Messages + messages > MessagesMax;

    /// <summary>Where the next messages are written.</summary>
    internal Span<byte> Room => _buffer.Span[_length..];

    internal ReadOnlySpan<byte> Written => _buffer.Span[.._length];

    internal void Start(uint baseSequence)
    {
        _length = 0;
        Messages = 0;
        Requests = 0;
        AnswersLost = 0;
        AnswersUnknown = 0;
        BaseSequence = baseSequence;
    }

    /// <summary>
    /// Keeps what was written into <see cref="Room"/> as one request. Its result is the first error
    /// that is not tolerated.
    /// </summary>
    /// <param name="token">The caller's.</param>
    /// <param name="messages">How many messages they are.</param>
    /// <param name="bytes">How long they are together.</param>
    /// <param name="lastBytes">How long the last of them is.</param>
    /// <param name="tolerated">No error for all messages but the last.</param>
    internal void Keep(int token, int messages, int bytes, int lastBytes, Errno tolerated)
    {
        for (int i = 0; i < messages; i++)
        {
            _requestOf[Messages + i] = (byte)Requests;
            _tolerated[Messages + i] = i < messages - 1 ? tolerated : Errno.None;
        }
        _tokens[Requests] = token;
        _results[Requests] = Errno.None;
        _length += bytes;
        _lastAt = _length - lastBytes;
        Messages += messages;
        Requests++;
    }

    /// <summary>Has only the last message acknowledged; the others answer errors alone.</summary>
    internal void RequestAcknowledgement()
    {
        Span<byte> flags = _buffer.Span.Slice(_lastAt + MessageReader.FlagsAt, sizeof(ushort));
        ushort old = BitConverter.ToUInt16(flags);
        BitConverter.TryWriteBytes(flags, (ushort)(old | (ushort)NetlinkFlags.Ack));
    }

    /// <summary>
    /// Files one answer. True if it is that to the last message, after which none follows; false
    /// too for an answer that is not to this batch (<paramref name="known"/> false).
    /// </summary>
    internal bool TryFinish(uint sequence, Errno error, out bool known)
    {
        uint message = sequence - BaseSequence;
        known = message < (uint)Messages;
        if (!known) { return false; }
        ref Errno result = ref _results[_requestOf[message]];
        if (result == Errno.None && error != _tolerated[message]) { result = error; }
        return message == Messages - 1;
    }

    /// <summary>Gives every request without an error this one.</summary>
    internal void Fail(Errno error)
    {
        foreach (ref Errno result in _results.AsSpan(0, Requests))
        {
            if (result == Errno.None) { result = error; }
        }
    }

    internal void Report(ITableResultSink sink)
    {
        for (int i = 0; i < Requests; i++) { sink.OnTableResult(_tokens[i], _results[i]); }
    }

    public void Dispose() => _buffer.Dispose();
}
