using Conntrackd.Conntrack;
using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>
/// One client from its connection to the end of its answer; lives on the loop's thread.
/// </summary>
/// <remarks><code>
///            4 bytes came, executed
/// Reading ───────────────┬── Done ────────────────► Writing ──► Closed
///    │                   ├── Held ──► Holding ──────────┘ completed
///    │                   └── Dump ──► (a DumpReader has the connection) Closed
///    └─ end of stream, error, too slow ──► Closed
/// </code>
/// A client that goes away while it is held closes the connection, not the session: the work goes
/// on, and completing it is harmless.
/// </remarks>
internal sealed class ControlSession : IReadyHandler
{
    private const int RequestBytes = sizeof(uint);

    private readonly ControlServer _server;
    private readonly bool _framed;
    private uint _request;
    private int _requestBytes;
    private int _sentBytes;
    private string? _failure;
    private State _state;

    internal ControlSession(
        ControlServer server, int fd, bool isOwner, TextBuffer text, long deadline)
    {
        _server = server;
        Fd = fd;
        IsOwner = isOwner;
        Text = text;
        DeadlineMicroseconds = deadline;
        _framed = Libc.IsPeerNamed(fd);
    }

    /// <summary>How far the client has come; drawn above.</summary>
    private enum State : byte
    {
        Reading,
        Executing,
        Holding,
        Writing,
        Closed,
    }

    /// <summary>True for root and the daemon's own user.</summary>
    internal bool IsOwner { get; }

    /// <summary>The form in which the client wants the answer.</summary>
    internal ReplyForm Form { get; private set; }

    /// <summary>The answer. The handler appends to it until the session is completed.</summary>
    internal TextBuffer Text { get; }

    /// <summary>The connection; -1 once it is closed or a reader has it.</summary>
    internal int Fd { get; private set; }

    /// <summary>When to give up, in monotonic microseconds.</summary>
    internal long DeadlineMicroseconds { get; private set; }

    /// <summary>True once nothing more happens here.</summary>
    internal bool IsClosed => _state == State.Closed;

    /// <summary>
    /// Makes our client print <paramref name="message"/> and exit with status 1. Clients of the
    /// original see only the text, as ever. Does not end the session.
    /// </summary>
    internal void Fail(string message) => _failure = message;

    /// <summary>Ends a held session: its text is sent, then the connection is closed.</summary>
    internal void Complete()
    {
        switch (_state)
        {
            case State.Executing:
                // Completed before the handler returned; BeginReply sees it.
                _state = State.Writing;
                break;

            case State.Holding:
                BeginWriting();
                break;

            case State.Reading or State.Writing or State.Closed:
            default:
                break;
        }
    }

    public void OnReady(int fd, EventMask mask)
    {
        switch (_state)
        {
            case State.Reading:
                OnReadable();
                break;

            case State.Writing:
                WriteSome();
                break;

            case State.Holding:
                // Only errors and hang-ups are reported: nobody waits for the answer any more.
                CloseConnection();
                break;

            case State.Executing or State.Closed:
            default:
                break;
        }
    }

    /// <summary>Closes the connection and forgets the answer.</summary>
    internal void Close()
    {
        if (_state == State.Closed) { return; }
        CloseConnection();
        _state = State.Closed;
        _server.OnClosed(this);
    }

    /// <summary>
    /// Brings the deadline forward. A client whose work is not done yet has none: it is not the one
    /// that is slow.
    /// </summary>
    internal void Hurry(long deadline)
    {
        if (DeadlineMicroseconds == long.MaxValue) { return; }
        DeadlineMicroseconds = Math.Min(DeadlineMicroseconds, deadline);
    }

    /// <summary>True if the client has used up its time.</summary>
    internal bool IsLate(long nowMicroseconds) => nowMicroseconds >= DeadlineMicroseconds;

    /// <summary>Closes a client that sent no whole request or takes no answer.</summary>
    internal void OnDeadline()
    {
        if (_state == State.Reading) { _server.Counters.LocalReadFailed++; }
        Close();
    }

    private void OnReadable()
    {
        // Bytes beyond the request mean nothing; they are taken so that closing does not reset.
        Span<byte> piece = stackalloc byte[64];
        Errno error = Libc.Receive(Fd, piece, out int count);
        if (error == Errno.Eagain) { return; }
        if (error != Errno.None || count == 0)
        {
            _server.Counters.LocalReadFailed++;
            Close();
            return;
        }
        int wanted = Math.Min(count, RequestBytes - _requestBytes);
        Span<byte> number = stackalloc byte[RequestBytes];
        BitConverter.TryWriteBytes(number, _request);
        piece[..wanted].CopyTo(number[_requestBytes..]);
        _request = BitConverter.ToUInt32(number);
        _requestBytes += wanted;
        if (_requestBytes == RequestBytes) { Execute(); }
    }

    private void Execute()
    {
        _state = State.Executing;
        DeadlineMicroseconds = long.MaxValue;

        // Sent before the work begins, so that our client knows if we do not live to its end. One
        // byte fits into a fresh socket; whether the client is gone shows at the next write.
        if (_framed) { _ = Libc.Send(Fd, [ReplyFrame.Mark], out _); }
        if (!ReplyForms.TrySplit(_request, out ControlRequest request, out ReplyForm form))
        {
            _server.Counters.LocalUnknownRequest++;
            Fail($"the daemon does not know request {_request}");
            BeginWriting();
            return;
        }
        if (!IsOwner && !_server.Access.AllowsOthers(request))
        {
            _server.Counters.Refused++;
            Fail("not permitted: this request is for root, or needs 'GroupAccess Full'");
            BeginWriting();
            return;
        }
        Form = form;
        Text.WantsJson = form == ReplyForm.Json;
        CommandReply reply = _server.Handler.Execute(request, this);
        switch (reply.Kind)
        {
            case CommandReplyKind.Dump:
                HandOver(reply.Source!);
                break;

            case CommandReplyKind.Held when _state == State.Executing:
                _state = State.Holding;
                if (_server.Watch(this, EventMask.None) != Errno.None) { CloseConnection(); }
                break;

            case CommandReplyKind.Done or CommandReplyKind.Held:
            default:
                BeginWriting();
                break;
        }
    }

    private void HandOver(IDumpSource source)
    {
        _server.Unwatch(this);
        if (_server.TryStartReader(Fd, IsOwner, _framed, source))
        {
            Fd = -1;
            Close();
            return;
        }
        source.Dispose();
        Fail("the daemon cannot start another reader");
        BeginWriting();
    }

    private void BeginWriting()
    {
        _state = State.Writing;
        if (Fd < 0)
        {
            Close();
            return;
        }
        if (_framed) { ReplyFrame.AppendEnd(Text, _failure); }
        WriteSome();
    }

    /// <summary>Writes what the socket takes; the loop calls again for the rest.</summary>
    private void WriteSome()
    {
        while (_sentBytes < Text.Length)
        {
            Errno error = Libc.Send(Fd, Text.Written[_sentBytes..], out int count);
            if (error == Errno.Eagain)
            {
                DeadlineMicroseconds = _server.StallDeadline();
                if (_server.Watch(this, EventMask.Out) != Errno.None) { Close(); }
                return;
            }
            if (error != Errno.None) { break; } // the client went away
            _sentBytes += count;
        }
        Close();
    }

    private void CloseConnection()
    {
        if (Fd < 0) { return; }
        _server.Unwatch(this);
        Libc.Close(Fd);
        Fd = -1;
    }
}
