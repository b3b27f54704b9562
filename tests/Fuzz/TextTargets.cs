using System.Collections.Generic;
using System.Linq;
using System.Text;
using Conntrackd.Config;
using Conntrackd.Control;
using Conntrackd.Daemon;
using Conntrackd.Linux;
using Conntrackd.Sync;
using Conntrackd.Tests.Config;
using Conntrackd.Tests.Wire;
using Conntrackd.Transport;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Configuration files: refused with a message, or settings that read back alike.
/// </summary>
internal sealed class ConfigTarget : FuzzTarget
{
    private static readonly byte[] s_good = Encoding.UTF8.GetBytes(
        "General {\nUNIX { Path /run/x }\n}\nSync { Mode NOTRACK { }\n"
        + Parsing.Udp + "}\n");

    internal override long AllocationMax(int bytes) => (4 << 20) + (2000L * bytes);

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ConfigResult result = ConfigParser.Parse("fuzz.conf", input);
        bool hasError = false;
        uint way = 0;
        foreach (Diagnostic diagnostic in result.Diagnostics)
        {
            hasError |= diagnostic.Severity == Severity.Error;
            way = (way * 31) + (uint)diagnostic.Message.Length;
            CheckText(diagnostic);
        }
        Require(hasError == (result.Options is null), "an error or options, never both");
        Require(result.Diagnostics.Count <= 1100, "remarks are bounded");
        if (result.Options is Options options) { ReadBack(options); }
        return way;
    }

    internal override void Probe()
    {
        ConfigResult result = ConfigParser.Parse("good.conf", s_good);
        Require(result.Options is not null, "a good file is read");
    }

    private static void CheckText(Diagnostic diagnostic)
    {
        Require(diagnostic.Position is { Line: > 0, Column: > 0 }, "a remark has a place");
        foreach (char c in diagnostic.Render())
        {
            Require(c is '\n' or '\t' || !char.IsControl(c), "a remark is clean text");
        }
    }

    private static void ReadBack(Options options)
    {
        string first = EffectiveText.Render(options, "f");
        ConfigResult again = ConfigParser.Parse("again", Encoding.UTF8.GetBytes(first));
        Require(again.Options is not null,
            $"settings are read again: {string.Join(" ", again.Diagnostics)}");
        string second = EffectiveText.Render(again.Options!, "f");
        bool same = Bare(first).SequenceEqual(Bare(second));
        Require(same, "settings mean the same when they are read again");
    }

    // Without the origins, which name another file.
    private static IEnumerable<string> Bare(string text) => text.Split('\n')
        .Select(line => line.LastIndexOf("  # ", StringComparison.Ordinal) is >= 0 and int at
            ? line[..at] : line);
}

/// <summary>Answers of a daemon, read by the client.</summary>
internal sealed class ReplyTarget : FuzzTarget
{
    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        var random = new FuzzRandom(draw);
        ReplyReader whole = new(), cut = new();
        ulong first = 0, second = 0;
        Add(ref first, whole.Take(input));
        for (ReadOnlySpan<byte> rest = input; !rest.IsEmpty;)
        {
            int count = Math.Min(rest.Length, 1 + random.Below(1 + (int)(draw % 200)));
            Add(ref second, cut.Take(rest[..count]));
            rest = rest[count..];
        }
        string? failure = whole.Finish();
        Require(first == second && failure == cut.Finish(), "a cut changes nothing");
        Require(failure is null || failure.Length is > 0 and <= 1024, "a failure is bounded");
        return (failure is null ? 0u : 1u + (uint)Math.Min(failure.Length, 64))
            ^ ((uint)first & 0xf) << 8;
    }

    internal override void Probe()
    {
        var reader = new ReplyReader();
        bool isText = reader.Take("\0good\0"u8).SequenceEqual("good"u8);
        Require(isText && reader.Take("0"u8).IsEmpty, "a good answer is read");
        Require(reader.Finish() is null, "and is a success");
    }

    private static void Add(ref ulong digest, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text) { digest = (digest * 31) + b; }
    }
}

/// <summary>Lines of keepalived's FIFO, and the machine that follows them.</summary>
internal sealed class FifoTarget : FuzzTarget
{
    private readonly VrrpLineReader _reader = new();
    private readonly VrrpMachine _machine = new(
        new VrrpSettings(SyncEngine.Second, 60 * SyncEngine.Second, true, true),
        [new VrrpGroup("FW", isGroup: true), new VrrpGroup("VI_1", isGroup: false)]);

    private long _now = SyncEngine.Second;
    private ulong _lines;

