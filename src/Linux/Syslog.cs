using System.Text;
using System.Threading;

namespace Conntrackd.Linux;

/// <summary>
/// Datagrams to the system's log, RFC 3164 without host name, as syslog(3) sends them.
/// </summary>
/// <remarks><code>&lt;29&gt;Sep 26 07:09:05 conntrack-tools[7420]: initialization completed</code>
/// Never blocks: a line that the log daemon does not take is lost and counted.</remarks>
internal sealed class Syslog : IDisposable
{
    private const string DefaultPath = "/dev/log";
    private const string Identity = "conntrack-tools"; // not conntrackd: filters match this word
    private const int LineMax = 2048;

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly int _facility;
    private readonly byte[] _tag;
    private readonly byte[] _line = new byte[LineMax];
    private int _fd = -1;

    /// <param name="facility">3 daemon, 16 to 23 local0 to 7 (RFC 3164, section 4.1.1).</param>
    /// <param name="path">Socket of the log daemon.</param>
    internal Syslog(int facility, string path = DefaultPath)
    {
        _facility = facility;
        _path = path;
        _tag = Encoding.UTF8.GetBytes($" {Identity}[{Libc.ProcessId}]: ");
    }

    /// <summary>Lines that could not be handed over.</summary>
    internal ulong Lost { get; private set; }

    /// <summary>
    /// Sends one line, cut to 2048 bytes; <paramref name="text"/> has no line feed.
    /// </summary>
    internal void Write(LogLevel level, ReadOnlySpan<byte> text)
    {
        lock (_lock)
        {
            int length = Format(level, text);
            // A restarted log daemon has left our connection dead: connect again once.
            bool sent = TrySend(_line.AsSpan(0, length)) || TrySend(_line.AsSpan(0, length));
            if (!sent) { Lost++; }
        }
    }

    public void Dispose()
    {
        if (_fd >= 0) { Libc.Close(_fd); }
        _fd = -1;
    }

    private int Format(LogLevel level, ReadOnlySpan<byte> text)
    {
        Span<byte> line = _line;
        Span<byte> time = stackalloc byte[LogTime.Size];
        LogTime.Write(time, Clock.WallSeconds());
        int at = 0;
        line[at++] = (byte)'<';
        ((_facility * 8) + (int)level).TryFormat(line[at..], out int digits);
        at += digits;
        line[at++] = (byte)'>';
        time.Slice(LogTime.SyslogAt, LogTime.SyslogSize).CopyTo(line[at..]);
        at += LogTime.SyslogSize;
        _tag.CopyTo(line[at..]);
        at += _tag.Length;
        int length = Math.Min(text.Length, LineMax - at);
        text[..length].CopyTo(line[at..]);
        return at + length;
    }

    private bool TrySend(ReadOnlySpan<byte> line)
    {
        if (_fd < 0 && !TryConnect()) { return false; }
        Errno error = Libc.Send(_fd, line, out _);
        if (error is Errno.None or Errno.Eagain or Errno.Enobufs) { return error == Errno.None; }
        Dispose();
        return false;
    }

    private bool TryConnect()
    {
        Span<byte> address = stackalloc byte[SocketAddress.UnixSizeMax];
        if (!SocketAddress.TryWriteUnix(address, _path, out int bytes)) { return false; }
        if (Libc.Socket(Libc.FamilyUnix, Libc.SocketDatagram, 0, out _fd) != Errno.None)
        {
            return false;
        }
        if (Libc.Connect(_fd, address[..bytes]) == Errno.None) { return true; }
        Dispose();
        return false;
    }
}
