using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Daemon;
using Conntrackd.Linux;
using Conntrackd.Transport;

namespace Conntrackd;

internal static partial class Program
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const int ExitSuccess = 0;
    private const int ExitFailure = 1;          // scripts test for exactly this number

    /// <summary>
    /// Does what needs no daemon of our own: help, version, complaints, a request to the one that
    /// runs. Only what was asked for goes to standard output.
    /// </summary>
    private static int RunCommand(CommandLine line)
    {
        var text = new TextBuffer();
        switch (line.Kind)
        {
            case CommandKind.Help:
                CommandHelp.AppendHelp(text, ProgramName);
                return Print(text);

            case CommandKind.Version:
                CommandHelp.AppendVersion(text);
                return Print(text);

            case CommandKind.Check or CommandKind.PrintConfig:
                return RunConfig(line);

            case CommandKind.Request:
                foreach (string warning in line.Warnings) { Complain(warning); }
                return RunRequest(line);

            case CommandKind.PrintReference:
                text.Append(ReferenceText.Render());
                return Print(text);

            case CommandKind.PrintKeepalived:
                return PrintKeepalived(line);

            case CommandKind.GenerateKey:
                return GenerateKey(line.KeyPath);

            case CommandKind.Invalid or CommandKind.Daemon:
            default:
                if (line.WantsUsage) { CommandHelp.AppendUsage(text, ProgramName); }
                text.Append($"{line.Error}\n");
                _ = Libc.WriteAll(StandardError, text.Written);
                return ExitFailure;
        }
    }

    /// <summary>
    /// Sends the request to the socket that the configuration names. Warnings about the
    /// configuration are the daemon's to give; an error means that there cannot be a daemon.
    /// </summary>
    private static int RunRequest(CommandLine line)
    {
        ConfigLoad load = ConfigFile.Load(line.ConfigPath);
        if (load.Options is { } options)
        {
            return ControlClient.Run(
                options.UnixPath, line.Request, StandardOutput, StandardError);
        }
        if (load.Error is not null) { Complain(load.Error); }
        foreach (Diagnostic diagnostic in load.Result?.Diagnostics ?? [])
        {
            if (diagnostic.Severity == Severity.Error) { Complain(diagnostic.Render()); }
        }
        if (line.Request == ControlRequest.Reload)
        {
            Complain("nothing was reloaded, the old settings stay in force");
        }
        return ExitFailure;
    }

    /// <summary>
    /// Makes a key; it goes to its file or to standard output, what was done to standard error.
    /// </summary>
    private static int GenerateKey(string? path)
    {
        string? failed;
        if (path is not null)
        {
            failed = KeyFile.TryGenerate(path, out string done);
            Complain(failed ?? done);
            return failed is null ? ExitSuccess : ExitFailure;
        }
        failed = KeyFile.TryWrite(StandardOutput);
        if (failed is not null) { Complain(failed); }
        return failed is null ? ExitSuccess : ExitFailure;
    }

    private static string ProgramName => Environment.GetCommandLineArgs()[0];

    private static int Print(TextBuffer text) =>
        Libc.WriteAll(StandardOutput, text.Written) == Errno.None ? ExitSuccess : ExitFailure;

    /// <summary>Writes a line; a closed standard error leaves nobody to tell.</summary>
    private static void Complain(string message)
    {
        var text = new TextBuffer();
        text.Append($"{message}\n");
        _ = Libc.WriteAll(StandardError, text.Written);
    }
}
