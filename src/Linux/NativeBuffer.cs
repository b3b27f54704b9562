namespace Conntrackd.Linux;

/// <summary>
/// A block of zeroed memory outside the managed heap. Pages are taken from the system when they
/// are first touched, so a generous size costs address space only.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private byte* _start;

    internal NativeBuffer(int bytes)
    {
        Bytes = bytes;
        _start = Libc.Map(bytes);
    }

    internal int Bytes { get; private set; }

    internal byte* Start => _start;

    /// <summary>Valid until the buffer is disposed of.</summary>
    internal Span<byte> Span => new(_start, Bytes);

    public void Dispose()
    {
        if (_start != null) { Libc.Unmap(_start, Bytes); }
        _start = null;
        Bytes = 0;
    }
}
