using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Kernel;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// The text of the kernel's own table, for want of an internal cache: read on a reader's thread
/// through a socket of its own, a block at a time.
/// </summary>
/// <param name="filter">What the cache would not hold is not listed.</param>
/// <param name="line">How; the original cannot list XML here.</param>
internal sealed class KernelDump(FlowFilter filter, FlowLine line) : IDumpSource, IKernelSink
{
    private const int PartTimeoutMilliseconds = 5000;

    private TableReader? _reader;
    private TextBuffer _text = null!;
    private long _wallSeconds;

    /// <inheritdoc/>
    public string? Failure { get; private set; }

    /// <inheritdoc/>
    public bool NextBlock(TextBuffer text)
    {
        if (_reader is null && !TryStart()) { return false; }
        _text = text;
        _wallSeconds = Clock.WallSeconds();
        while (_reader!.IsRunning && text.Length < DumpReader.BlockBytes)
        {
            _reader.Read(partsMax: 1);
            if (!_reader.IsRunning) { break; }
            Errno error = Libc.WaitReadable(_reader.FileDescriptor, PartTimeoutMilliseconds);
            if (error == Errno.None) { continue; }
            Fail(error);
            return false;
        }
        return _reader.IsRunning;
    }

    /// <inheritdoc/>
    public void OnDumpRecord(ref Flow flow)
    {
        if (!filter.Accepts(in flow)) { return; }
        line.Append(_text, in flow, _wallSeconds, activeSeconds: null, expiresSeconds: null);
    }

    /// <inheritdoc/>
    public void OnDumpEnd(Errno error)
    {
        // Eintr: the table changed meanwhile, as a table that is in use does.
        if (error is not (Errno.None or Errno.Eintr)) { Fail(error); }
    }

    /// <summary>No events come on this socket.</summary>
    public void OnEvent(FlowEventKind kind, ref Flow flow, EventOrigin origin)
    {
    }

    /// <summary>Nor are any lost.</summary>
    public void OnOverrun()
    {
    }

    public void Dispose() => _reader?.Dispose();

    private bool TryStart()
    {
        Errno error = TableReader.TryOpen(this, new KernelCounters(), out _reader);
        if (error == Errno.None) { error = _reader!.StartDump(); }
        if (error == Errno.None) { return true; }
        Fail(error);
        return false;
    }

    private void Fail(Errno error) => Failure = $"dump of the kernel table: {error.Describe()}";
}