    internal FifoTarget() => _machine.Start(1);

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        var random = new FuzzRandom(draw);
        foreach (byte b in input) { _lines += b == '\n' ? 1u : 0u; }
        for (ReadOnlySpan<byte> rest = input; !rest.IsEmpty;)
        {
            int count = Math.Min(rest.Length, 1 + random.Below(1 + (int)(draw % 200)));
            ReadOnlySpan<byte> piece = rest[..count];
            rest = rest[count..];
            while (_reader.TryNext(ref piece, out ReadOnlySpan<byte> line))
            {
                _machine.OnLine(line);
            }
        }
        Require(_machine.Counters.Lines + _reader.TooLong == _lines, "every line is counted");
        return Turn((draw >> 8) % 2 == 0);
    }

    internal override void Probe()
    {
        Say("\nGROUP \"FW\" BACKUP 0\n"u8);
        Turn(isIdle: true);
        Require(_machine.Groups[0].State == VrrpState.Backup, "BACKUP is followed");
        Say("GROUP \"FW\" MASTER 0\n"u8);
        Turn(isIdle: true);
        Require(_machine.Groups[0].State == VrrpState.Master, "MASTER is followed");
    }

    private void Say(ReadOnlySpan<byte> text)
    {
        foreach (byte b in text) { _lines += b == '\n' ? 1u : 0u; }
        while (_reader.TryNext(ref text, out ReadOnlySpan<byte> line)) { _machine.OnLine(line); }
    }

    private uint Turn(bool isIdle)
    {
        const int ActionsMax = 64;
        _now += SyncEngine.Second / 10;
        var view = new VrrpView
        {
            IsPeerAlive = true,
            InternalCount = 1000,
            IsCommitting = !isIdle,
            IsResyncing = !isIdle,
            PurgeMicroseconds = 60 * SyncEngine.Second,
        };
        _machine.Turn(view, _now);
        uint way = (uint)_machine.Gate;
        int actions = 0;
        while (_machine.TryTakeAction(out VrrpAction action))
        {
            Require(++actions < ActionsMax, "actions end");
            way = (way * 31) + (uint)action.Kind + 1;
        }
        return way;
    }
}

/// <summary>What keepalived answers in JSON when it is asked at the start.</summary>
internal sealed class KeepalivedTarget : FuzzTarget
{
    internal override uint Give(ReadOnlySpan<byte> input)
    {
        VrrpMachine machine = Make();
        bool isGood = KeepalivedQuery.TakeAnswer(input, machine);
        return (isGood ? 1u : 0u) + ((uint)machine.Groups[0].Newest << 1)
            + ((uint)machine.Groups[1].Newest << 5);
    }

    internal override void Probe()
    {
        VrrpMachine machine = Make();
        bool isGood = KeepalivedQuery.TakeAnswer(
            "[{\"data\": {\"iname\": \"VI_1\", \"state\": 2}}]"u8, machine);
        bool isMaster = machine.Groups[1].Newest == VrrpState.Master;
        Require(isGood && isMaster, "a good answer is read");
    }

    private static VrrpMachine Make() => new(
        new VrrpSettings(SyncEngine.Second, 60 * SyncEngine.Second, true, true),
        [new VrrpGroup("FW", isGroup: true), new VrrpGroup("VI_1", isGroup: false)]);
}

/// <summary>Key files: keys, or a message that quotes none.</summary>
internal sealed class KeyFileTarget : FuzzTarget
{
    internal const string Good = "# two keys\n1 " + SealDesk.KeyOne + " active\n2 "
        + SealDesk.KeyTwo + "\n";

    internal KeyFileTarget() => Require(Sodium.TryStart(), "libsodium");

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        using var ring = new KeyRing();
        string? wrong = KeyFile.Parse(input, ring);
        Require(ring.Count <= KeyRing.KeysMax, "keys are bounded");
        bool isUsable = ring.Count > 0 && ring.Active >= 0 && ring.Active < ring.Count;
        Require(wrong is not null || isUsable, "there is a key to send with");
        if (wrong is null) { return (uint)ring.Count << 8 | (uint)ring.Active; }
        foreach (string key in (string[])[SealDesk.KeyOne, SealDesk.KeyTwo])
        {
            // Twelve digits of a key in a message were a leak.
            Require(!wrong.Contains(key[8..20], StringComparison.Ordinal), "no key is quoted");
        }
        return (uint)wrong.Length << 16 | (uint)ring.Count;
    }

    internal override void Probe()
    {
        using var ring = new KeyRing();
        string? wrong = KeyFile.Parse(Encoding.ASCII.GetBytes(Good), ring);
        Require(wrong is null && ring is { Count: 2, Active: 0 }, "a good file is read");
    }
}
