using System.Collections;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Gives a target inputs from one seed until their number or the time is reached.
/// </summary>
/// <remarks>
/// Guided by behaviour, not by edges of the code: a target says in a number which way an input
/// went (what was counted, what was decoded), and inputs with a new number join the corpus.
/// Nothing in the tool chain counts edges; a program rewritten so that it does would be another
/// one than what is tested.
/// </remarks>
internal sealed class FuzzRun(FuzzSubject subject, ulong seed)
{
    /// <summary>Inputs that one target gets before another one begins.</summary>
    internal const int SessionInputs = 8192;

    private const int ProbeInterval = 64;
    private const int SignatureBits = 18;
    private const long HangMilliseconds = 30_000;

    /// <summary>A busy machine may make more of it once, but not again and again.</summary>
    private const int InputMilliseconds = 20;

    private readonly FuzzTape _tape = new();
    private readonly BitArray _seen = new(1 << SignatureBits);
    private long _inputs;
    private TimeSpan _slowest;
    private volatile Exception? _failure;

    internal long Inputs => Volatile.Read(ref _inputs);

    /// <summary>Ways that inputs went.</summary>
    internal int Ways { get; private set; }

    /// <summary>Longest time of one input, other work of the machine included.</summary>
    internal double SlowestMilliseconds => _slowest.TotalMilliseconds;

    /// <summary>Most managed memory that one input cost.</summary>
    internal long AllocatedMost { get; private set; }

    /// <summary>
    /// Runs on a thread of its own and watches it. Throws what an input did wrong, with the path of
    /// its tape; the same if one does not come to an end.
    /// </summary>
    internal void Run(long inputs, TimeSpan time)
    {
        var thread = new Thread(() => Work(inputs, time), 1 << 20) { IsBackground = true };
        thread.Start();
        long last = -1, since = Environment.TickCount64;
        while (!thread.Join(100))
        {
            long now = Environment.TickCount64, count = Inputs;
            if (count != last) { (last, since) = (count, now); }
            if (now - since < HangMilliseconds) { continue; }
            _failure = new TimeoutException($"input {count} does not end");
            break;
        }
        if (_failure is Exception failure)
        {
            string path = Keep(isHang: failure is TimeoutException);
            throw new InvalidOperationException(
                $"{subject.Name}, seed {seed}, input {Inputs}: {failure.Message}\ntape: {path}",
                failure);
        }
    }

    /// <summary>Gives a new target what is on a tape.</summary>
    internal static void Replay(FuzzSubject subject, FuzzTape tape)
    {
        using FuzzTarget target = subject.Make();
        for (int i = 0; i < tape.Count; i++) { Give(target, tape[i], i); }
        target.Probe();
    }

    private void Work(long inputs, TimeSpan time)
    {
        try
        {
            // The corpus itself comes first.
            var mutator = new Mutator(subject.Shape, subject.Corpus(), seed);
            long start = Stopwatch.GetTimestamp();
            while (_inputs < inputs && Stopwatch.GetElapsedTime(start) < time) { Session(mutator); }
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void Session(Mutator mutator)
    {
        _tape.Clear();
        using FuzzTarget target = subject.Make();
        for (int i = 0; i < SessionInputs; i++)
        {
            ReadOnlySpan<byte> input = mutator.Next();
            _tape.Add(input);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            uint way = Give(target, input, i);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            AllocatedMost = Math.Max(AllocatedMost, allocated);
            if (allocated > target.AllocationMax(input.Length))
            {
                throw new InvalidOperationException(
                    $"{allocated} bytes of memory for an input of {input.Length}");
            }
            if (took.TotalMilliseconds > InputMilliseconds) { took = Confirm(took); }
            if (took > _slowest) { _slowest = took; }
            Volatile.Write(ref _inputs, _inputs + 1);
            int bit = (int)((way * 0x9E37_79B1u) >> (32 - SignatureBits));
            if (_seen[bit]) { continue; }
            _seen[bit] = true;
            Ways++;
            mutator.Learn(input);
        }
        target.Probe();
    }

    // The least of three times that the last input takes after all before it.
    private TimeSpan Confirm(TimeSpan least)
    {
        const int Tries = 2;
        for (int i = 0; i < Tries; i++)
        {
            using FuzzTarget target = subject.Make();
            int last = _tape.Count - 1;
            for (int index = 0; index < last; index++) { Give(target, _tape[index], index); }
            long start = Stopwatch.GetTimestamp();
            Give(target, _tape[last], last);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            if (took < least) { least = took; }
        }
        return least.TotalMilliseconds <= InputMilliseconds ? least
            : throw new InvalidOperationException($"took {least.TotalMilliseconds:F0} ms");
    }

    private static uint Give(FuzzTarget target, ReadOnlySpan<byte> input, int index)
    {
        if (index % ProbeInterval == 0) { target.Probe(); }
        return target.Give(input);
    }

    // As few of the last inputs as fail again.
    private string Keep(bool isHang)
    {
        FuzzTape kept = _tape;
        for (int count = 1; count < _tape.Count && !isHang; count *= 2)
        {
            FuzzTape last = _tape.Last(count);
            try
            {
                Replay(subject, last);
            }
            catch (Exception)
            {
                kept = last;
                break;
            }
        }
        string path = Path.Combine(
            Repository.Root, "out", "fuzz", $"{subject.Name}-{seed}-{Inputs}.tape");
        kept.Save(path);
        return path;
    }
}
