using Conntrackd.Control;
using Conntrackd.Daemon;

namespace Conntrackd;

/// <summary>Entry point: daemon, or one request to a running daemon.</summary>
internal static partial class Program
{
    private static int Main(string[] words)
    {
        CommandLine line = CommandLine.Parse(words);
        return line.Kind == CommandKind.Daemon
            ? Launcher.Run(line.ConfigPath, line.Background) : RunCommand(line);
    }
}
