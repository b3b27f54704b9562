using System.Text;
using Conntrackd.Linux;

namespace Conntrackd.Control;

/// <summary>The other half: asks the running daemon and copies its answer.</summary>
internal static class ControlClient
{
    internal const int ExitSuccess = 0;
    internal const int ExitFailure = 1;         // scripts test for exactly this number

    private const int PieceBytes = 65_536;

    /// <summary>
    /// Sends <paramref name="request"/> to the daemon at <paramref name="path"/> and writes the
    /// answer, nothing else, to <paramref name="output"/>; messages go to <paramref name="error"/>.
    /// Waits as long as the daemon takes. Returns the status to exit with.
    /// </summary>
    internal static int Run(string path, ControlRequest request, int output, int error)
    {
        string? reason = ControlSocket.TryConnect(path, out int fd);
        if (reason is not null)
        {
            // The first line is the original's.
            Complain(
                error,
                "can't connect: is conntrackd running? appropriate permissions?\n"
                + $"{path}: {reason}");
            return ExitFailure;
        }
        reason = Ask(fd, request, output);
        Libc.Close(fd);
        if (reason is null) { return ExitSuccess; }
        if (reason.Length > 0) { Complain(error, reason); }
        return ExitFailure;
    }

    /// <summary>Returns null, or what went wrong; empty if there is nobody left to tell.</summary>
    private static string? Ask(int fd, ControlRequest request, int output)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(number, (uint)request);
        Errno error = Libc.Send(fd, number, out int sent);
        if (error != Errno.None || sent != number.Length)
        {
            return $"cannot send the request: {error.Describe()}";
        }
        var reply = new ReplyReader();
        byte[] piece = new byte[PieceBytes];
        while (true)
        {
            error = Libc.Read(fd, piece, out int count);
            if (error != Errno.None) { return $"cannot read the answer: {error.Describe()}"; }
            if (count == 0) { return reply.Finish(); }
            error = Libc.WriteAll(output, reply.Take(piece.AsSpan(0, count)));

            // The reader of our output went away, as head does.
            if (error == Errno.Epipe) { return ""; }
            if (error != Errno.None) { return $"cannot write the answer: {error.Describe()}"; }
        }
    }

    /// <summary>Writes a line; a closed standard error leaves nobody to tell.</summary>
    private static void Complain(int fd, string message) =>
        _ = Libc.WriteAll(fd, Encoding.UTF8.GetBytes(message + "\n"));
}
