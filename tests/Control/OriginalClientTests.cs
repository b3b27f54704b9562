using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

/// <summary>A test that runs the installed conntrackd as a client; skipped aloud without.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InstalledClientFactAttribute : FactAttribute
{
    internal const string Program = "/usr/sbin/conntrackd";

    public InstalledClientFactAttribute()
    {
        if (!File.Exists(Program)) { Skip = $"needs {Program}"; }
    }
}

/// <summary>Our server and the installed client, which normally is the original's.</summary>
public sealed class OriginalClientTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ct-control-").FullName;

    [InstalledClientFact]
    public void Texts_dumps_and_held_requests_reach_it_whole()
    {
        using var bed = new ServerBed();
        ControlSession? held = null;
        bed.Answer = (request, session) =>
        {
            switch (request)
            {
                case ControlRequest.DumpInternal:
                    return CommandReply.Dump(new NumberedLines(100_000));

                case ControlRequest.Commit:
                    held = session;
                    return CommandReply.Held;

                default:
                    session.Text.Append($"{request}\n");
                    return CommandReply.Done;
            }
        };
        Assert.Equal((0, "StatisticsLink\n"), bed.RunUntil(Run(bed, "-s link")));
        Assert.Equal((0, NumberedLines.Expected(100_000)), bed.RunUntil(Run(bed, "-i")));
        Task<(int, string)> commit = Run(bed, "-c");
        bed.RunUntil(() => held is not null);
        held!.Complete();
        Assert.Equal((0, ""), bed.RunUntil(commit));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<(int Status, string Output)> Run(ServerBed bed, string words)
    {
        string config = Path.Combine(_folder, "conf");
        File.WriteAllText(
            config,
            $"General {{\nLockFile {_folder}/lock\nUNIX {{\nPath {bed.SocketPath}\n}}\n}}\n"
            + "Stats {\n}\n");
        return Task.Run(() =>
        {
            var start = new ProcessStartInfo(
                InstalledClientFactAttribute.Program, $"-C {config} {words}")
            {
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output);
        });
    }
}
