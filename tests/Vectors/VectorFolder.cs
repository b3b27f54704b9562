using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Conntrackd.Tests.Vectors;

/// <summary>
/// Where vectors are: the captured ones beside the tests, and every folder of the same form that
/// the environment variable CONNTRACKD_VECTORS names, separated by colons.
/// </summary>
internal static class VectorFolder
{
    internal static IEnumerable<string> All()
    {
        yield return Path.Combine(AppContext.BaseDirectory, "Vectors", "data");
        string further = Environment.GetEnvironmentVariable("CONNTRACKD_VECTORS") ?? "";
        foreach (string folder in further.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }
    }

    /// <summary>A file that may be in the folder itself or in a folder below it.</summary>
    internal static IEnumerable<string> Find(string name) => All().SelectMany(folder =>
        Directory.EnumerateFiles(folder, name, SearchOption.AllDirectories)
            .OrderBy(path => path, StringComparer.Ordinal));
}
