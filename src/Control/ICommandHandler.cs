using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>Does what clients ask for; runs on the loop's thread, so it must not wait.</summary>
internal interface ICommandHandler
{
    /// <summary>
    /// Does <paramref name="request"/>, which is always one of the enumeration, and says how the
    /// answer will come. A request that does nothing in this mode is Done without text.
    /// </summary>
    CommandReply Execute(ControlRequest request, ControlSession session);
}

/// <summary>A long text that is made block by block on a thread of its own.</summary>
/// <remarks>
/// The source is made on the loop's thread and used on the reader's alone. It may read only what
/// other threads may read: table slots by their versions, or a socket of its own.
/// </remarks>
internal interface IDumpSource : IDisposable
{
    /// <summary>
    /// Why the dump is incomplete, asked after the last block; null if it is whole.
    /// </summary>
    string? Failure { get; }

    /// <summary>
    /// Appends the next lines, about <see cref="DumpReader.BlockBytes"/> of them. False if nothing
    /// comes after these; appending nothing and saying true is allowed.
    /// </summary>
    bool NextBlock(TextBuffer text);
}

/// <summary>How a request is answered.</summary>
internal enum CommandReplyKind : byte
{
    /// <summary>With what the handler appended to the session's text, perhaps nothing.</summary>
    Done,

    /// <summary>By a reader thread, which owns the connection from now on.</summary>
    Dump,

    /// <summary>Later: the client waits until the handler completes the session.</summary>
    Held,
}

/// <summary>The handler's answer to <see cref="ICommandHandler.Execute"/>.</summary>
internal readonly record struct CommandReply
{
    private CommandReply(CommandReplyKind kind, IDumpSource? source)
    {
        Kind = kind;
        Source = source;
    }

    internal static CommandReply Done => default;

    internal static CommandReply Held => new(CommandReplyKind.Held, null);

    internal CommandReplyKind Kind { get; }

    /// <summary>Not null for a dump.</summary>
    internal IDumpSource? Source { get; }

    internal static CommandReply Dump(IDumpSource source) => new(CommandReplyKind.Dump, source);
}
