using System.Collections;
using System.Collections.Generic;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>The running program as something to be started again.</summary>
internal static class SelfImage
{
    private const string Link = "/proc/self/exe";
    private const string CommandLine = "/proc/self/cmdline";

    /// <summary>
    /// The file. The name behind the link is preferred because the process is then called by it;
    /// the link itself if the file was replaced meanwhile; argv[0] without /proc.
    /// </summary>
    internal static string Path
    {
        get
        {
            Span<byte> target = stackalloc byte[4096];
            if (Libc.ReadLink(Link, target, out int length) != Errno.None)
            {
                return Environment.GetCommandLineArgs()[0];
            }
            string path = Encoding.UTF8.GetString(target[..length]);
            return path.EndsWith(" (deleted)", StringComparison.Ordinal) ? Link : path;
        }
    }

    /// <summary>The arguments as they were given, the program's name first.</summary>
    internal static List<byte[]> Arguments()
    {
        List<byte[]> arguments = [];
        byte[] raw = ReadAll(CommandLine);
        int start = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != 0) { continue; }
            arguments.Add(raw.AsSpan(start, i - start).ToArray());
            start = i + 1;
        }
        if (arguments.Count > 0) { return arguments; }
        foreach (string argument in Environment.GetCommandLineArgs())
        {
            arguments.Add(Encoding.UTF8.GetBytes(argument));
        }
        return arguments;
    }

    /// <summary>The environment, NAME=value each.</summary>
    internal static List<string> Variables()
    {
        List<string> variables = [];
        foreach (DictionaryEntry pair in Environment.GetEnvironmentVariables())
        {
            variables.Add($"{pair.Key}={pair.Value}");
        }
        return variables;
    }

    /// <summary>
    /// Replaces this process by a new start of the program; returns only on an error.
    /// </summary>
    internal static Errno Execute()
    {
        using CStringArray arguments = new(Arguments());
        using CStringArray environment = CStringArray.From(Variables());
        return Libc.Execute(Path, arguments, environment);
    }

    private static byte[] ReadAll(string path)
    {
        if (Libc.Open(path, Libc.OpenReadOnly, 0, out int fd) != Errno.None) { return []; }
        List<byte> all = [];
        byte[] piece = new byte[4096];
        while (Libc.Read(fd, piece, out int count) == Errno.None && count > 0)
        {
            all.AddRange(piece.AsSpan(0, count));
        }
        Libc.Close(fd);
        return [.. all];
    }
}
