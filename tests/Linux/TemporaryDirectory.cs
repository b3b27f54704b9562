using System.IO;

namespace Conntrackd.Tests.Linux;

/// <summary>A directory of a test's own, removed with all it holds.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("conntrackd-test-").FullName;

    internal string File(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
