using System.Text;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// Runs the operator's program after a sequence, with the words that keepalived gives to its
/// notify scripts, and the outcome behind them.
/// </summary>
/// <remarks><code>PROGRAM GROUP|INSTANCE NAME MASTER|BACKUP|FAULT|STOP|GONE ok|failed</code>
/// Nobody waits for it; what it returns other than 0 is logged.</remarks>
internal sealed class VrrpHook(string program, Log log)
{
    private const int StandardError = 2;

    private int _running;

    internal void Run(bool isGroup, string name, string state, bool isGood)
    {
        byte[][] words =
        [
            Encoding.UTF8.GetBytes(program),
            isGroup ? "GROUP"u8.ToArray() : "INSTANCE"u8.ToArray(),
            Encoding.UTF8.GetBytes(name),
            Encoding.ASCII.GetBytes(state),
            isGood ? "ok"u8.ToArray() : "failed"u8.ToArray(),
        ];
        using var arguments = new CStringArray(words);
        using CStringArray environment = CStringArray.From(SelfImage.Variables());
        Errno error = Libc.Spawn(
            program, arguments, environment, StandardError, StandardError, default, out _);
        if (error == Errno.None) { _running++; }
        else { log.Error($"VRRP: can't run Command `{program}': {error.Describe()}"); }
    }

    /// <summary>Takes leave of those that have ended.</summary>
    internal void Reap()
    {
        while (_running > 0 && Libc.TryReap(out _, out ChildStatus status) == Errno.None)
        {
            _running--;
            if (status is { Exited: true, ExitCode: 0 }) { continue; }
            string how = status.Exited
                ? $"exit status {status.ExitCode}" : $"signal {status.Signal}";
            log.Error($"VRRP: Command `{program}' ended with {how}");
        }
    }
}
