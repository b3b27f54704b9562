using System.IO;

namespace Conntrackd.Tests;

/// <summary>Where the tests find the files of the repository they were built from.</summary>
internal static class Repository
{
    /// <summary>
    /// The directory of conntrackd.csproj: the nearest one above the test binary.
    /// </summary>
    internal static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null
            && !File.Exists(Path.Combine(directory.FullName, "conntrackd.csproj")))
        {
            directory = directory.Parent;
        }
        return directory?.FullName ?? throw new DirectoryNotFoundException(
            $"no conntrackd.csproj above {AppContext.BaseDirectory}");
    }
}
