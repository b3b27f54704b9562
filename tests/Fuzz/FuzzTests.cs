using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Every reader of bytes from outside, with damaged and hostile input: some seconds here, minutes
/// with <c>./build.sh fuzz MINUTES [SEED]</c> (CONNTRACKD_FUZZ_MINUTES, CONNTRACKD_FUZZ_SEED).
/// </summary>
/// <remarks>
/// What must hold for each input is in its target. For all: no exception escapes, the input ends,
/// its managed memory is bounded, and a good input afterwards does what it should.
/// </remarks>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const ulong Seed = 20261126;

    public static TheoryData<string> Targets() =>
        [.. FuzzCorpora.All.Select(subject => subject.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task No_input_does_harm(string target)
    {
        FuzzSubject subject = Find(target);
        ulong seed = Number("CONNTRACKD_FUZZ_SEED") ?? Seed;
        ulong? minutes = Number("CONNTRACKD_FUZZ_MINUTES");
        FuzzRun[] runs = [.. Enumerable.Range(0, minutes is null ? 1 : Environment.ProcessorCount)
            .Select(worker => new FuzzRun(subject, seed + (ulong)worker))];
        TimeSpan time = minutes is ulong all
            ? TimeSpan.FromMinutes((double)all * Weight(subject) / WeightOfAll)
            : TimeSpan.MaxValue;
        long inputs = minutes is null ? subject.Inputs : long.MaxValue;
        var watch = Stopwatch.StartNew();
        Task[] tasks = [.. runs.Select(run => Task.Factory.StartNew(
            () => run.Run(inputs, time), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        await Task.WhenAll(tasks);
        Tell(runs, watch.Elapsed);
    }

    public static TheoryData<string> Tapes()
    {
        string? one = Environment.GetEnvironmentVariable("CONNTRACKD_FUZZ_TAPE");
        string folder = Path.Combine(Repository.Root, "tests", "Fuzz", "tapes");
        return one is not null ? [one]
            : [.. Directory.EnumerateFiles(folder, "*.tape").Order(StringComparer.Ordinal)];
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void What_failed_once_does_no_harm_any_more(string path)
    {
        string name = Path.GetFileName(path);
        FuzzSubject subject = FuzzCorpora.All
            .Where(subject => name.StartsWith(subject.Name + "-", StringComparison.Ordinal))
            .MaxBy(subject => subject.Name.Length)!;
        FuzzRun.Replay(subject, FuzzTape.Load(path));
    }

    [Fact]
    public void One_seed_gives_the_same_inputs_again()
    {
        FuzzSubject subject = Find("stream");
        Assert.Equal(Digest(7), Digest(7));
        Assert.NotEqual(Digest(7), Digest(8));

        ulong Digest(ulong seed)
        {
            var mutator = new Mutator(subject.Shape, subject.Corpus(), seed);
            ulong digest = 0;
            for (int i = 0; i < 2000; i++)
            {
                digest = (digest * 31) + FuzzRandom.Of(mutator.Next());
            }
            return digest;
        }
    }

    private static FuzzSubject Find(string name) =>
        Array.Find(FuzzCorpora.All, subject => subject.Name == name)!;

    // Of the time of a long run: what a hostile sender reaches first gets most.
    private static int Weight(FuzzSubject subject) => subject.Name switch
    {
        "sync-ftfw" or "event" => 4,
        "sealed" or "stream" or "config" or "sync-notrack" or "sync-alarm" => 3,
        "keyfile" or "keepalived" => 1,
        _ => 2,
    };

    private static int WeightOfAll => FuzzCorpora.All.Sum(Weight);

    private void Tell(FuzzRun[] runs, TimeSpan elapsed)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: {runs.Sum(run => run.Inputs):N0} inputs in {elapsed.TotalSeconds:F0} s, "
            + $"{runs.Max(run => run.Ways)} ways, slowest "
            + $"{runs.Max(run => run.SlowestMilliseconds):F1} ms, most memory for one "
            + $"{runs.Max(run => run.AllocatedMost):N0} bytes"));
    }

    private static ulong? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is string text
            ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
