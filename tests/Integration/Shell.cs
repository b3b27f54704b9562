using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Conntrackd.Tests.Integration;

/// <summary>What a program answered.</summary>
internal sealed record CommandResult(string Command, int ExitCode, string Output, string Error)
{
    internal CommandResult Checked() => ExitCode == 0 ? this : throw new InvalidOperationException(
        $"{Command}: exit status {ExitCode}: {Error}{Output}");

    /// <summary>Everything, for the message of a failed assertion.</summary>
    public override string ToString() =>
        $"{Command}: exit status {ExitCode}\nstdout: {Output}\nstderr: {Error}";
}

/// <summary>Runs programs to their end, or starts those that stay.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    internal static CommandResult Run(string program, params string[] arguments) =>
        RunWithInput(null, program, arguments);

    /// <summary>Kills the program, and throws, if it takes longer than a minute.</summary>
    internal static CommandResult RunWithInput(
        Stream? input, string program, params string[] arguments)
    {
        string command = $"{program} {string.Join(' ', arguments)}";
        using Process process = Start(program, arguments, redirect: true);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            input?.CopyTo(process.StandardInput.BaseStream);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program has ended without reading; its exit status tells why.
        }
        if (!process.WaitForExit(s_patience))
        {
            process.Kill();
            throw new TimeoutException($"{command}: no end after {s_patience.TotalSeconds} s");
        }
        return new(command, process.ExitCode, output.Result, error.Result);
    }

    internal static Process Start(string program, string[] arguments, bool redirect = false)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = redirect,
            RedirectStandardError = redirect,
        };
        return Process.Start(info)
            ?? throw new InvalidOperationException($"cannot start {program}");
    }

    /// <summary>Whether a program is in PATH or where administrators' programs are.</summary>
    internal static bool Has(string program)
    {
        string path = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin";
        return Array.Exists(path.Split(':'), folder => File.Exists(Path.Combine(folder, program)));
    }
}
