using System.Globalization;
using System.IO;
using System.Text;
using Conntrackd.Linux;
using Conntrackd.Sync;

namespace Conntrackd.Daemon;

/// <summary>Asks keepalived itself, once at start: does it run, and who is master.</summary>
/// <remarks>
/// keepalived tells changes only. On a signal of its own it writes what it knows to a file, which
/// has instances and no groups: a group gets a state if all instances have the same. A keepalived
/// without this feature would die of the signal, so it is sent only to one that handles it.
/// Source: shared spec failover, section 1.4; keepalived vrrp_json.c.
/// </remarks>
internal static class KeepalivedQuery
{
    /// <summary>Where keepalived writes its answer.</summary>
    internal const string AnswerFolder = "/tmp";

    private const int JsonSignal = 36;              // SIGRTMIN+2 with glibc
    private const string JsonPath = AnswerFolder + "/keepalived.json";
    private const int WaitMilliseconds = 500, PollMicroseconds = 5_000;
    private const int FileBytesMax = 4 * 1024 * 1024;

    /// <summary>True if the process that the file names exists.</summary>
    internal static bool IsRunning(string pidFile) =>
        TryReadPid(pidFile, out int pid) && Libc.Kill(pid, 0) is Errno.None or Errno.Eperm;

    /// <summary>Tells the machine what keepalived answers; nothing if it does not.</summary>
    internal static void Ask(string pidFile, VrrpMachine machine, Log log)
    {
        if (!TryReadPid(pidFile, out int pid) || !HandlesJsonSignal(pid)) { return; }
        byte[]? text = Fetch(pid);
        if (text is null)
        {
            log.Notice("VRRP: keepalived did not say which state it is in");
            return;
        }
        if (!TakeAnswer(text, machine))
        {
            log.Warning("VRRP: the answer of keepalived names no instance, or is cut");
        }
    }

    /// <summary>
    /// Tells the machine what the text says. False if it names no instance or is cut.
    /// </summary>
    internal static bool TakeAnswer(ReadOnlySpan<byte> text, VrrpMachine machine)
    {
        VrrpState? all = null;
        bool same = true;
        JsonTokens tokens = new(text);
        while (TryReadInstance(ref tokens, out string name, out VrrpState state))
        {
            same &= all is null || all == state;
            all = state;
            Answer(machine, state, group => !group.IsGroup && group.Name == name);
        }
        if (tokens.IsCut || all is null) { return false; }
        if (same) { Answer(machine, all.Value, group => group.IsGroup); }
        return true;
    }

    // The next "data" of [{"data": {"iname": "VI_1", "state": 2, ...}, ...}, ...] that has both;
    // false at the end.
    private static bool TryReadInstance(ref JsonTokens tokens, out string name, out VrrpState state)
    {
        const int InstanceDepth = 2, DataDepth = 3;
        (name, state) = ("", VrrpState.Unknown);
        bool inData = false;
        bool hasState = false;
        while (tokens.TryNext())
        {
            bool ends = tokens is { Depth: DataDepth, IsString: false } && tokens.Text[0] == '}';
            if (ends && inData && hasState && name.Length != 0) { return true; }
            if (!tokens.IsKey) { continue; }
            if (tokens.Depth == InstanceDepth) { inData = tokens.Text.SequenceEqual("data"u8); }
            if (!inData || tokens.Depth != DataDepth) { continue; }
            bool isState = tokens.Text.SequenceEqual("state"u8);
            bool isName = tokens.Text.SequenceEqual("iname"u8);
            if (!(isState || isName) || !tokens.TryNext()) { continue; }
            if (isName) { name = Encoding.UTF8.GetString(tokens.Text); }
            else if (int.TryParse(tokens.Text, CultureInfo.InvariantCulture, out int number))
            {
                state = StateOf(number);
                hasState = true;
            }
        }
        return false;
    }

    private static void Answer(VrrpMachine machine, VrrpState state, Predicate<VrrpGroup> isMeant)
    {
        foreach (VrrpGroup group in machine.Groups)
        {
            if (isMeant(group)) { VrrpMachine.OnAnswer(group, state); }
        }
    }

    // keepalived's enumeration, vrrp.h.
    private static VrrpState StateOf(int number) => number switch
    {
        1 => VrrpState.Backup,
        2 => VrrpState.Master,
        3 => VrrpState.Fault,
        _ => VrrpState.Unknown,
    };

    // What was there before is removed: only an answer to this question counts.
    private static byte[]? Fetch(int pid)
    {
        _ = Libc.Unlink(JsonPath);
        if (Libc.Kill(pid, JsonSignal) != Errno.None) { return null; }
        byte[]? last = null;
        for (int waited = 0; waited < WaitMilliseconds; waited += PollMicroseconds / 1000)
        {
            Libc.Sleep(PollMicroseconds);
            byte[]? text = Read(JsonPath, isTrusted: false);
            // It is written in pieces: complete when it ends so and has stopped growing.
            bool isWhole = text is { Length: > 0 } && last is not null
                && text.Length == last.Length && text.AsSpan().TrimEnd("\n "u8).EndsWith("]"u8);
            if (isWhole) { return text; }
            last = text;
        }
        return null;
    }

    private static bool TryReadPid(string path, out int pid)
    {
        pid = 0;
        byte[]? text = Read(path, isTrusted: true);
        return text is not null && int.TryParse(
            Encoding.ASCII.GetString(text).Trim(), NumberStyles.None,
            CultureInfo.InvariantCulture, out pid) && pid > 1;
    }

    private static bool HandlesJsonSignal(int pid)
    {
        byte[]? text = Read($"/proc/{pid}/status", isTrusted: true);
        if (text is null) { return false; }
        ulong handled = 0;
        foreach (string line in Encoding.ASCII.GetString(text).Split('\n'))
        {
            bool isMask = line.StartsWith("SigBlk:", StringComparison.Ordinal)
                || line.StartsWith("SigCgt:", StringComparison.Ordinal);
            if (isMask && ulong.TryParse(
                line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture,
                out ulong mask))
            {
                handled |= mask;
            }
        }
        return (handled & (1ul << (JsonSignal - 1))) != 0;
    }

    // A file in a folder that all may write to counts only if it is root's, or ours.
    private static byte[]? Read(string path, bool isTrusted)
    {
        int flags = Libc.OpenReadOnly | Libc.OpenNonBlocking | (isTrusted ? 0 : Libc.NoFollow);
        if (Libc.Open(path, flags, 0, out int fd) != Errno.None) { return null; }
        using var text = new MemoryStream();
        bool isGood = Libc.Inspect(fd, out FileFacts facts) == Errno.None
            && facts.Kind == FileKind.Regular
            && (isTrusted || facts.Owner == 0 || facts.Owner == Libc.EffectiveUser);
        Span<byte> piece = stackalloc byte[4096];
        while (isGood && text.Length < FileBytesMax)
        {
            isGood = Libc.Read(fd, piece, out int count) == Errno.None;
            if (!isGood || count == 0) { break; }
            text.Write(piece[..count]);
        }
        Libc.Close(fd);
        return isGood ? text.ToArray() : null;
    }
}
